//! Open tenant databases, whatever the number of tenants: files under one bound, connections to
//! servers under another.
//!
//! An idle tenant has no thread, no timer and no handle. Each database is checked against its stamp
//! before anything is read from it.

mod files;
mod servers;

use std::num::NonZeroUsize;
use std::time::Duration;

use tenantry_core::tenant::Isolation;
use tenantry_core::{Clock, Generation, TenantId};

pub(crate) use files::Lease;
pub use servers::Borrowed;

use crate::clusters::Clusters;
use crate::files::TenantFiles;
use crate::homes::{FileHome, Home, ServerHome};
use crate::tenant::{Stamp, TENANT_SCHEMA};
use crate::{Changes, StoreError, TenantCtx, TenantTx};
use files::FilePools;
use servers::Servers;

/// How many tenant databases may be open.
#[derive(Debug, Clone, Copy)]
pub struct PoolBounds {
    /// Files open at once. Each takes up to `3 * (1 + readers)` file descriptors: a SQLite
    /// connection in WAL mode holds the file, its log and its shared memory.
    pub open: NonZeroUsize,
    /// Readers of each file.
    pub readers: u32,
    /// Connections to tenant databases on servers, in all.
    pub connections: NonZeroUsize,
    /// Connections to tenant databases on one server.
    pub per_cluster: NonZeroUsize,
    /// Connections of one tenant, so that its storm leaves room for the others.
    pub per_tenant: NonZeroUsize,
    /// After how long without use a file or connection is closed.
    pub idle: Duration,
    /// How long to wait for a place before the caller is told that the service is busy.
    pub wait: Duration,
}

impl Default for PoolBounds {
    fn default() -> Self {
        let at_most = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            open: at_most(256),
            readers: 1,
            connections: at_most(64),
            // With the admin's four, and a few that the server has yet to end after we closed them
            // (up to three were seen under load), at most forty are seen there.
            per_cluster: at_most(32),
            per_tenant: at_most(4),
            idle: Duration::from_mins(1),
            wait: Duration::from_secs(5),
        }
    }
}

/// What a transaction may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// One generation of one tenant.
type Key = (TenantId, Generation);

/// The open tenant databases.
pub struct TenantPools {
    files: FilePools,
    servers: Option<Servers>,
    changes: Changes,
}

impl TenantPools {
    /// Tenant databases in these files, and nowhere else.
    pub fn new(files: TenantFiles, bounds: PoolBounds, clock: Clock) -> Self {
        Self {
            files: FilePools::new(files, bounds, clock),
            servers: None,
            changes: Changes::default(),
        }
    }

    /// Tenant databases in these files and on these servers. What is changed about their people is
    /// told to `changes`.
    pub fn with_clusters(
        files: TenantFiles,
        clusters: Clusters,
        bounds: PoolBounds,
        clock: Clock,
        changes: Changes,
    ) -> Self {
        Self {
            files: FilePools::new(files, bounds, clock.clone()),
            servers: Some(Servers::new(clusters, bounds, clock)),
            changes,
        }
    }

    /// The files below.
    pub const fn files(&self) -> &TenantFiles {
        self.files.files()
    }

    /// The servers below, where there may be any.
    pub fn clusters(&self) -> Option<&Clusters> {
        self.servers.as_ref().map(Servers::clusters)
    }

    /// A transaction in the tenant's database that may write.
    pub async fn begin(&self, ctx: &TenantCtx) -> Result<TenantTx, StoreError> {
        let tx = self.enter(ctx, Access::Write).await?;
        Ok(tx.telling(&self.changes))
    }

    /// A transaction in the tenant's database that only reads.
    pub async fn read(&self, ctx: &TenantCtx) -> Result<TenantTx, StoreError> {
        self.enter(ctx, Access::Read).await
    }

    async fn enter(&self, ctx: &TenantCtx, access: Access) -> Result<TenantTx, StoreError> {
        if let Some(servers) = &self.servers
            && let Some(place) = servers.clusters().place(ctx).await?
        {
            return servers.begin(place, access).await;
        }
        self.files.begin((ctx.id(), ctx.generation()), access).await
    }

    /// Where a generation of a tenant lies, for workflows and checks.
    pub async fn home(
        &self,
        tenant: TenantId,
        generation: Generation,
        isolation: Isolation,
    ) -> Result<Home<'_>, StoreError> {
        if let Some(clusters) = self.clusters()
            && let Some(place) = clusters.locate(tenant, generation, isolation).await?
        {
            return Ok(Home::Server(ServerHome::open(clusters, place).await?));
        }
        Ok(Home::File(FileHome {
            files: self.files(),
            tenant,
            generation,
        }))
    }

    /// Files open now.
    pub fn open_count(&self) -> usize {
        self.files.open_count()
    }

    /// Connections to servers open now, in use or not.
    pub fn connection_count(&self) -> usize {
        self.servers.as_ref().map_or(0, Servers::open_count)
    }

    /// Closes one generation's database: a file's transactions are waited for; connections to a
    /// server are closed as they are given back.
    pub async fn close(&self, tenant: TenantId, generation: Generation) {
        self.files.close((tenant, generation)).await;
        if let Some(servers) = &self.servers {
            servers.close((tenant, generation)).await;
        }
    }

    /// Closes what has not been used for a while; to be called now and then.
    pub async fn close_idle(&self) -> usize {
        let files = self.files.close_idle().await;
        match &self.servers {
            Some(servers) => files + servers.close_idle().await,
            None => files,
        }
    }

    /// Closes everything.
    pub async fn close_all(&self) {
        self.files.close_all().await;
        if let Some(servers) = &self.servers {
            servers.close_all().await;
        }
    }
}

/// The stamp of a database that is this generation's and no newer than this program knows.
fn check_stamp(key: Key, found: Option<Stamp>) -> Result<Stamp, StoreError> {
    let wrong = |found: String| StoreError::Stamp {
        expected: format!(
            "tenant {} generation {} schema {TENANT_SCHEMA}",
            key.0, key.1
        ),
        found,
    };
    let stamp = found.ok_or_else(|| wrong("no stamp".to_owned()))?;
    if (stamp.tenant, stamp.generation) != key || stamp.schema_version > TENANT_SCHEMA {
        return Err(wrong(stamp.to_string()));
    }
    Ok(stamp)
}
