//! What lies about and belongs to no tenant: files, and databases and roles on clusters.

use std::collections::{BTreeMap, HashSet};

use tenantry_core::finding::{Finding, FindingCode, Severity};
use tenantry_core::{Generation, TenantId};
use tenantry_store::cluster::{Listed, Listing, Placement};
use tenantry_store::files::FoundFile;

use super::Surroundings;
use crate::{Refusal, Service};

/// Something of no tenant.
pub(crate) enum Orphan {
    /// A file, and whether it is surely ours.
    File(FoundFile, bool),
    /// What carries our marker on a cluster.
    Server {
        /// The cluster.
        cluster: String,
        /// Whose the marker says it is.
        placement: Placement,
        /// Its database, or its schemas in one that tenants share, where any are there.
        homes: Vec<String>,
        /// Its roles.
        roles: Vec<String>,
    },
    /// What carries our marker under a name that we would not give to whom it names.
    Renamed {
        /// The cluster.
        cluster: String,
        /// The name.
        name: String,
        /// Whether it is a database or schema, else a role.
        database: bool,
    },
    /// A cluster that could not be asked.
    Unknown {
        /// The cluster.
        cluster: String,
        /// Why.
        why: String,
    },
}

impl Orphan {
    fn finding(&self) -> Finding {
        let (code, repairable, detail) = match self {
            Self::File(file, true) => (
                FindingCode::DatabaseOrphaned,
                true,
                format!(
                    "the file {} belongs to no tenant and carries our stamp; `--prune` removes it",
                    file.name
                ),
            ),
            Self::File(file, false) => (
                FindingCode::DatabaseOrphaned,
                false,
                format!(
                    "the file {} belongs to no tenant and is not known to be ours; look at it",
                    file.name
                ),
            ),
            Self::Server {
                cluster,
                homes,
                roles,
                ..
            } if !homes.is_empty() => (
                FindingCode::DatabaseOrphaned,
                true,
                format!(
                    "{} on {cluster}, with {} roles, belongs to no tenant and carries our marker; `--prune` drops it",
                    homes.join(" and "),
                    roles.len()
                ),
            ),
            Self::Server { cluster, roles, .. } => (
                FindingCode::RoleOrphaned,
                true,
                format!(
                    "the roles {} on {cluster} belong to no tenant and carry our marker; `--prune` drops them",
                    roles.join(", ")
                ),
            ),
            Self::Renamed {
                cluster,
                name,
                database,
            } => (
                if *database {
                    FindingCode::DatabaseOrphaned
                } else {
                    FindingCode::RoleOrphaned
                },
                false,
                format!(
                    "{name} on {cluster} carries a marker of ours that belongs to another name; look at it"
                ),
            ),
            Self::Unknown { cluster, why } => (
                FindingCode::ClusterUnreachable,
                false,
                format!(
                    "whether anything on {cluster} belongs to no tenant is not known: {why}; `tenantry cluster check {cluster}` tells more"
                ),
            ),
        };
        Finding {
            tenant: None,
            code,
            severity: Severity::Warning,
            detail,
            repairable,
        }
    }
}

/// What a cluster has of one generation of a tenant.
#[derive(Default)]
struct Group {
    homes: Vec<String>,
    roles: Vec<String>,
}

impl Service {
    /// What lies about and belongs to no tenant.
    pub async fn check_orphans(&self) -> Result<Vec<Finding>, Refusal> {
        self.check_orphans_among(&Surroundings::default()).await
    }

    pub(crate) async fn check_orphans_among(
        &self,
        around: &Surroundings,
    ) -> Result<Vec<Finding>, Refusal> {
        let orphans = self.orphans(around).await?;
        Ok(orphans.iter().map(Orphan::finding).collect())
    }

    pub(crate) async fn orphans(&self, around: &Surroundings) -> Result<Vec<Orphan>, Refusal> {
        let mut orphans = self.orphaned_files().await?;
        self.orphans_on_clusters(&mut orphans, around).await?;
        Ok(orphans)
    }

