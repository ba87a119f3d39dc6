//! The whole of HTTP over a real service, served on a real socket, with a clock in the test's hands.
//!
//! [`TestApp`] is what a browser or program talks to; it looks into nothing but the registry, and
//! there only to put things in that no use case makes yet. Every request goes through a
//! [`Call`], which checks on each answer what the contract says of all of them.

mod answer;
mod call;
mod raw;
mod token;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_core::password::{Password, PasswordPolicy};
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::{EmailUniqueness, Isolation, Registration, Tenant};
use tenantry_core::user::Username;
use tenantry_core::{Entropy, Locale, Role, TenantId, UserId};
use tenantry_keys::password::{HashParams, Hasher};
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::{Sender, Transport, files::Files};
use tenantry_service::resolve::Hints;
use tenantry_service::signin::{Client, Login, SignedIn};
use tenantry_service::tenants::{Created, NewOwner, NewTenant};
use tenantry_service::{Service, Settings};
use tenantry_store::control::{ControlUrl, Entry};
use tenantry_store::files::TenantFiles;
use tenantry_store::tenant::NewUser;
use tenantry_store::{Control, Db, Hint, Origin, PoolBounds, TenantCtx, TenantPools};
use tenantry_web::{App, Options, router, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;
use uuid::Uuid;

use crate::ManualClock;
use crate::services::{FreshDatabase, fresh_database};
pub use answer::Answer;
pub use call::Call;
pub use token::AccessToken;

/// The password of everybody a test makes: long enough for every policy.
pub const PASSWORD: &str = "violet-harbour-71-lantern";

/// The master key of every [`TestApp`] that is not asked for another one.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What a [`TestApp`] is started with.
#[derive(Clone)]
pub struct AppOptions {
    /// Whether the control database lies in PostgreSQL.
    pub postgres: bool,
    /// Whether wrong tries are limited.
    pub rate_limits: bool,
    /// Threads that hash passwords.
    pub hash_threads: usize,
    /// What `{slug}.` is put before.
    pub base_domain: String,
    /// What links begin with.
    pub public_url: String,
    /// Whether one address may belong to several tenants.
    pub email_uniqueness: EmailUniqueness,
    /// Proxies whose forwarded headers count.
    pub trusted_proxies: Vec<String>,
    /// The master key, in base64.
    pub master_key: String,
}

impl Default for AppOptions {
    /// SQLite, `localhost`, no limits on tries: a test that is about them turns them on.
    fn default() -> Self {
        Self {
            postgres: false,
            rate_limits: false,
            hash_threads: 2,
            base_domain: "localhost".to_owned(),
            public_url: "http://localhost:8000".to_owned(),
            email_uniqueness: EmailUniqueness::PerTenant,
            trusted_proxies: Vec::new(),
            master_key: MASTER_KEY.to_owned(),
        }
    }
}

impl AppOptions {
    /// Starts it.
    ///
    /// # Panics
    /// Where anything of it fails; the test can't go on.
    pub async fn start(self) -> TestApp {
        let dir = tempfile::tempdir().unwrap();
        let database = if self.postgres {
            Some(fresh_database().await.unwrap())
        } else {
            None
        };
        let url = match &database {
            Some(database) => ControlUrl::Postgres(database.url().to_owned()),
            None => ControlUrl::Sqlite(dir.path().join("control.db")),
        };
        let clock = ManualClock::default();
        let entropy = tenantry_keys::entropy();
        let control = Control::open(&url).await.unwrap();
        let service = Service::open(
            control,
            self.settings(dir.path()),
            &MasterKey::parse(&self.master_key).unwrap(),
            Transport::Files(Files::new(dir.path().join("mail"))),
            clock.clock(),
            entropy.clone(),
        )
        .await
        .unwrap();
        let options = Options {
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .map(|net| net.parse().unwrap())
                .collect(),
            dev_mail: true,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = router(App::new(service.clone(), options));
        let serving = tokio::spawn(serve(listener, routes, async move {
            // A sender that is gone means the same as one that says stop.
            let _ = stopped.await;
        }));
        TestApp {
            client: call::client(address),
            service,
            clock,
            entropy,
            address,
            serving,
            stop,
            database,
            dir,
        }
    }

    fn settings(&self, dir: &Path) -> Settings {
        Settings {
            public_url: Url::parse(&self.public_url).unwrap(),
            base_domain: self.base_domain.clone(),
            data_dir: dir.to_owned(),
            email_uniqueness: self.email_uniqueness,
            rate_limits: self.rate_limits,
            code_prefix: "TEN".to_owned(),
            passwords: PasswordPolicy::default(),
            sender: Sender::new("Tenantry", "no-reply@localhost".parse().unwrap()),
            mail_locale: Locale::default(),
            hash_threads: NonZeroUsize::new(self.hash_threads).unwrap(),
            pools: PoolBounds::default(),
            pace: tenantry_saga::Pace::default(),
            faults: tenantry_saga::Faults::default(),
        }
    }
}

/// A running server with everything behind it. Dropped, it ends.
pub struct TestApp {
    service: Service,
    clock: ManualClock,
    entropy: Entropy,
    address: SocketAddr,
    client: reqwest::Client,
    serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    database: Option<FreshDatabase>,
    dir: TempDir,
}

/// A tenant that was made for a test, with its owner.
#[derive(Debug, Clone)]
pub struct TestTenant {
    /// Its id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// Its own host, below the base domain.
    pub host: String,
    /// The owner's address; the password is [`PASSWORD`].
    pub owner: String,
}

/// Somebody who signed in through the API.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The whole answer.
    pub body: Value,
}

impl SignIn {
    /// What a login answer holds.
    ///
    /// # Panics
    /// Where it holds no tokens.
    #[track_caller]
    pub fn of(body: Value) -> Self {
        Self {
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: body["refresh_token"].as_str().unwrap().to_owned(),
            body,
        }
    }
}

impl TestApp {
    /// One with SQLite and everything by default.
    pub async fn start() -> Self {
        AppOptions::default().start().await
    }

    /// The use cases behind it.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Its clock.
    pub const fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its files lie.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The host of a tenant with this slug.
    pub fn host(&self, slug: &str) -> String {
        format!("{slug}.{}", self.service.settings().base_domain)
    }

    /// A request to be filled in, at the base domain.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let base = self.service.settings().base_domain.clone();
        Call::new(self.client.clone(), self.address.port(), method, &base, path)
    }

    /// A `GET` at the base domain.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A `POST` at the base domain.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// Sends these octets over a connection of their own and reads until the server closes it.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        raw::exchange(self.address, request.as_ref()).await
    }

    /// Makes a tenant with an owner `owner@{slug}.example` who has [`PASSWORD`].
    pub async fn tenant(&self, slug: &str) -> TestTenant {
        self.tenant_owned_by(slug, &format!("owner@{slug}.example"))
            .await
    }

    /// Makes a tenant whose owner has this address and [`PASSWORD`].
    pub async fn tenant_owned_by(&self, slug: &str, owner: &str) -> TestTenant {
        let new = NewTenant {
            name: format!("The {slug}"),
            slug: slug.parse().unwrap(),
            owner: NewOwner {
                email: owner.parse().unwrap(),
                username: Some("owner".parse().unwrap()),
                full_name: Some("Olga Owner".to_owned()),
                password: Some(PASSWORD.to_owned()),
            },
            isolation: Isolation::Database,
            cluster: None,
            registration: Registration::Closed,
            verify_email: true,
            locale: None,
        };
        let wait = std::time::Duration::from_secs(30);
        match self.service.create_tenant(new, None, wait).await.unwrap() {
            Created::Active(view) => TestTenant {
                id: view.tenant.id.to_string(),
                slug: slug.to_owned(),
                host: self.host(slug),
                owner: owner.to_owned(),
            },
            Created::Later(..) => panic!("the tenant {slug} takes too long"),
        }
    }

    /// Adds somebody with [`PASSWORD`] to a tenant, and tells the directory.
    pub async fn person(&self, tenant: &TestTenant, email: &str, role: Role, must_change: bool) {
        let pools = TenantPools::new(
            TenantFiles::new(self.dir.path().join("tenants")).unwrap(),
            PoolBounds::default(),
            self.clock.clock(),
        );
        let ctx = self.enter(tenant).await;
        let (address, name) = email.split_once('@').unwrap();
        let username: Username = format!("{address}.{name}")[..address.len()].parse().unwrap();
        let email = email.parse().unwrap();
        let mut tx = pools.begin(&ctx).await.unwrap();
        let user = NewUser {
            id: UserId::generate(&self.clock.clock(), &self.entropy),
            email: &email,
            username: Some(&username),
            full_name: None,
            role,
            password_hash: Some(password_hash(&self.entropy)),
            must_change_password: must_change,
            created_at: self.clock.now(),
        };
        tx.users().add(&user).await.unwrap();
        tx.commit().await.unwrap();
        pools.close_all().await;
        let tenant: Tenant = ctx.tenant().clone();
        self.service.rebuild_directory(&tenant).await.unwrap();
    }

    async fn enter(&self, tenant: &TestTenant) -> TenantCtx {
        let id: TenantId = tenant.id.parse().unwrap();
        let mut tx = self.service.control().read().await.unwrap();
        match tx.tenants().enter(&Hint::Id(id), Origin::Operator).await {
            Ok(Some(Entry::Open(ctx))) => ctx,
            other => panic!("{} is not open: {other:?}", tenant.slug),
        }
    }

    /// Adds a platform admin with [`PASSWORD`].
    pub async fn platform_admin(&self, email: &str) {
        self.service
            .create_admin(email.parse().unwrap(), Some(PASSWORD))
            .await
            .unwrap();
    }

    /// Makes a platform admin change the password first.
    pub async fn must_change(&self, admin: &str) {
        let sql = "UPDATE platform_admins SET must_change_password = 1 WHERE email_key = $1";
        let changed = match self.service.control().db() {
            Db::Sqlite { writer, .. } => {
                let query = sqlx::query(sql).bind(admin).execute(writer);
                query.await.unwrap().rows_affected()
            }
            Db::Postgres(pool) => {
                let query = sqlx::query(sql).bind(admin).execute(pool);
                query.await.unwrap().rows_affected()
            }
        };
        assert_eq!(changed, 1, "{admin} is no platform admin");
    }

    /// Gives a tenant a domain, proven or not; `kind` is `host` or `email`.
    pub async fn domain(&self, tenant: &TestTenant, kind: &str, domain: &str, verified: bool) {
        let sql = "INSERT INTO tenant_domains (domain, kind, tenant_id, created_at, verified_at)
                   VALUES ($1, $2, $3, $4, $5)";
        let id: Uuid = tenant.id.parse().unwrap();
        let now = self.clock.now().micros();
        let at = verified.then_some(now);
        match self.service.control().db() {
            Db::Sqlite { writer, .. } => {
                let query = sqlx::query(sql).bind(domain).bind(kind).bind(id);
                query.bind(now).bind(at).execute(writer).await.unwrap();
            }
            Db::Postgres(pool) => {
                let query = sqlx::query(sql).bind(domain).bind(kind).bind(id);
                query.bind(now).bind(at).execute(pool).await.unwrap();
            }
        }
    }

    /// Tries to sign in at a host through the API.
    pub async fn try_sign_in(&self, host: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        let call = self.post("/api/v1/auth/login").host(host).json(&body);
        call.send().await
    }

    /// Signs in at a host through the API with [`PASSWORD`].
    pub async fn sign_in(&self, host: &str, email: &str) -> SignIn {
        let answer = self.try_sign_in(host, email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{email} at {host}: {}", answer.text());
        SignIn::of(answer.json())
    }

    /// Signs a platform admin in through the API; adds one first if there is none.
    pub async fn admin(&self) -> SignIn {
        let there = self.service.list_admins().await.unwrap();
        if there.is_empty() {
            self.platform_admin("root@platform.example").await;
        }
        let base = self.service.settings().base_domain.clone();
        self.sign_in(&base, "root@platform.example").await
    }

    /// Signs in as a browser does, and gives the value of the session's cookie.
    pub async fn cookie(&self, host: &str, email: &str) -> String {
        let hints = Hints {
            host: Some(host.to_owned()),
            ..Hints::default()
        };
        let tenant = self.service.resolve(&hints).await.unwrap();
        let login = Login::Email(email.parse().unwrap());
        let client = Client {
            ip: None,
            user_agent: None,
            kind: SessionKind::Browser,
        };
        let signed = self.service.sign_in(&tenant, &login, PASSWORD, &client);
        match signed.await.unwrap() {
            SignedIn::Yes(signed) => signed.1.token.expose().clone(),
            SignedIn::Choose { .. } => panic!("{email} is in several tenants"),
        }
    }

    /// Ends it in order.
    pub async fn close(self) {
        drop(self.stop);
        self.serving.await.unwrap();
        self.service.close().await;
        if let Some(database) = self.database {
            database.close().await.unwrap();
        }
    }
}

/// The hash of [`PASSWORD`], made once for the whole process.
fn password_hash(entropy: &Entropy) -> &'static str {
    static HASH: OnceLock<Arc<str>> = OnceLock::new();
    HASH.get_or_init(|| {
        let password = Password::chosen(PASSWORD, PasswordPolicy::default()).unwrap();
        let mut hasher = Hasher::new(HashParams::default());
        hasher.hash(&password, entropy).unwrap().into()
    })
}
