//! A tenant's own database: its people, their one-time secrets and codes, its devices.

mod codes;
mod devices;
mod one_time;
mod registrations;
mod stamp;
mod users;

pub use codes::Codes;
pub use devices::{Device, Devices};
pub use one_time::{SecretOwner, Secrets};
pub use registrations::{Registration, Registrations};
pub use stamp::{Stamp, Stamps};
pub use users::{Added, Change, Changed, NewUser, UserRecord, Users};

use tenantry_core::{Generation, TenantId};

use crate::changes::Touched;
use crate::pools::Lease;
use crate::{Changes, Db, StoreError, Tx};

pub use crate::migrate::TENANT_SCHEMA;

/// A transaction in one tenant's database, or a connection that only reads. Every statement names
/// the tenant it was opened for.
pub struct TenantTx {
    tx: Tx,
    tenant: TenantId,
    generation: Generation,
    touched: Touched,
    /// Keeps the database open for as long as the transaction lives.
    lease: Option<Lease>,
}

impl TenantTx {
    pub(crate) fn leased(tx: Tx, tenant: TenantId, generation: Generation, lease: Lease) -> Self {
        Self {
            tx,
            tenant,
            generation,
            touched: Touched::default(),
            lease: Some(lease),
        }
    }

    /// A transaction in a database that is no tenant's yet, or that is being examined: for
    /// provisioning and checks only.
    pub(crate) fn unleased(tx: Tx, tenant: TenantId, generation: Generation) -> Self {
        Self {
            tx,
            tenant,
            generation,
            touched: Touched::default(),
            lease: None,
        }
    }

    /// Tells `changes` of what is changed about people.
    pub(crate) fn telling(mut self, changes: &Changes) -> Self {
        self.touched = Touched::to(changes.clone());
        self
    }

    /// The tenant's people.
    pub fn users(&mut self) -> Users<'_> {
        Users {
            conn: self.tx.conn(),
            tenant: self.tenant,
            touched: &mut self.touched,
        }
    }

    /// Their one-time secrets.
    pub fn secrets(&mut self) -> Secrets<'_> {
        Secrets {
            conn: self.tx.conn(),
            tenant: self.tenant,
            generation: self.generation,
        }
    }

    /// Their one-time codes.
    pub fn codes(&mut self) -> Codes<'_> {
        Codes {
            conn: self.tx.conn(),
            tenant: self.tenant,
            generation: self.generation,
        }
    }

    /// People who registered and have yet to prove the address.
    pub fn registrations(&mut self) -> Registrations<'_> {
        Registrations {
            conn: self.tx.conn(),
            tenant: self.tenant,
            generation: self.generation,
        }
    }

    /// The devices on which a PIN is enough.
    pub fn devices(&mut self) -> Devices<'_> {
        Devices {
            conn: self.tx.conn(),
            tenant: self.tenant,
            generation: self.generation,
            touched: &mut self.touched,
        }
    }

    /// What the database says about itself.
    pub fn stamps(&mut self) -> Stamps<'_> {
        Stamps {
            conn: self.tx.conn(),
            tenant: self.tenant,
            generation: self.generation,
        }
    }

    /// Makes it happen, all or nothing.
    pub async fn commit(self) -> Result<(), StoreError> {
        let writes = self.tx.writes_file();
        self.tx.commit().await?;
        drop(self.touched);
        match self.lease {
            Some(lease) if writes => lease.committed().await,
            Some(_) | None => {}
        }
        Ok(())
    }
}

/// A tenant's database of either driver, migrated and reached directly: for the suite that runs
/// every statement on both.
pub struct Direct {
    db: Db,
    tenant: TenantId,
    generation: Generation,
}

impl Direct {
    /// Brings `db` to the tenants' schema.
    pub async fn migrate(
        db: Db,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        crate::migrate::tenant(&db).await?;
        Ok(Self {
            db,
            tenant,
            generation,
        })
    }

    /// A transaction that may write.
    pub async fn begin(&self) -> Result<TenantTx, StoreError> {
        Ok(TenantTx::unleased(
            self.db.begin().await?,
            self.tenant,
            self.generation,
        ))
    }
}
