//! PostgreSQL servers that tenants are placed on: adding, listing, checking, choosing one.

use tenantry_core::finding::Severity;
use tenantry_core::tenant::{DatabaseState, Driver, Isolation};
use tenantry_core::{Clock, Entropy, Generation, Secret, Slug, TenantId};
use tenantry_store::cluster::{
    Capacity, ClusterError, DatabaseName, Placement, Remark, generate_password,
};
use tenantry_store::clusters::{credential_context, shared_context, url_context};
use tenantry_store::control::{ClusterRecord, DatabaseRecord, NewCredential};
use tenantry_store::{Clusters, Control, ControlTx, files};
use url::Url;

use crate::keyring::Keyring;
use crate::refusal::Chain;
use crate::service::OpenError;
use crate::{FieldError, Refusal, Service};

/// The name of the embedded cluster: SQLite files.
pub const LOCAL: &str = "local";

/// The name of the cluster that the settings name.
pub const DEFAULT: &str = "default";

/// PostgreSQL's port where a URL names none.
const PORT: u16 = 5432;

/// What a cluster without a limit of its own is taken to have room for, so that those with one can
/// be compared to it. PostgreSQL itself sets none.
const ROOM: i64 = 100_000;

/// A cluster to add.
#[derive(Clone)]
pub struct NewCluster {
    /// Its name: as a slug.
    pub name: String,
    /// The admin's URL.
    pub url: Secret<String>,
    /// Whether new tenants are placed there.
    pub accepts: bool,
    /// The most tenants to place there, if there is to be a limit.
    pub capacity: Option<i64>,
}

/// A cluster and how it is.
#[derive(Debug, Clone)]
pub struct ClusterView {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether new tenants are placed there.
    pub accepts: bool,
    /// The most tenants to place there, where there is a limit.
    pub capacity: Option<i64>,
    /// Databases of tenants on it, by the registry.
    pub tenants: i64,
    /// How full the server is, where it answered.
    pub load: Option<Capacity>,
    /// Why it did not answer.
    pub unreachable: Option<String>,
}

/// What checking a cluster came to.
#[derive(Debug, Clone)]
pub struct ClusterReport {
    /// The cluster's name.
    pub name: String,
    /// What lacks, or is worth knowing.
    pub remarks: Vec<Remark>,
    /// Why it could not be asked.
    pub unreachable: Option<String>,
}

impl ClusterReport {
    /// Whether tenants can be placed there.
    pub fn is_usable(&self) -> bool {
        self.unreachable.is_none()
            && self
                .remarks
                .iter()
                .all(|remark| remark.severity != Severity::Error)
    }
}

/// Where a new tenant goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// A file.
    Local,
    /// The cluster with this name.
    Cluster(String),
}

impl Site {
    /// The site of a generation whose record this is.
    pub(crate) fn of(record: &DatabaseRecord) -> Self {
        match record.driver {
            Driver::Sqlite => Self::Local,
            Driver::Postgres => Self::Cluster(record.cluster.clone()),
        }
    }

    /// The record of a generation there, before anything is made.
    pub(crate) fn record(
        &self,
        tenant: TenantId,
        generation: Generation,
        isolation: Isolation,
    ) -> DatabaseRecord {
        let (driver, cluster, name) = match self {
            Self::Local => (
                Driver::Sqlite,
                LOCAL.to_owned(),
                files::database_name(tenant, generation),
            ),
            Self::Cluster(cluster) => (
                Driver::Postgres,
                cluster.clone(),
                DatabaseName::own(placement(tenant, generation, isolation))
                    .as_str()
                    .to_owned(),
            ),
        };
        DatabaseRecord {
            tenant,
            generation,
            driver,
            cluster,
            name,
            state: DatabaseState::Pending,
            schema_version: None,
            verified_at: None,
        }
    }
}

/// What is made of a generation on a cluster.
pub(crate) fn placement(
    tenant: TenantId,
    generation: Generation,
    isolation: Isolation,
) -> Placement {
    Placement::new(tenant, generation, isolation)
}

/// The host and port of an admin's URL.
fn address(url: &Secret<String>) -> Result<(String, u16), FieldError> {
    let wrong = |why: &str| FieldError::new("url", "invalid", why);
    let parsed = Url::parse(url.expose()).map_err(|_| wrong("it is no URL"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(wrong("it is no URL of a PostgreSQL server"));
    }
    if parsed.username().is_empty() {
        return Err(wrong("it names the admin role before the host"));
    }
    let host = parsed
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| wrong("it names no host"))?;
    Ok((host.to_owned(), parsed.port().unwrap_or(PORT)))
}

