//! Adding a server: the one that the settings name, and those that an operator does.

use tenantry_core::finding::Severity;
use tenantry_core::{Clock, Entropy, Secret, Slug, Timestamp};
use tenantry_store::clusters::url_context;
use tenantry_store::control::ClusterRecord;
use tenantry_store::{Clusters, Control};
use url::Url;

use super::{ClusterView, DEFAULT, LOCAL, explained};
use crate::keyring::Keyring;
use crate::refusal::Chain;
use crate::service::OpenError;
use crate::{FieldError, Refusal, Service};

/// PostgreSQL's port where a URL names none.
const PORT: u16 = 5432;

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

/// The record of a cluster that is new: open to tenants, and without a limit.
fn draft(
    name: &str,
    sealed_url: Vec<u8>,
    (host, port): (String, u16),
    now: Timestamp,
) -> ClusterRecord {
    ClusterRecord {
        name: name.to_owned(),
        sealed_url,
        host,
        port,
        accepts: true,
        capacity: None,
        sealed_shared: None,
        created_at: now,
        tenants: 0,
    }
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
        let known = keyring
            .open_sealed(&there.sealed_url, &url_context(DEFAULT))
            .await;
        if known.is_ok_and(|known| known.expose() == url.expose().as_bytes()) {
            return Ok(());
        }
        tx.clusters()
            .change_url(DEFAULT, &sealed_url, &host, port)
            .await?;
    } else {
        let record = draft(DEFAULT, sealed_url, (host, port), clock.now());
        tx.clusters().add(&record).await?;
    }
    Ok(tx.commit().await?)
}

impl Service {
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
            accepts: new.accepts,
            capacity: new.capacity,
            ..draft(&new.name, sealed_url, (host, port), self.clock().now())
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
}
