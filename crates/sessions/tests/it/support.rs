//! Sessions on each driver, made for one test and gone with it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenantry_core::session::{Handle, Session, SessionKind, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, DeviceId, Generation, SessionId, TenantId, Timestamp, UserId};
use tenantry_sessions::{
    DatabaseSessions, FileSessions, Redis, RedisSessions, SessionStore, StoredSession,
};
use tenantry_store::Changes;
use tenantry_testkit::ManualClock;
use tenantry_testkit::service::{Driver, TestControl};
use tenantry_testkit::services::RedisServer;
use uuid::Uuid;

/// Where the sessions of a test lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lies {
    Sqlite,
    Postgres,
    Redis,
    Files,
}

/// Runs each of these functions on every driver, as a test of its own.
macro_rules! on_each_driver {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(crate::support::Bench::open(crate::support::Lies::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(crate::support::Bench::open(crate::support::Lies::Postgres).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                super::$name(crate::support::Bench::open(crate::support::Lies::Redis).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn files() {
                super::$name(crate::support::Bench::open(crate::support::Lies::Files).await).await;
            }
        }
    )+};
}
pub(crate) use on_each_driver;

/// What holds the sessions.
enum Ground {
    Database(TestControl),
    Redis(Mutex<RedisServer>),
    Files(tempfile::TempDir),
}

/// A driver with nothing in it, and a clock that stands still.
pub(crate) struct Bench {
    pub(crate) store: SessionStore,
    /// What the driver tells others.
    pub(crate) changes: Changes,
    pub(crate) time: ManualClock,
    pub(crate) lies: Lies,
    ground: Arc<Ground>,
    counter: AtomicU64,
}

impl Bench {
    pub(crate) async fn open(lies: Lies) -> Self {
        let mut changes = Changes::default();
        let (store, ground) = match lies {
            Lies::Sqlite | Lies::Postgres => {
                let driver = match lies {
                    Lies::Postgres => Driver::Postgres,
                    _ => Driver::Sqlite,
                };
                let test = TestControl::start(driver).await.unwrap();
                let control = test.open().await.unwrap();
                changes = control.changes().clone();
                let store = SessionStore::Database(DatabaseSessions::new(control));
                (store, Ground::Database(test))
            }
            Lies::Redis => {
                let server = RedisServer::start().unwrap();
                let redis = Redis::at(&server.url().parse().unwrap()).unwrap();
                let store = SessionStore::Redis(RedisSessions::new(redis, changes.clone()));
                (store, Ground::Redis(Mutex::new(server)))
            }
            Lies::Files => {
                let folder = tempfile::TempDir::new().unwrap();
                let root = folder.path().join("sessions");
                let store = SessionStore::File(FileSessions::new(root, changes.clone()));
                (store, Ground::Files(folder))
            }
        };
        Self {
            store,
            changes,
            time: ManualClock::default(),
            lies,
            ground: Arc::new(ground),
            counter: AtomicU64::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn count(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// A fresh id, greater than all before.
    pub(crate) fn uuid(&self) -> Uuid {
        Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.count()))
    }

    /// Fresh 32 octets.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hash = [0xA5; 32];
        hash[..8].copy_from_slice(&self.count().to_be_bytes());
        hash
    }

    pub(crate) fn device(&self) -> DeviceId {
        DeviceId::from_uuid(self.uuid())
    }

    /// Somebody in a tenant of his own.
    pub(crate) fn person(&self) -> Subject {
        self.person_in(TenantId::from_uuid(self.uuid()), Generation::FIRST)
    }

    /// Somebody in this tenant.
    pub(crate) fn person_in(&self, tenant: TenantId, generation: Generation) -> Subject {
        Subject::User {
            tenant,
            generation,
            user: UserId::from_uuid(self.uuid()),
        }
    }

    /// A platform admin.
    pub(crate) fn admin(&self) -> Subject {
        Subject::Admin(AdminId::from_uuid(self.uuid()))
    }

    /// A session that is not there yet.
    pub(crate) fn draft(&self, subject: Subject) -> StoredSession {
        StoredSession {
            session: Session {
                id: SessionId::from_uuid(self.uuid()),
                subject,
                security_version: SecurityVersion(3),
                kind: SessionKind::Browser,
                created_at: self.now(),
                last_seen_at: self.now(),
                expires_at: self.now() + MINUTE * 60,
                idle: MINUTE * 10,
                ended_at: None,
                user_agent: None,
            },
            token_hash: self.hash(),
            device: None,
            pin_digest: None,
            end_reason: None,
        }
    }

    /// A session.
    pub(crate) async fn begun(&self, subject: Subject) -> StoredSession {
        self.add(self.draft(subject)).await
    }

    /// A session on a device.
    pub(crate) async fn begun_on(&self, subject: Subject, device: DeviceId) -> StoredSession {
        let mut draft = self.draft(subject);
        draft.device = Some(device);
        draft.pin_digest = Some(self.hash());
        self.add(draft).await
    }

    pub(crate) async fn add(&self, draft: StoredSession) -> StoredSession {
        self.store.add(&draft).await.unwrap();
        draft
    }

    /// A session that must be there.
    pub(crate) async fn found(&self, handle: Handle) -> StoredSession {
        self.store.lookup(&handle).await.unwrap().unwrap()
    }

    /// The ids of a person's live sessions.
    pub(crate) async fn listed(&self, subject: &Subject) -> Vec<SessionId> {
        let list = self.store.list(subject, self.now(), None, 100_000);
        let list = list.await.unwrap();
        list.into_iter().map(|session| session.id).collect()
    }

    /// Everything that is stored, with what names it; of a Redis, what each key holds as it dumps it.
    pub(crate) async fn dump(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = match &*self.ground {
            Ground::Database(test) => {
                let lines = test.dump().await.unwrap().into_iter();
                lines
                    .filter(|line| line.starts_with("sessions:"))
                    .map(|line| (line.clone(), line.into_bytes()))
                    .collect()
            }
            Ground::Redis(server) => {
                let server = server.lock().unwrap();
                let keys = server.keys().unwrap().into_iter();
                let dump = |key: &str| server.ask(&["DUMP", key]).unwrap().into_bytes();
                keys.map(|key| (key.clone(), dump(&key))).collect()
            }
            Ground::Files(folder) => files(folder.path()),
        };
        all.sort();
        all
    }

    /// The Redis that sessions lie in.
    pub(crate) fn redis(&self) -> std::sync::MutexGuard<'_, RedisServer> {
        match &*self.ground {
            Ground::Redis(server) => server.lock().unwrap(),
            Ground::Database(_) | Ground::Files(_) => panic!("there is no Redis"),
        }
    }

    /// The folder that sessions lie in.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        match &*self.ground {
            Ground::Files(folder) => folder.path().join("sessions"),
            Ground::Database(_) | Ground::Redis(_) => panic!("there are no files"),
        }
    }
}

/// Every file below a folder that holds something, or leads to something.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("locks") || path.ends_with("tmp") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
