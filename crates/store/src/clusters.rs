//! The servers that tenants are placed on, as the registry names them, and where each tenant lies.

pub(crate) mod entering;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tenantry_core::tenant::{Driver, Isolation};
use tenantry_core::{Entropy, Generation, Secret, TenantId};
use uuid::Uuid;

use crate::cluster::{AdoptedDatabase, Cluster, ClusterBounds, Placement};
use crate::{Control, StoreError, TenantCtx};

/// What comes of opening a sealed value.
pub type Unsealing = Pin<Box<dyn Future<Output = Option<Secret<String>>> + Send>>;

/// Opens a value that was sealed for one place; `None` where it does not open. Sealing is no matter
/// of this crate, which never holds a key. It may take a look into the registry for a key that is
/// new.
pub type Unseal = Arc<dyn Fn(&[u8], &[u8]) -> Unsealing + Send + Sync>;

/// Whereabouts remembered at most. Each is about 150 bytes, and costs one look into the registry
/// where it was forgotten.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

/// Views of adopted databases kept at most. Each may hold two connections for some seconds.
const VIEWS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// What a cluster's URL is sealed for.
pub fn url_context(cluster: &str) -> Vec<u8> {
    format!("cluster:{cluster}").into_bytes()
}

/// What the password of a cluster's common login is sealed for.
pub fn shared_context(cluster: &str) -> Vec<u8> {
    format!("cluster-shared:{cluster}").into_bytes()
}

/// What the password of a tenant's role is sealed for.
pub fn credential_context(tenant: TenantId, generation: Generation, serial: i64) -> Vec<u8> {
    format!("credential:{tenant}:{generation}:{serial}").into_bytes()
}

/// Where a generation of a tenant lies on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The cluster's name.
    pub cluster: Arc<str>,
    /// What is made of it there, and how its rows are kept apart from the others'.
    pub placement: Placement,
    /// The database that was there before the tenant and that it lies in, if it lies in one.
    pub adopted: Option<AdoptedDatabase>,
}

/// A view of a server from inside an adopted database, and the server it was made of: a changed
/// URL makes another.
struct View {
    of: Arc<Cluster>,
    view: Arc<Cluster>,
}

/// A server, and the URL it was opened from: a changed one opens it anew. Sealed anew it is the same.
struct Open {
    sealed: Vec<u8>,
    url: Secret<String>,
    cluster: Arc<Cluster>,
}

/// The servers.
pub struct Clusters {
    control: Control,
    instance: Uuid,
    bounds: ClusterBounds,
    entropy: Entropy,
    unseal: Unseal,
    /// By name.
    open: Mutex<HashMap<String, Open>>,
    /// Where a generation lies never changes, so what was read once holds; `None` is a file.
    places: Mutex<LruCache<(TenantId, Generation), Option<Place>>>,
    /// By cluster and database.
    views: Mutex<LruCache<(Arc<str>, AdoptedDatabase), View>>,
}

