//! The control database: the registry of tenants, and what proves who somebody is.

mod admins;
mod adopted;
mod ahead;
mod applications;
mod audit;
mod clusters;
mod credentials;
mod databases;
mod directory;
mod domains;
mod idempotency;
mod instance;
mod keys;
mod logos;
mod nodes;
mod one_time;
mod outbox;
mod reconciler;
mod sealed;
mod sessions;
mod tenants;
mod throttle;
mod webhooks;
mod workflows;

use std::path::{Path, PathBuf};

pub use admins::{AdminRecord, Admins};
pub use adopted::{Adoption, Adoptions};
pub use ahead::Ahead;
pub use applications::{ApplicationRecord, Applications};
pub use audit::{Audit, AuditFilter, ListedEntry, Sealed};
pub use clusters::{ClusterRecord, ClusterRecords};
pub use credentials::{Credential, Credentials, NewCredential};
pub use databases::{DatabaseRecord, Databases};
pub use directory::{
    Directory, DirectoryEntry, EntryKind, EntryState, Listed, Placed, Reservation,
};
pub use domains::{DomainRecord, Domains};
pub use idempotency::{Begun, Idempotency, Remembered};
pub use instance::{Instance, InstanceRow, SessionHome};
pub use keys::{Keys, SealedDataKey, SealedSigningKey};
pub use logos::{Logos, StoredLogo};
pub use nodes::{CacheClearing, Nodes};
pub use one_time::{AdminSecrets, StoredSecret};
pub use outbox::{DueMail, Outbox};
pub use reconciler::{LastPass, Reconciler, Recorded};
pub use sealed::{SealedAt, SealedColumn, SealedValue, SealedValues};
pub use sessions::{Sessions, StoredSession};
pub use tenants::{Entry, MinLength, TenantPatch, Tenants};
pub use throttle::{Counted, Throttle};
pub use webhooks::{Delivery, DueDelivery, NewDelivery, WebhookRecord, Webhooks};
pub use workflows::{Claim, Run, Workflows};

use crate::changes::Touched;
use crate::{Changes, Db, StoreError, Tx, files, migrate};

/// Where the control database lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlUrl {
    /// A file, made if it does not exist.
    Sqlite(PathBuf),
    /// A server, by URL. The database must exist.
    Postgres(String),
}

/// Why a text is no control URL.
#[derive(Debug, thiserror::Error)]
#[error("the control database's URL begins with sqlite: or postgres://")]
pub struct ControlUrlError;

impl std::str::FromStr for ControlUrl {
    type Err = ControlUrlError;

    fn from_str(text: &str) -> Result<Self, ControlUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").ok_or(ControlUrlError)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            Err(ControlUrlError)
        } else {
            Ok(Self::Sqlite(PathBuf::from(path)))
        }
    }
}

/// The control database.
#[derive(Clone)]
pub struct Control {
    db: Db,
    changes: Changes,
}

/// A transaction in the control database, or a connection that only reads.
pub struct ControlTx {
    tx: Tx,
    touched: Touched,
}

impl Control {
    /// Opens the control database, makes the file if there is none, and brings its schema up to
    /// date.
    pub async fn open(url: &ControlUrl) -> Result<Self, StoreError> {
        let db = match url {
            ControlUrl::Sqlite(path) => {
                files::create_private(path)?;
                Db::sqlite(path, 4)
            }
            ControlUrl::Postgres(url) => Db::postgres(url, 16)?,
        };
        migrate::control(&db).await?;
        Ok(Self::over(db))
    }

    /// The control database over connections that are there already.
    pub fn over(db: Db) -> Self {
        Self {
            db,
            changes: Changes::default(),
        }
    }

    /// What is changed here, told to whoever keeps something of it.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::control(&self.db).await
    }

    /// A transaction that may write.
    pub async fn begin(&self) -> Result<ControlTx, StoreError> {
        Ok(ControlTx {
            tx: self.db.begin().await?,
            touched: Touched::to(self.changes.clone()),
        })
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<ControlTx, StoreError> {
        Ok(ControlTx {
            tx: self.db.read().await?,
            touched: Touched::default(),
        })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// The plain database, for tests that compare schemas.
    pub const fn db(&self) -> &Db {
        &self.db
    }
}

/// Whether the file system under `path` is one that SQLite must not be used on.
pub fn is_network_file_system(path: &Path) -> bool {
    files::is_network_file_system(path)
}

/// A part of the registry; what requests are judged by is told when it changes.
macro_rules! accessors {
    ($($(#[$meta:meta])* $name:ident -> $view:ident $(($touched:ident))?;)+) => {
        impl ControlTx {
            $($(#[$meta])* pub fn $name(&mut self) -> $view<'_> {
                $view(self.tx.conn() $(, &mut self.$touched)?)
            })+

            /// Makes it happen, all or nothing.
            pub async fn commit(self) -> Result<(), StoreError> {
                self.tx.commit().await
            }
        }
    };
}

accessors! {
    /// Platform admins.
    admins -> Admins(touched);
    /// Databases that were there before their tenant.
    adopted -> Adoptions;
    /// Dates that a clock wrote while it was ahead.
    ahead -> Ahead;
    /// Applications for a tenant.
    applications -> Applications;
    /// Who did what.
    audit -> Audit;
    /// Servers that tenants are placed on.
    clusters -> ClusterRecords;
    /// The roles that sign in to tenant databases, and their secrets.
    credentials -> Credentials;
    /// Records of tenant databases.
    databases -> Databases;
    /// Who has an address where.
    directory -> Directory(touched);
    /// Domains of tenants' own.
    domains -> Domains(touched);
    /// Creates asked for with an `Idempotency-Key`.
    idempotency -> Idempotency;
    /// What is true of the whole installation.
    instance -> Instance;
    /// Data keys and signing keys, sealed.
    keys -> Keys;
    /// Tenants' logos.
    logos -> Logos;
    /// Processes that serve.
    nodes -> Nodes;
    /// One-time secrets of platform admins and of choosing a tenant.
    one_time -> AdminSecrets;
    /// Mail to send.
    outbox -> Outbox;
    /// What the reconciler found last, and whose turn it is.
    reconciler -> Reconciler;
    /// Sealed values, wherever they lie.
    sealed -> SealedValues;
    /// Sessions.
    sessions -> Sessions(touched);
    /// Tenants.
    tenants -> Tenants(touched);
    /// Wrong tries.
    throttle -> Throttle;
    /// Receivers of notices, and what each is still to be told.
    webhooks -> Webhooks;
    /// Durable workflows.
    workflows -> Workflows;
}
