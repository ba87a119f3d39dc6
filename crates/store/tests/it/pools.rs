//! Open tenant databases: the right one or none, and never more than the bound.

mod bounds;
mod identity;
mod written_over;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, UserId};
use tenantry_store::files::TenantFiles;
use tenantry_store::tenant::{Added, NewUser};
use tenantry_store::{Origin, PoolBounds, StoreError, TenantCtx, TenantPools, TenantTx};

use crate::conformance::{email, person};
use crate::support::{Bench, Dialect};

const FIRST: Generation = Generation::FIRST;

/// A registry with tenants and the pools over their files.
struct House {
    bench: Bench,
    pools: TenantPools,
}

impl House {
    async fn with(open: usize, readers: u32) -> Self {
        let bench = Bench::open(Dialect::Sqlite).await;
        let files = TenantFiles::new(bench.folder().join("tenants")).unwrap();
        let bounds = PoolBounds {
            open: NonZeroUsize::new(open).unwrap(),
            readers,
            idle: Duration::from_mins(1),
            wait: Duration::from_millis(50),
            ..PoolBounds::default()
        };
        let pools = TenantPools::new(files, bounds, bench.time.clock());
        Self { bench, pools }
    }

    /// A tenant in use, with its file, and the right to work in it.
    async fn tenant(&self, slug: &str) -> TenantCtx {
        let tenant = self.bench.active_tenant(slug).await;
        let files = self.pools.files();
        files
            .create(tenant.id, FIRST, self.bench.now())
            .await
            .unwrap();
        self.enter(&tenant).await
    }

    async fn enter(&self, tenant: &Tenant) -> TenantCtx {
        use tenantry_store::control::Entry;
        let hint = tenantry_store::Hint::Id(tenant.id);
        match look!(self.bench, tenants().enter(&hint, Origin::Host)) {
            Some(Entry::Open(ctx)) => ctx,
            other => panic!("{} is not open: {other:?}", tenant.slug),
        }
    }

    fn path(&self, ctx: &TenantCtx) -> PathBuf {
        self.pools.files().path(ctx.id(), ctx.generation())
    }

    async fn add_person(&self, ctx: &TenantCtx, address: &str) -> Result<UserId, StoreError> {
        let mut tx = self.pools.begin(ctx).await?;
        let id = add_person(&self.bench, &mut tx, address).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn people(&self, ctx: &TenantCtx) -> Result<Vec<UserId>, StoreError> {
        let mut tx = self.pools.read(ctx).await?;
        let users = tx.users().list(None, 100).await?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }
}

async fn add_person(bench: &Bench, tx: &mut TenantTx, address: &str) -> Result<UserId, StoreError> {
    let address = email(address);
    let new: NewUser<'_> = person(bench, &address);
    assert_eq!(tx.users().add(&new).await?, Added::Yes);
    Ok(new.id)
}