impl Clusters {
    /// The servers that this registry names, for the installation with this id.
    pub fn new(
        control: Control,
        instance: Uuid,
        bounds: ClusterBounds,
        entropy: Entropy,
        unseal: Unseal,
    ) -> Self {
        Self {
            control,
            instance,
            bounds,
            entropy,
            unseal,
            open: Mutex::new(HashMap::new()),
            places: Mutex::new(LruCache::new(REMEMBERED)),
            views: Mutex::new(LruCache::new(VIEWS)),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        // Each change is one call, so a panic elsewhere leaves nothing half-changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, LruCache<(TenantId, Generation), Option<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a value sealed for `context`.
    pub(crate) async fn unseal(
        &self,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Secret<String>, StoreError> {
        let opening = (self.unseal)(sealed, context);
        opening.await.ok_or(StoreError::Sealed)
    }

    /// A server at this URL that no record names yet, to try it.
    pub fn candidate(&self, url: &Secret<String>) -> Result<Cluster, StoreError> {
        Ok(Cluster::new(
            url,
            self.instance,
            self.bounds,
            self.entropy.clone(),
        )?)
    }

    /// The cluster with this name.
    ///
    /// # Errors
    /// [`StoreError::ClusterMissing`] where the registry names none.
    pub async fn find(&self, name: &str) -> Result<Arc<Cluster>, StoreError> {
        let record = self.control.read().await?.clusters().find(name).await?;
        let record = record.ok_or_else(|| StoreError::ClusterMissing(name.to_owned()))?;
        if let Some(there) = self.open().get(name)
            && there.sealed == record.sealed_url
        {
            return Ok(Arc::clone(&there.cluster));
        }
        let url = self.unseal(&record.sealed_url, &url_context(name)).await?;
        let cluster = Arc::new(self.candidate(&url)?);
        let before = {
            let mut open = self.open();
            // The same URL was sealed anew, or another opened it meanwhile, and others are at work
            // through it already.
            if let Some(there) = open.get_mut(name)
                && there.url.expose() == url.expose()
            {
                there.sealed = record.sealed_url;
                return Ok(Arc::clone(&there.cluster));
            }
            let opened = Open {
                sealed: record.sealed_url,
                url,
                cluster: Arc::clone(&cluster),
            };
            open.insert(name.to_owned(), opened)
        };
        if let Some(before) = before {
            before.cluster.close().await;
        }
        Ok(cluster)
    }

    /// The cluster as it is to be seen for this place.
    ///
    /// # Errors
    /// [`StoreError::ClusterMissing`] where the registry names none.
    pub async fn find_for(&self, place: &Place) -> Result<Arc<Cluster>, StoreError> {
        let cluster = self.find(&place.cluster).await?;
        let Some(database) = &place.adopted else {
            return Ok(cluster);
        };
        let key = (Arc::clone(&place.cluster), database.clone());
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(View { of, view }) = views.get(&key)
            && Arc::ptr_eq(of, &cluster)
        {
            return Ok(Arc::clone(view));
        }
        // One that is pushed out closes its connections when its last user is done with it.
        let view = Arc::new(cluster.in_database(database));
        let kept = View {
            of: cluster,
            view: Arc::clone(&view),
        };
        views.put(key, kept);
        Ok(view)
    }

    /// Where the tenant lies; `None` for a file.
    pub async fn place(&self, ctx: &TenantCtx) -> Result<Option<Place>, StoreError> {
        self.locate(ctx.id(), ctx.generation(), ctx.tenant().isolation)
            .await
    }

    /// Where a generation lies; `None` for a file, and where there is no record of it.
    pub async fn locate(
        &self,
        tenant: TenantId,
        generation: Generation,
        isolation: Isolation,
    ) -> Result<Option<Place>, StoreError> {
        let key = (tenant, generation);
        if let Some(place) = self.places().get(&key) {
            return Ok(place.clone());
        }
        let mut control = self.control.read().await?;
        let Some(record) = control.databases().lookup(tenant, generation).await? else {
            return Ok(None);
        };
        let place = match record.driver {
            Driver::Sqlite => None,
            Driver::Postgres => {
                let adoption = control.adopted().lookup(tenant).await?;
                Some(Place {
                    cluster: record.cluster.into(),
                    placement: Placement::new(tenant, generation, isolation),
                    adopted: adoption.map(|adoption| adoption.database),
                })
            }
        };
        self.places().put(key, place.clone());
        Ok(place)
    }

    /// Forgets where a generation lies, as its record went or may be written anew.
    pub(crate) fn forget(&self, tenant: TenantId, generation: Generation) {
        self.places().pop(&(tenant, generation));
    }

    /// Closes every admin connection.
    pub async fn close(&self) {
        let views: Vec<Arc<Cluster>> = {
            let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
            std::iter::from_fn(|| views.pop_lru().map(|(_, kept)| kept.view)).collect()
        };
        for view in views {
            view.close().await;
        }
        let all: Vec<Arc<Cluster>> = self.open().drain().map(|(_, open)| open.cluster).collect();
        for cluster in all {
            cluster.close().await;
        }
    }
}