/// Writes down, or corrects, the cluster that the settings name.
pub(crate) async fn settle_default(
    control: &Control,
    clusters: &Clusters,
    keyring: &Keyring,
    url: &Secret<String>,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<(), OpenError> {
    let unusable = |error: FieldError| OpenError::ClusterUrl(error.message);
    let (host, port) = address(url).map_err(unusable)?;
    clusters.candidate(url).map_err(OpenError::Cluster)?;
    let sealed_url = keyring
        .seal(url.expose().as_bytes(), &url_context(DEFAULT), entropy)
        .map_err(|error| OpenError::Keyring(crate::KeyringError::Damaged(error.into())))?;
    let mut tx = control.begin().await?;
    if let Some(there) = tx.clusters().find(DEFAULT).await? {
        let known = keyring.open_sealed(&there.sealed_url, &url_context(DEFAULT));
        if known.is_ok_and(|known| known.expose() == url.expose().as_bytes()) {
            return Ok(());
        }
        tx.clusters()
            .change_url(DEFAULT, &sealed_url, &host, port)
            .await?;
    } else {
        let record = ClusterRecord {
            name: DEFAULT.to_owned(),
            sealed_url,
            host,
            port,
            accepts: true,
            capacity: None,
            sealed_shared: None,
            created_at: clock.now(),
            tenants: 0,
        };
        tx.clusters().add(&record).await?;
    }
    Ok(tx.commit().await?)
}

impl Service {
    pub(crate) fn clusters(&self) -> Result<&Clusters, Refusal> {
        self.pools().clusters().ok_or(Refusal::NotFound)
    }

    /// Adds a cluster, once it was reached and nothing lacks there that tenants need.
    pub async fn add_cluster(&self, new: NewCluster) -> Result<ClusterView, Refusal> {
        let mut errors = Vec::new();
        if new.name == LOCAL || new.name.parse::<Slug>().is_err() {
            errors.push(FieldError::new(
                "name",
                "invalid",
                "a cluster's name is 3 to 40 of a-z, 0-9 and single hyphens, begins with a letter, and is not `local`",
            ));
        }
        if new.capacity.is_some_and(|capacity| capacity < 0) {
            errors.push(FieldError::new("capacity", "invalid", "it is 0 or more"));
        }
        let (host, port) = match address(&new.url) {
            Ok(address) => address,
            Err(error) => {
                errors.push(error);
                (String::new(), PORT)
            }
        };
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        self.try_candidate(&new.url).await?;
        let sealed_url = self
            .keyring()
            .seal(
                new.url.expose().as_bytes(),
                &url_context(&new.name),
                self.entropy(),
            )
            .map_err(Refusal::failed("the cluster's URL could not be sealed"))?;
        let record = ClusterRecord {
            name: new.name.clone(),
            sealed_url,
            host,
            port,
            accepts: new.accepts,
            capacity: new.capacity,
            sealed_shared: None,
            created_at: self.clock().now(),
            tenants: 0,
        };
        let mut tx = self.control().begin().await?;
        if !tx.clusters().add(&record).await? {
            return Err(Refusal::Conflict(format!(
                "there is a cluster {} already",
                new.name
            )));
        }
        tx.commit().await?;
        Ok(self.cluster_view(record).await)
    }

    /// Reaches the server at a URL and asks it what lacks.
    async fn try_candidate(&self, url: &Secret<String>) -> Result<(), Refusal> {
        let candidate = self
            .clusters()?
            .candidate(url)
            .map_err(|error| Refusal::field("url", "invalid", Chain(&error)))?;
        let checked = async {
            candidate.reach().await?;
            candidate.check().await
        }
        .await;
        candidate.close().await;
        let remarks =
            checked.map_err(|error| Refusal::field("url", "unreachable", explained(&error)))?;
        let lacking: Vec<String> = remarks
            .iter()
            .filter(|remark| remark.severity == Severity::Error)
            .map(|remark| format!("{} {}", remark.detail, remark.remedy))
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        Err(Refusal::field("url", "unsuitable", lacking.join(" ")))
    }

    async fn cluster_view(&self, record: ClusterRecord) -> ClusterView {
        let asked = async {
            let cluster = self.clusters()?.find(&record.name).await?;
            let load = async {
                cluster.reach().await?;
                cluster.capacity().await
            };
            Ok::<_, Refusal>(match load.await {
                Ok(load) => (Some(load), None),
                Err(error) => (None, Some(explained(&error))),
            })
        }
        .await;
        let (load, unreachable) =
            asked.unwrap_or_else(|refusal| (None, Some(Chain(&refusal).to_string())));
        ClusterView {
            name: record.name,
            host: record.host,
            port: record.port,
            accepts: record.accepts,
            capacity: record.capacity,
            tenants: record.tenants,
            load,
            unreachable,
        }
    }

    /// Every cluster and how it is, asked at once.
    pub async fn list_clusters(&self) -> Result<Vec<ClusterView>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let mut asked = tokio::task::JoinSet::new();
        for (place, record) in records.into_iter().enumerate() {
            let service = self.clone();
            asked.spawn(async move { (place, service.cluster_view(record).await) });
        }
        let mut views = asked.join_all().await;
        views.sort_by_key(|(place, _)| *place);
        Ok(views.into_iter().map(|(_, view)| view).collect())
    }

    /// One cluster and how it is.
    pub async fn find_cluster(&self, name: &str) -> Result<ClusterView, Refusal> {
        let record = self.control().read().await?.clusters().find(name).await?;
        Ok(self.cluster_view(record.ok_or(Refusal::NotFound)?).await)
    }

    /// Looks at one cluster, or at each, for what tenants need there.
    pub async fn check_clusters(&self, name: Option<&str>) -> Result<Vec<ClusterReport>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let mut reports = Vec::new();
        for record in records {
            if name.is_some_and(|name| name != record.name) {
                continue;
            }
            let cluster = self.clusters()?.find(&record.name).await?;
            let checked = async {
                cluster.reach().await?;
                cluster.check().await
            };
            let (remarks, unreachable) = match checked.await {
                Ok(remarks) => (remarks, None),
                Err(error) => (Vec::new(), Some(explained(&error))),
            };
            reports.push(ClusterReport {
                name: record.name,
                remarks,
                unreachable,
            });
        }
        if name.is_some() && reports.is_empty() {
            return Err(Refusal::NotFound);
        }
        Ok(reports)
    }

    /// Opens a cluster to new tenants, or closes it to them.
    pub async fn change_cluster(&self, name: &str, accepts: bool) -> Result<ClusterView, Refusal> {
        let mut tx = self.control().begin().await?;
        if !tx.clusters().change_accepts(name, accepts).await? {
            return Err(Refusal::NotFound);
        }
        let record = tx.clusters().find(name).await?.ok_or(Refusal::NotFound)?;
        tx.commit().await?;
        Ok(self.cluster_view(record).await)
    }

    /// Forgets a cluster that no tenant lies on. Nothing is changed on the server but that our
    /// template goes.
    pub async fn remove_cluster(&self, name: &str) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        let record = tx.clusters().find(name).await?.ok_or(Refusal::NotFound)?;
        if record.tenants > 0 {
            return Err(Refusal::Conflict(format!(
                "{} tenants lie on {name}; only an empty cluster can be removed",
                record.tenants
            )));
        }
        let cluster = self.clusters()?.find(name).await?;
        if !tx.clusters().remove(name).await? {
            return Err(Refusal::Conflict(format!(
                "{name} got a tenant or was removed meanwhile; look again"
            )));
        }
        tx.commit().await?;
        // The server may be gone for good, which is a fine reason to remove it here.
        for isolation in Isolation::ALL {
            if let Err(error) = cluster.drop_base(*isolation).await {
                tracing::warn!(cluster = name, %isolation, error = %Chain(&error), "what tenants were to lie in stays on a cluster that was removed");
            }
        }
        cluster.close().await;
        Ok(())
    }

    /// Where a new tenant goes: to the cluster that was named, else to the one with the most room,
    /// else into a file.
    pub(crate) async fn choose_site(
        &self,
        isolation: Isolation,
        named: Option<&str>,
    ) -> Result<Site, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        if let Some(error) = unfit_site(&records, isolation, named) {
            return Err(Refusal::Validation(vec![error]));
        }
        match named {
            Some(LOCAL) => return Ok(Site::Local),
            Some(name) => return Ok(Site::Cluster(name.to_owned())),
            None if records.is_empty() => return Ok(Site::Local),
            None => {}
        }
        let mut open: Vec<&ClusterRecord> = records
            .iter()
            .filter(|record| record.accepts && room(record) > 0)
            .collect();
        open.sort_by_key(|record| std::cmp::Reverse(room(record)));
        for record in open {
            let cluster = self.clusters()?.find(&record.name).await?;
            match cluster.reach().await {
                Ok(()) => return Ok(Site::Cluster(record.name.clone())),
                Err(error) => {
                    tracing::warn!(cluster = record.name, error = %Chain(&error), "a cluster can't take a tenant");
                }
            }
        }
        Err(Refusal::Conflict(
            "no cluster takes new tenants now; `tenantry cluster check` tells why".to_owned(),
        ))
    }

    /// Writes down, sealed, what the server will sign in with, before anything is made there.
    pub(crate) async fn reserve_service_role(
        &self,
        tx: &mut ControlTx,
        site: &Site,
        (tenant, generation, isolation): (TenantId, Generation, Isolation),
    ) -> Result<(), Refusal> {
        let Site::Cluster(cluster) = site else {
            return Ok(());
        };
        let password = generate_password(self.entropy());
        let sealed = |context: &[u8]| {
            self.keyring()
                .seal(password.expose().as_bytes(), context, self.entropy())
                .map_err(Refusal::failed("a password could not be sealed"))
        };
        if isolation == Isolation::Shared {
            // One for all of them; the first stays.
            let sealed = sealed(&shared_context(cluster))?;
            tx.clusters().keep_shared(cluster, &sealed).await?;
            return Ok(());
        }
        let role = placement(tenant, generation, isolation).role(
            tenantry_store::cluster::RoleKind::Login(tenantry_store::cluster::Login::Service),
        );
        let new = NewCredential {
            tenant,
            generation,
            serial: 1,
            slot: tenantry_core::credential::Slot::Service,
            name: role.as_str(),
            sealed_secret: &sealed(&credential_context(tenant, generation, 1))?,
        };
        tx.credentials().add(&new, self.clock().now()).await?;
        Ok(())
    }
}

