//! Connections to tenant databases on servers.

mod bounds;
mod noticed;

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tenantry_core::credential::Slot;
use tenantry_core::tenant::{Driver, Isolation, Tenant};
use tenantry_core::{Generation, Secret, TenantId};
use tenantry_store::cluster::{
    ClusterBounds, DatabaseName, Login, Placement, RoleKind, generate_password,
};
use tenantry_store::clusters::Clusters;
use tenantry_store::control::{ClusterRecord, DatabaseRecord, Entry, NewCredential};
use tenantry_store::files::TenantFiles;
use tenantry_store::{Hint, Origin, PoolBounds, StoreError, TenantCtx, TenantPools};
use tenantry_testkit::cluster::{TestCluster, number};
use tenantry_testkit::seeded_entropy;
use uuid::Uuid;

use crate::support::{Bench, Dialect, record};

/// The generation of every tenant here.
const FIRST: Generation = Generation::FIRST;

/// A registry, a server, and pools of two nodes over them.
struct Yard {
    bench: Bench,
    pools: TenantPools,
    seed: u64,
    _cluster: TestCluster,
}

/// Bounds that are soon reached.
fn narrow(connections: usize, per_tenant: usize) -> PoolBounds {
    let at_most = |number| NonZeroUsize::new(number).unwrap();
    PoolBounds {
        connections: at_most(connections),
        per_cluster: at_most(connections),
        per_tenant: at_most(per_tenant),
        ..PoolBounds::default()
    }
}

impl Yard {
    async fn with(bounds: PoolBounds) -> Self {
        let bench = Bench::open(Dialect::Sqlite).await;
        let cluster = TestCluster::start().await.unwrap();
        // Names on a server come from ids, and other tests are on it too.
        let seed = RandomState::new().hash_one(cluster.admin());
        let mut tx = bench.begin().await.unwrap();
        let record = ClusterRecord {
            name: "east".to_owned(),
            // Sealing is the services' matter; here a secret is its own seal.
            sealed_url: cluster.url().as_bytes().to_vec(),
            host: "127.0.0.1".to_owned(),
            port: 5432,
            accepts: true,
            capacity: None,
            sealed_shared: None,
            created_at: bench.now(),
            tenants: 0,
        };
        assert!(tx.clusters().add(&record).await.unwrap());
        tx.commit().await.unwrap();
        let files = TenantFiles::new(bench.folder().join("tenants")).unwrap();
        let clusters = Clusters::new(
            bench.control.clone(),
            Uuid::from_u64_pair(seed, 0),
            ClusterBounds::default(),
            seeded_entropy(7),
            Arc::new(|sealed, _| {
                let text = String::from_utf8(sealed.to_vec());
                Box::pin(std::future::ready(text.ok().map(Secret::new)))
            }),
        );
        let pools = TenantPools::with_clusters(
            files,
            clusters,
            bounds,
            bench.time.clock(),
            tenantry_store::Changes::default(),
        );
        Self {
            bench,
            pools,
            seed,
            _cluster: cluster,
        }
    }

    /// A tenant in use, and the right to work in it.
    async fn tenant(&self, slug: &str) -> TenantCtx {
        let mut tx = self.bench.begin().await.unwrap();
        let number = tx.tenants().next_number().await.unwrap();
        let id = Uuid::from_u64_pair(self.seed, u64::try_from(number).unwrap());
        let tenant = Tenant {
            id: TenantId::from_uuid(id),
            ..self.bench.draft(slug, number)
        };
        assert!(tx.tenants().add(&tenant).await.unwrap());
        let placement = Placement::new(tenant.id, FIRST, tenant.isolation);
        let record = DatabaseRecord {
            driver: Driver::Postgres,
            cluster: "east".to_owned(),
            name: DatabaseName::own(placement).as_str().to_owned(),
            ..record(&tenant, FIRST)
        };
        tx.databases().add(&record, self.bench.now()).await.unwrap();
        let password = generate_password(&seeded_entropy(u64::try_from(number).unwrap()));
        let role = placement.role(RoleKind::Login(Login::Service));
        let credential = NewCredential {
            tenant: tenant.id,
            generation: FIRST,
            serial: 1,
            slot: Slot::Service,
            name: role.as_str(),
            sealed_secret: password.expose().as_bytes(),
        };
        assert!(
            tx.credentials()
                .add(&credential, self.bench.now())
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();

        let home = self
            .pools
            .home(tenant.id, FIRST, Isolation::Database)
            .await
            .unwrap();
        home.make_roles().await.unwrap();
        home.create(self.bench.now()).await.unwrap();
        home.furnish().await.unwrap();
        home.admit_service().await.unwrap();
        home.stamp(self.bench.now()).await.unwrap();
        self.bench.activate(&tenant, FIRST).await;
        let hint = Hint::Id(tenant.id);
        match look!(self.bench, tenants().enter(&hint, Origin::Host)) {
            Some(Entry::Open(ctx)) => ctx,
            other => panic!("{slug} is not open: {other:?}"),
        }
    }

    async fn tenants(&self, count: usize) -> Vec<TenantCtx> {
        let mut tenants = Vec::with_capacity(count);
        for number in 0..count {
            tenants.push(self.tenant(&format!("tenant-{number}")).await);
        }
        tenants
    }

    /// How many owners a tenant has, which takes a connection.
    async fn owners(&self, ctx: &TenantCtx) -> Result<i64, StoreError> {
        self.pools.read(ctx).await?.users().count_owners().await
    }
}

/// Sessions of a tenant's service role, by the server's own account.
async fn sessions(ctx: &TenantCtx) -> i64 {
    let role = Placement::new(ctx.id(), FIRST, ctx.tenant().isolation)
        .role(RoleKind::Login(Login::Service));
    number(&format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = '{}'",
        role.as_str()
    ))
    .await
    .unwrap()
}

/// Waits until something is so; what a server does after a good-bye takes it a moment.
async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let found = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), found).await;
    assert!(waited.is_ok(), "it never came that {what}");
}
