//! SQLite files: their names, how one comes to be, and how it goes.
//!
//! A tenant's file is complete the moment it has its name: it is built under a temporary one,
//! synchronised, renamed, and the folder synchronised. A name holds tenant and generation and is
//! never used again, so a handle that is still open somewhere never meets another file.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::Connection as _;
use tenantry_core::{Generation, TenantId, Timestamp};
use tokio::sync::OnceCell;

use crate::db::{reading_options, sqlite_options};
use crate::tenant::{Stamp, TENANT_SCHEMA};
use crate::{Db, StoreError, TenantTx, migrate};

const SUFFIX: &str = ".db";
const TEMPORARY: &str = ".tmp";

/// The folder with one file for each tenant.
#[derive(Debug)]
pub struct TenantFiles {
    dir: PathBuf,
    /// A file with the schema and nobody in it, as bytes; made once, so that making a tenant's
    /// costs a copy and not a run of every migration.
    template: OnceCell<Vec<u8>>,
}

/// A file in the folder, by what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// The file's name.
    pub name: String,
    /// Whose it says it is; `None` for a name that is none of ours.
    pub owner: Option<(TenantId, Generation)>,
    /// Whether it is the rest of an interrupted creation.
    pub temporary: bool,
}

/// The name of a tenant's file, and of its database on a server.
pub fn database_name(tenant: TenantId, generation: Generation) -> String {
    format!("t_{}-g{generation}", tenant.short())
}

/// Makes the folder, for this user only.
pub(crate) fn create_private_dir(dir: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(StoreError::io("making the data folder"))
}

/// Makes an empty file, for this user only, unless it exists.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        create_private_dir(parent)?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(StoreError::io("opening the database file"))
}

/// Whether SQLite's locks can't be trusted under `path`. Looks at the mount table; where there is
/// none (not Linux), nothing is known and the answer is no.
pub(crate) fn is_network_file_system(path: &Path) -> bool {
    const NETWORK: &[&str] = &[
        "9p",
        "afs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "glusterfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    ];
    let Ok(mounts) = fs::read_to_string("/proc/self/mounts") else {
        return false;
    };
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(mount, _)| path.starts_with(mount))
        .max_by_key(|(mount, _)| mount.len())
        .is_some_and(|(_, kind)| NETWORK.contains(&kind))
}

/// Removes what processes that died left of their templates. Nothing depends on it.
fn remove_abandoned_templates(dir: &Path) {
    let (Some(parent), Some(stem)) = (dir.parent(), dir.file_name()) else {
        return;
    };
    let prefix = format!("{}.template-", stem.to_string_lossy());
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name
            .strip_prefix(&prefix)
            .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another process may be removing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("synchronising the data folder"))
}

fn remove_if_there(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("removing a database file")(error)),
    }
}

/// Removes a database file with its log and its shared memory.
fn remove_database(path: &Path) -> Result<bool, StoreError> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let removed = remove_if_there(path)?;
    remove_if_there(&beside("-wal"))?;
    remove_if_there(&beside("-shm"))?;
    Ok(removed)
}

/// Opens a file alone, empties its log into it and closes it, so that the file is all there is.
async fn settle(path: &Path) -> Result<(), StoreError> {
    let mut conn = sqlx::SqliteConnection::connect_with(&sqlite_options(path)).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut conn)
        .await?;
    conn.close().await?;
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(StoreError::io("synchronising a database file"))
}

/// The error for a file that says it is another one.
fn foreign(tenant: TenantId, generation: Generation, found: Option<Stamp>) -> StoreError {
    StoreError::Stamp {
        expected: format!("tenant {tenant} generation {generation}"),
        found: found.map_or_else(|| "no stamp".to_owned(), |stamp| stamp.to_string()),
    }
}

impl TenantFiles {
    /// The files in `dir`, which is made if it does not exist.
    pub fn new(dir: PathBuf) -> Result<Self, StoreError> {
        create_private_dir(&dir)?;
        remove_abandoned_templates(&dir);
        Ok(Self {
            dir,
            template: OnceCell::new(),
        })
    }

    /// Where the file of a tenant's generation lies.
    pub fn path(&self, tenant: TenantId, generation: Generation) -> PathBuf {
        self.dir
            .join(format!("{}{SUFFIX}", database_name(tenant, generation)))
    }

    /// Whether the file of a tenant's generation is there.
    pub fn exists(&self, tenant: TenantId, generation: Generation) -> bool {
        self.path(tenant, generation).exists()
    }

    fn temporary(&self, tenant: TenantId, generation: Generation) -> PathBuf {
        self.dir
            .join(format!("{}{TEMPORARY}", database_name(tenant, generation)))
    }

    async fn template(&self) -> Result<&[u8], StoreError> {
        let bytes = self
            .template
            .get_or_try_init(|| async {
                // Not in the folder of the tenants, and with a name of this making alone.
                static MADE: AtomicU64 = AtomicU64::new(0);
                let mut dir = self.dir.clone().into_os_string();
                let number = MADE.fetch_add(1, Ordering::Relaxed);
                dir.push(format!(".template-{}-{number}", std::process::id()));
                let dir = PathBuf::from(dir);
                create_private_dir(&dir)?;
                let path = dir.join("template.db");
                remove_database(&path)?;
                create_private(&path)?;
                let db = Db::sqlite(&path, 1);
                let migrated = migrate::tenant(&db).await;
                db.close().await;
                migrated?;
                settle(&path).await?;
                let bytes = fs::read(&path).map_err(StoreError::io("reading the template"))?;
                fs::remove_dir_all(&dir).map_err(StoreError::io("removing the template"))?;
                Ok::<_, StoreError>(bytes)
            })
            .await?;
        Ok(bytes)
    }

