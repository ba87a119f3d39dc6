//! Tenants' files: complete the moment they have their name, for this user only, and never
//! another's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::Connection as _;
use tempfile::TempDir;
use tenantry_core::{Generation, TenantId, Timestamp, UserId};
use tenantry_store::control::is_network_file_system;
use tenantry_store::files::{FoundFile, TenantFiles, database_name};
use tenantry_store::tenant::{Added, Direct, NewUser, Stamp, TENANT_SCHEMA};
use tenantry_store::{Db, StoreError};
use uuid::Uuid;

use crate::conformance::email;
use crate::support::{number, script};

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const FIRST: Generation = Generation::FIRST;

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(
        0x0199_0000_0000_7000_8000_0000_0000_0000 + number,
    ))
}

struct Folder {
    files: TenantFiles,
    parent: TempDir,
}

impl Folder {
    fn fresh() -> Self {
        let parent = TempDir::new().unwrap();
        let files = TenantFiles::new(parent.path().join("tenants")).unwrap();
        Self { files, parent }
    }

    fn dir(&self) -> PathBuf {
        self.parent.path().join("tenants")
    }

    /// The names of what lies in the folder.
    fn names(&self) -> Vec<String> {
        names(&self.dir())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_file_is_all_there_is() {
    let folder = Folder::fresh();
    assert!(!folder.files.exists(tenant(1), FIRST));
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    let name = format!("{}.db", database_name(tenant(1), FIRST));
    assert_eq!(
        folder.names(),
        [name],
        "neither a temporary file nor a log is left"
    );
    assert_eq!(
        names(folder.parent.path()),
        ["tenants"],
        "nor a template beside it"
    );
    let path = folder.files.path(tenant(1), FIRST);
    assert_eq!((mode(&path), mode(&folder.dir())), (0o600, 0o700));
    let stamp = folder.files.stamp(tenant(1), FIRST).await.unwrap();
    let wanted = Stamp {
        tenant: tenant(1),
        generation: FIRST,
        schema_version: TENANT_SCHEMA,
    };
    assert_eq!(stamp, Some(wanted));
    assert!(folder.files.has_schema(tenant(1), FIRST).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_hold_tenant_and_generation() {
    let folder = Folder::fresh();
    let second = FIRST.next();
    for (tenant, generation) in [(tenant(1), FIRST), (tenant(1), second), (tenant(2), FIRST)] {
        folder.files.create(tenant, generation, NOW).await.unwrap();
    }
    fs::write(folder.dir().join("t_rest-g1.tmp"), "").unwrap();
    fs::write(folder.dir().join("notes.txt"), "").unwrap();
    let rest = format!("{}.tmp", database_name(tenant(3), FIRST));
    fs::write(folder.dir().join(&rest), "").unwrap();
    fs::write(folder.dir().join(format!("{rest}-wal")), "").unwrap();
    let found = folder.files.list().unwrap();
    let file = |name: String, owner, temporary| FoundFile {
        name,
        owner,
        temporary,
    };
    let of = |tenant, generation| format!("{}.db", database_name(tenant, generation));
    assert_eq!(
        found,
        [
            file("notes.txt".to_owned(), None, false),
            file(of(tenant(1), FIRST), Some((tenant(1), FIRST)), false),
            file(of(tenant(1), second), Some((tenant(1), second)), false),
            file(of(tenant(2), FIRST), Some((tenant(2), FIRST)), false),
            file(rest, Some((tenant(3), FIRST)), true),
            file("t_rest-g1.tmp".to_owned(), None, true),
        ]
    );
    assert!(folder.files.remove_named(&found[4]).unwrap());
    assert!(!folder.files.remove_named(&found[4]).unwrap());
    let outside = file("../tenants/notes.txt".to_owned(), None, false);
    assert!(!folder.files.remove_named(&outside).unwrap());
    assert_eq!(folder.files.list().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_crash_is_replaced() {
    let folder = Folder::fresh();
    folder.files.create(tenant(2), FIRST, NOW).await.unwrap();
    // A file that got further than ours, with a log that SQLite would take for the file's own.
    let other = folder.parent.path().join("other.db");
    fs::copy(folder.files.path(tenant(2), FIRST), &other).unwrap();
    let db = Db::sqlite(&other, 1);
    script(
        &db,
        "CREATE TABLE rest (a); INSERT INTO rest VALUES (zeroblob(500000))",
    )
    .await
    .unwrap();
    let rest = folder
        .dir()
        .join(format!("{}.tmp", database_name(tenant(1), FIRST)));
    for (suffix, beside) in [("db", "tmp"), ("db-wal", "tmp-wal"), ("db-shm", "tmp-shm")] {
        fs::copy(other.with_extension(suffix), rest.with_extension(beside)).unwrap();
    }
    db.close().await;
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
    let stamp = folder.files.stamp(tenant(1), FIRST).await.unwrap().unwrap();
    assert_eq!(stamp.tenant, tenant(1));
    let size = |tenant| {
        fs::metadata(folder.files.path(tenant, FIRST))
            .unwrap()
            .len()
    };
    assert_eq!(size(tenant(1)), size(tenant(2)));
    let made = Db::sqlite(&folder.files.path(tenant(1), FIRST), 1);
    let found = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'rest'";
    assert_eq!(number(&made, found).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_kept() {
    let folder = Folder::fresh();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    add_person(&folder.files, tenant(1), FIRST).await;
    let path = folder.files.path(tenant(1), FIRST);
    let before = fs::read(&path).unwrap();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_foreign_stamp_is_an_error_and_untouched() {
    let folder = Folder::fresh();
    folder.files.create(tenant(2), FIRST, NOW).await.unwrap();
    let path = folder.files.path(tenant(1), FIRST);
    fs::rename(folder.files.path(tenant(2), FIRST), &path).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = folder
        .files
        .create(tenant(1), FIRST, NOW)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, StoreError::Stamp { found, .. } if found.contains(&tenant(2).to_string()))
    );
    let next = FIRST.next();
    let refused = folder
        .files
        .carry_over(tenant(1), FIRST, next, NOW)
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Stamp { .. }), "{refused:?}");
    assert!(
        !folder.files.exists(tenant(1), next),
        "another's people are not carried over"
    );
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_sense_is_an_error_and_untouched() {
    let folder = Folder::fresh();
    let path = folder.files.path(tenant(1), FIRST);
    fs::write(&path, vec![7; 8192]).unwrap();
    assert!(folder.files.create(tenant(1), FIRST, NOW).await.is_err());
    assert!(folder.files.has_schema(tenant(1), FIRST).await.is_err());
    assert!(
        fs::read(&path).unwrap() == vec![7; 8192],
        "the file was changed"
    );
    let plain = folder.parent.path().join("plain.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&plain)
        .create_if_missing(true);
    let mut conn = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (a)")
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    let before = fs::read(&plain).unwrap();
    fs::rename(&plain, &path).unwrap();
    assert!(!folder.files.has_schema(tenant(1), FIRST).await.unwrap());
    assert!(folder.files.create(tenant(1), FIRST, NOW).await.is_err());
    assert!(
        fs::read(&path).unwrap() == before,
        "an application's file was changed"
    );
    fs::write(&path, "").unwrap();
    assert!(!folder.files.has_schema(tenant(1), FIRST).await.unwrap());
    assert!(folder.files.create(tenant(1), FIRST, NOW).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_has_no_stamp() {
    let folder = Folder::fresh();
    let missing = folder.files.stamp(tenant(1), FIRST).await.unwrap_err();
    assert!(
        matches!(missing, StoreError::DatabaseMissing),
        "{missing:?}"
    );
    let missing = folder.files.has_schema(tenant(1), FIRST).await.unwrap_err();
    assert!(
        matches!(missing, StoreError::DatabaseMissing),
        "{missing:?}"
    );
    assert_eq!(
        folder.names(),
        Vec::<String>::new(),
        "looking makes nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_for_a_file_is_in_force() {
    let folder = Folder::fresh();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    let path = folder.files.path(tenant(1), FIRST);
    let Db::Sqlite { writer, readers } = Db::sqlite(&path, 1) else {
        unreachable!("it is a file")
    };
    for pool in [&writer, &readers] {
        let number = async |pragma: &str| -> i64 {
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
            sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
        };
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(journal, "wal");
        // https://www.sqlite.org/pragma.html: 2 is FULL.
        assert_eq!(number("synchronous").await, 2);
        assert_eq!(number("foreign_keys").await, 1);
        assert_eq!(number("busy_timeout").await, 5_000);
        assert_eq!(number("trusted_schema").await, 0);
        assert_eq!(number("mmap_size").await, 0);
    }
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&writer)
        .await
        .unwrap();
    let version: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(
        version >= vec![3, 51, 3],
        "{version:?}: earlier ones have a race in the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_can_not_write() {
    let folder = Folder::fresh();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    let db = Db::sqlite(&folder.files.path(tenant(1), FIRST), 1);
    let Db::Sqlite { readers, .. } = &db else {
        unreachable!("it is a file")
    };
    for sql in [
        "DELETE FROM tenantry_stamp",
        "CREATE TABLE a (b)",
        "PRAGMA user_version = 7",
    ] {
        assert!(sqlx::raw_sql(sql).execute(readers).await.is_err(), "{sql}");
    }
    assert_eq!(number(&db, "SELECT COUNT(*) FROM tenantry_stamp").await, 1);
}

async fn add_person(files: &TenantFiles, tenant: TenantId, generation: Generation) {
    let db = Db::sqlite(&files.path(tenant, generation), 1);
    let direct = Direct::migrate(db.clone(), tenant, generation)
        .await
        .unwrap();
    let address = email("ada@example.com");
    let ada = NewUser {
        id: UserId::from_uuid(Uuid::from_u128(7)),
        email: &address,
        username: None,
        full_name: None,
        role: tenantry_core::Role::Owner,
        password_hash: Some("$1"),
        must_change_password: false,
        created_at: NOW,
    };
    assert_eq!(apply!(direct, users().add(&ada)), Added::Yes);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_carried_over_and_the_stamp_is_raised() {
    let folder = Folder::fresh();
    let (files, next) = (&folder.files, FIRST.next());
    files.create(tenant(1), FIRST, NOW).await.unwrap();
    add_person(files, tenant(1), FIRST).await;
    // A log that was not emptied yet: what is only in there must come along too.
    let source = Db::sqlite(&files.path(tenant(1), FIRST), 1);
    script(&source, "UPDATE tenantry_users SET full_name = 'Ada'")
        .await
        .unwrap();
    files.carry_over(tenant(1), FIRST, next, NOW).await.unwrap();
    source.close().await;
    let carried = Db::sqlite(&files.path(tenant(1), next), 1);
    let found = "SELECT COUNT(*) FROM tenantry_users WHERE full_name = 'Ada'";
    assert_eq!(number(&carried, found).await, 1);
    carried.close().await;
    assert_eq!(mode(&files.path(tenant(1), next)), 0o600);
    let stamp = files.stamp(tenant(1), next).await.unwrap().unwrap();
    assert_eq!((stamp.tenant, stamp.generation), (tenant(1), next));
    let stamp = files.stamp(tenant(1), FIRST).await.unwrap().unwrap();
    assert_eq!(stamp.generation, FIRST, "the source is as it was");
    files.carry_over(tenant(1), FIRST, next, NOW).await.unwrap();
    assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
    let missing = files
        .carry_over(tenant(9), FIRST, next, NOW)
        .await
        .unwrap_err();
    assert!(matches!(missing, StoreError::DatabaseMissing));
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_takes_log_and_shared_memory_too() {
    let folder = Folder::fresh();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    let path = folder.files.path(tenant(1), FIRST);
    for suffix in ["db-wal", "db-shm", "tmp", "tmp-wal", "tmp-shm"] {
        fs::write(path.with_extension(suffix), "x").unwrap();
    }
    folder.files.create(tenant(2), FIRST, NOW).await.unwrap();
    assert!(folder.files.remove(tenant(1), FIRST).unwrap());
    assert!(!folder.files.remove(tenant(1), FIRST).unwrap());
    assert_eq!(
        folder.names(),
        [format!("{}.db", database_name(tenant(2), FIRST))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_made_at_once() {
    let folder = Folder::fresh();
    // Two as two parts of a program have them, on one folder.
    let both = [
        Arc::new(TenantFiles::new(folder.dir()).unwrap()),
        Arc::new(TenantFiles::new(folder.dir()).unwrap()),
    ];
    let tasks: Vec<_> = (0..12)
        .map(|number: u8| {
            let files = Arc::clone(&both[usize::from(number % 2)]);
            tokio::spawn(async move { files.create(tenant(number.into()), FIRST, NOW).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for number in 0..12 {
        let stamp = folder
            .files
            .stamp(tenant(number), FIRST)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stamp.tenant, tenant(number));
    }
    assert_eq!(folder.names().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_file_is_sound() {
    let folder = Folder::fresh();
    folder.files.create(tenant(1), FIRST, NOW).await.unwrap();
    let path = folder.files.path(tenant(1), FIRST);
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .read_only(true);
    let mut conn = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let found: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(found, "ok");
}

#[test]
fn a_folder_of_this_machine_is_no_network_folder() {
    let folder = TempDir::new().unwrap();
    assert!(!is_network_file_system(folder.path()));
    assert!(!is_network_file_system(Path::new("/no/such/folder")));
}