    async fn orphaned_files(&self) -> Result<Vec<Orphan>, Refusal> {
        let files = self.pools().files();
        let mut orphans = Vec::new();
        for file in files.list()? {
            let Some((tenant, generation)) = file.owner else {
                orphans.push(Orphan::File(file, false));
                continue;
            };
            if self.is_anyones(tenant, generation).await? {
                continue;
            }
            let ours = file.temporary
                || matches!(files.stamp(tenant, generation).await, Ok(Some(stamp)) if stamp.tenant == tenant);
            orphans.push(Orphan::File(file, ours));
        }
        Ok(orphans)
    }

    /// Whether a generation is known, or work under way may be about to use or remove it.
    async fn is_anyones(&self, tenant: TenantId, generation: Generation) -> Result<bool, Refusal> {
        let mut control = self.control().read().await?;
        if control
            .databases()
            .lookup(tenant, generation)
            .await?
            .is_some()
            || control.workflows().find_unfinished(tenant).await?.is_some()
        {
            return Ok(true);
        }
        let tenant = control.tenants().lookup(tenant).await?;
        Ok(tenant.is_some_and(|tenant| tenant.generation == generation))
    }

    /// Every cluster is asked once for all that is ours; what the registry knows is then left out.
    async fn orphans_on_clusters(
        &self,
        orphans: &mut Vec<Orphan>,
        around: &Surroundings,
    ) -> Result<(), Refusal> {
        let clusters = self.control().read().await?.clusters().list().await?;
        let mut listings: Vec<(String, Listing)> = Vec::new();
        for record in clusters {
            let asked = self
                .ask(&record.name, around, |cluster| async move {
                    cluster.list().await
                })
                .await?;
            match asked {
                Ok(listing) => listings.push((record.name, listing)),
                Err(silence) => orphans.push(Orphan::Unknown {
                    cluster: record.name,
                    why: silence.to_string(),
                }),
            }
        }
        // Read after the lists: what was made in between is then known.
        let known: HashSet<(TenantId, Generation)> = {
            let mut control = self.control().read().await?;
            control.databases().list_generations().await?
        }
        .into_iter()
        .collect();
        // Two names may lead to one server.
        let mut seen = HashSet::new();
        for (cluster, listing) in listings {
            for (placement, group) in grouped(&cluster, listing, orphans) {
                let key = (placement.tenant, placement.generation);
                if known.contains(&key)
                    || !seen.insert(key)
                    || self.is_anyones(key.0, key.1).await?
                    || !self.is_still_there(&cluster, placement, around).await?
                {
                    continue;
                }
                orphans.push(Orphan::Server {
                    cluster: cluster.clone(),
                    placement,
                    homes: group.homes,
                    roles: group.roles,
                });
            }
        }
        Ok(())
    }

    /// Looked at again: a purge may have removed it, and its record, since the list was read.
    async fn is_still_there(
        &self,
        cluster: &str,
        placement: Placement,
        around: &Surroundings,
    ) -> Result<bool, Refusal> {
        let asked = self
            .ask(cluster, around, |cluster| async move {
                Ok(cluster.home(placement).await?.is_some()
                    || !cluster.roles(placement).await?.is_empty())
            })
            .await?;
        Ok(asked.unwrap_or(false))
    }
}

/// Puts together what belongs to one generation; what has a wrong name is an orphan by itself.
fn grouped(
    cluster: &str,
    listing: Listing,
    orphans: &mut Vec<Orphan>,
) -> BTreeMap<Placement, Group> {
    let mut groups: BTreeMap<Placement, Group> = BTreeMap::new();
    let mut renamed = |listed: &Listed, database| {
        if !listed.named_right {
            orphans.push(Orphan::Renamed {
                cluster: cluster.to_owned(),
                name: listed.name.clone(),
                database,
            });
        }
        !listed.named_right
    };
    for listed in listing.databases.into_iter().chain(listing.schemas) {
        if !renamed(&listed, true) {
            let group = groups.entry(listed.placement).or_default();
            group.homes.push(listed.name);
        }
    }
    for listed in listing.roles {
        if !renamed(&listed, false) {
            groups
                .entry(listed.placement)
                .or_default()
                .roles
                .push(listed.name);
        }
    }
    groups
}