    /// Makes the file of a tenant's generation, with schema and stamp. Harmless when it is there.
    pub async fn create(
        &self,
        tenant: TenantId,
        generation: Generation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.exists(tenant, generation) {
            return self.expect_stamp(tenant, generation).await;
        }
        let temporary = self.temporary(tenant, generation);
        remove_database(&temporary)?;
        let template = self.template().await?;
        create_private(&temporary)?;
        OpenOptions::new()
            .write(true)
            .open(&temporary)
            .and_then(|mut file| file.write_all(template))
            .map_err(StoreError::io("writing a database file"))?;
        self.finish(&temporary, tenant, generation, now).await
    }

    /// Makes the file of a tenant's generation from that of an earlier one, with everybody in it.
    pub async fn carry_over(
        &self,
        tenant: TenantId,
        from: Generation,
        to: Generation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.exists(tenant, to) {
            return self.expect_stamp(tenant, to).await;
        }
        self.expect_stamp(tenant, from).await?;
        let source = self.path(tenant, from);
        let temporary = self.temporary(tenant, to);
        remove_database(&temporary)?;
        let mut conn = sqlx::SqliteConnection::connect_with(&sqlite_options(&source)).await?;
        // VACUUM INTO takes a consistent copy whatever the log holds; a copied file might not be.
        sqlx::query("VACUUM INTO $1")
            .bind(temporary.to_string_lossy().into_owned())
            .execute(&mut conn)
            .await?;
        conn.close().await?;
        fs::set_permissions(
            &temporary,
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .map_err(StoreError::io("protecting a database file"))?;
        self.finish(&temporary, tenant, to, now).await
    }

    /// Stamps a temporary file and gives it its name.
    async fn finish(
        &self,
        temporary: &Path,
        tenant: TenantId,
        generation: Generation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let db = Db::sqlite(temporary, 1);
        let stamped = async {
            migrate::tenant(&db).await?;
            let mut tx = TenantTx::unleased(db.begin().await?, tenant, generation);
            if !tx.stamps().set(TENANT_SCHEMA, now).await? {
                let found = tx.stamps().find().await?;
                return Err(foreign(tenant, generation, found));
            }
            tx.commit().await
        }
        .await;
        db.close().await;
        stamped?;
        settle(temporary).await?;
        fs::rename(temporary, self.path(tenant, generation))
            .map_err(StoreError::io("naming a database file"))?;
        sync_dir(&self.dir)
    }

    fn expect_there(&self, tenant: TenantId, generation: Generation) -> Result<(), StoreError> {
        if self.exists(tenant, generation) {
            Ok(())
        } else {
            Err(StoreError::DatabaseMissing)
        }
    }

    async fn expect_stamp(
        &self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<(), StoreError> {
        let stamp = self.stamp(tenant, generation).await?;
        match stamp {
            Some(stamp) if stamp.tenant == tenant && stamp.generation == generation => Ok(()),
            found => Err(foreign(tenant, generation, found)),
        }
    }

    /// The stamp of a tenant's file, read directly.
    pub async fn stamp(
        &self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<Option<Stamp>, StoreError> {
        self.expect_there(tenant, generation)?;
        let db = Db::sqlite(&self.path(tenant, generation), 1);
        let stamp = async {
            let mut tx = TenantTx::unleased(db.read().await?, tenant, generation);
            tx.stamps().find().await
        }
        .await;
        db.close().await;
        stamp
    }

    /// Whether a tenant's file can be read and holds our tables.
    pub async fn has_schema(
        &self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<bool, StoreError> {
        self.expect_there(tenant, generation)?;
        let path = self.path(tenant, generation);
        let mut conn =
            sqlx::SqliteConnection::connect_with(&reading_options(&path).read_only(true)).await?;
        let found = sqlx::query("SELECT name FROM sqlite_schema WHERE name = 'tenantry_stamp'")
            .fetch_optional(&mut conn)
            .await?;
        conn.close().await?;
        Ok(found.is_some())
    }

    /// Removes the file of a tenant's generation and whatever is left of making it; whether there
    /// was one. Nobody may have it open: see [`TenantPools::close`](crate::TenantPools::close).
    pub fn remove(&self, tenant: TenantId, generation: Generation) -> Result<bool, StoreError> {
        remove_database(&self.temporary(tenant, generation))?;
        let removed = remove_database(&self.path(tenant, generation))?;
        sync_dir(&self.dir)?;
        Ok(removed)
    }

    /// Removes a file by its name in the folder, which must be one that [`list`](Self::list) gave.
    pub fn remove_named(&self, file: &FoundFile) -> Result<bool, StoreError> {
        if file.name.contains(['/', '\\']) {
            return Ok(false);
        }
        let removed = remove_database(&self.dir.join(&file.name))?;
        sync_dir(&self.dir)?;
        Ok(removed)
    }

    /// What lies in the folder.
    pub fn list(&self) -> Result<Vec<FoundFile>, StoreError> {
        let reading = || StoreError::io("reading the data folder");
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(reading())? {
            let name = entry
                .map_err(reading())?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if name.ends_with("-wal") || name.ends_with("-shm") {
                continue;
            }
            found.push(FoundFile {
                owner: parse_name(&name),
                temporary: name.ends_with(TEMPORARY),
                name,
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

fn parse_name(name: &str) -> Option<(TenantId, Generation)> {
    let stem = name
        .strip_suffix(SUFFIX)
        .or_else(|| name.strip_suffix(TEMPORARY))?;
    let (short, generation) = stem.strip_prefix("t_")?.split_once("-g")?;
    Some((
        TenantId::from_short(short)?,
        Generation::new(generation.parse().ok()?)?,
    ))
}