/// What is wrong with asking for this isolation on the cluster that was named, if anything is.
pub(crate) fn unfit_site(
    records: &[ClusterRecord],
    isolation: Isolation,
    named: Option<&str>,
) -> Option<FieldError> {
    let local = named == Some(LOCAL) || (named.is_none() && records.is_empty());
    if local && isolation != Isolation::Database {
        return Some(FieldError::new(
            "isolation",
            "unsupported",
            "tenants on the embedded database are isolated by database; `schema` and `shared` need a PostgreSQL cluster",
        ));
    }
    let name = named.filter(|name| *name != LOCAL)?;
    let cluster = |code, message: &str| Some(FieldError::new("cluster", code, message));
    match records.iter().find(|record| record.name == name) {
        None => cluster(
            "unknown",
            "there is no such cluster; the embedded one is `local`",
        ),
        Some(record) if !record.accepts => cluster("closed", "this cluster takes no new tenants"),
        Some(record) if room(record) == 0 => {
            cluster("full", "this cluster has as many tenants as it may have")
        }
        Some(_) => None,
    }
}

/// How many more tenants fit.
fn room(record: &ClusterRecord) -> i64 {
    (record.capacity.unwrap_or(ROOM) - record.tenants).max(0)
}

/// What a cluster's error means to whoever set it up, without anything that it was reached by.
pub(crate) fn explained(error: &ClusterError) -> String {
    match error.sqlstate().as_deref() {
        Some("28P01" | "28000") => {
            "the server refuses the admin's role or password; look at the URL and at pg_hba.conf"
                .to_owned()
        }
        Some("3D000") => "the server has no database of that name".to_owned(),
        Some(code) => format!("the server says {code} (PostgreSQL manual, appendix A)"),
        None => match socket_trouble(error) {
            Some(kind) => format!("the server can't be reached: {kind}"),
            None => format!("the server can't be reached: {}", Chain(error)),
        },
    }
}

/// What went wrong with the connection itself, if that did.
fn socket_trouble(error: &ClusterError) -> Option<std::io::ErrorKind> {
    let first = error as &(dyn std::error::Error + 'static);
    std::iter::successors(Some(first), |error| error.source())
        .find_map(|error| error.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
}
