//! A tenant's database: its record, where it lies, its stamp and schema.

use std::cmp::Ordering;

use tenantry_core::TenantStatus;
use tenantry_core::finding::{FindingCode, Severity};
use tenantry_core::tenant::{DatabaseState, Driver};
use tenantry_store::TenantCtx;
use tenantry_store::control::{Credential, DatabaseRecord, DirectoryEntry, Run};
use tenantry_store::tenant::{Stamp, TENANT_SCHEMA};

use super::asking::Silence;
use super::{Findings, Surroundings};
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// What the registry says about a tenant's database.
pub(super) struct Registered {
    pub(super) record: DatabaseRecord,
    pub(super) credentials: Vec<Credential>,
    pub(super) entries: Vec<DirectoryEntry>,
}

/// Where a database without a record was found.
pub(crate) enum Whereabouts {
    File,
    Cluster(String),
    Nowhere,
    /// Not on any cluster that could be asked; these could not be.
    Unknown(Vec<(String, String)>),
}

impl Service {
    pub(super) async fn check_database(
        &self,
        findings: &mut Findings<'_>,
        run: Option<&Run>,
        around: &Surroundings,
    ) -> Result<(), Refusal> {
        let tenant = findings.tenant;
        let mut control = self.control().read().await?;
        let ctx = control
            .tenants()
            .enter_regardless_of_status(tenant.id)
            .await?;
        let ctx = ctx.filter(|ctx| ctx.generation() == tenant.generation);
        // Gone or made anew meanwhile; the caller looks again.
        let Some(ctx) = ctx else { return Ok(()) };
        let record = control
            .databases()
            .lookup(tenant.id, tenant.generation)
            .await?;
        let entries = control.directory().list(tenant.id).await?;
        let credentials = control
            .credentials()
            .list(tenant.id, tenant.generation)
            .await?;
        drop(control);
        findings.secrets = Some(super::secrets(&credentials));
        let Some(record) = record else {
            return self
                .check_unrecorded(findings, &ctx, &entries, around)
                .await;
        };
        let in_use = matches!(
            tenant.status,
            TenantStatus::Active | TenantStatus::Suspended
        );
        if in_use && record.state != DatabaseState::Verified {
            findings.repairable(
                FindingCode::RecordMissing,
                "the registry's record of the tenant's database says that it was never verified",
            );
        }
        match record.driver {
            Driver::Sqlite => self.check_file(findings, &ctx, &entries).await,
            Driver::Postgres => {
                let registered = Registered {
                    record,
                    credentials,
                    entries,
                };
                self.check_server(findings, &registered, run, around)
                    .await?;
            }
        }
        Ok(())
    }

    async fn check_unrecorded(
        &self,
        findings: &mut Findings<'_>,
        ctx: &TenantCtx,
        entries: &[DirectoryEntry],
        around: &Surroundings,
    ) -> Result<(), Refusal> {
        let without = "the registry has no record of the tenant's database";
        match self.find_unrecorded(ctx, around).await? {
            Whereabouts::File => {
                findings.repairable(FindingCode::RecordMissing, without);
                self.check_file(findings, ctx, entries).await;
            }
            // More can be seen only once it is known again.
            Whereabouts::Cluster(cluster) => findings.repairable(
                FindingCode::RecordMissing,
                format!("{without}, which lies on {cluster}"),
            ),
            Whereabouts::Nowhere => {
                findings.error(FindingCode::RecordMissing, without);
                findings.error(
                    FindingCode::DatabaseMissing,
                    format!(
                        "neither the folder of files nor any cluster has a database of this tenant; restore it from a backup, or `tenantry tenant recreate {}`",
                        ctx.tenant().slug
                    ),
                );
            }
            Whereabouts::Unknown(unreachable) => {
                findings.error(
                    FindingCode::RecordMissing,
                    format!("{without}, and not every cluster could be asked for it"),
                );
                for (cluster, why) in unreachable {
                    findings.error(
                        FindingCode::ClusterUnreachable,
                        format!("the cluster {cluster} can't be asked: {why}"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Looks for the database of a tenant whose record is gone: a file, or a database on a cluster
    /// that carries the tenant's marker.
    pub(crate) async fn find_unrecorded(
        &self,
        ctx: &TenantCtx,
        around: &Surroundings,
    ) -> Result<Whereabouts, Refusal> {
        let tenant = ctx.tenant();
        if self.pools().files().exists(tenant.id, tenant.generation) {
            return Ok(Whereabouts::File);
        }
        let records = self.control().read().await?.clusters().list().await?;
        let mut unreachable = Vec::new();
        for record in records {
            let place = self.place_on(&record.name, tenant).await?;
            let placement = place.placement;
            let asked = self
                .ask_about(&place, around, |cluster| async move {
                    cluster.home(placement).await
                })
                .await?;
            match asked {
                Ok(Some(state)) if state.marked && !state.broken => {
                    return Ok(Whereabouts::Cluster(record.name));
                }
                Ok(_) | Err(Silence::Foreign(_)) => {}
                Err(silence) => unreachable.push((record.name, silence.to_string())),
            }
        }
        Ok(if unreachable.is_empty() {
            Whereabouts::Nowhere
        } else {
            Whereabouts::Unknown(unreachable)
        })
    }

    async fn check_file(
        &self,
        findings: &mut Findings<'_>,
        ctx: &TenantCtx,
        entries: &[DirectoryEntry],
    ) {
        let tenant = findings.tenant;
        let files = self.pools().files();
        if !files.exists(tenant.id, tenant.generation) {
            let name = tenantry_store::files::database_name(tenant.id, tenant.generation);
            findings.error(
                FindingCode::DatabaseMissing,
                format!("the file {name}.db does not exist; restore it from a backup, or `tenantry tenant recreate {}`", tenant.slug),
            );
            return;
        }
        let stamp = match files.stamp(tenant.id, tenant.generation).await {
            Ok(stamp) => stamp,
            Err(error) => {
                let bare = matches!(
                    files.has_schema(tenant.id, tenant.generation).await,
                    Ok(false)
                );
                let (code, what) = if bare {
                    (FindingCode::SchemaMissing, "has no tables of ours")
                } else {
                    (FindingCode::DatabaseUnreadable, "can't be read")
                };
                findings.error(
                    code,
                    format!(
                        "the database {what} ({}); restore it from a backup",
                        Chain(&error)
                    ),
                );
                return;
            }
        };
        if !check_stamp(findings, stamp) {
            return;
        }
        match self.pools().read(ctx).await {
            Ok(mut tx) => self.check_people(findings, &mut tx, entries).await,
            Err(error) => findings.error(
                FindingCode::DatabaseUnreadable,
                format!("the database can't be read ({})", Chain(&error)),
            ),
        }
    }
}

/// Judges a stamp; whether the people can be looked at too.
pub(super) fn check_stamp(findings: &mut Findings<'_>, stamp: Option<Stamp>) -> bool {
    let tenant = findings.tenant;
    let Some(stamp) = stamp else {
        findings.error(
            FindingCode::StampMissing,
            "the database does not say whose it is; look at it, and restore it from a backup if in doubt",
        );
        return false;
    };
    if (stamp.tenant, stamp.generation) != (tenant.id, tenant.generation) {
        findings.error(
            FindingCode::StampForeign,
            format!("the database is stamped for {stamp}; was one put in another's place? Put each back, or restore them from a backup"),
        );
        return false;
    }
    match stamp.schema_version.cmp(&TENANT_SCHEMA) {
        Ordering::Less => {
            findings.add(
                FindingCode::SchemaOld,
                Severity::Warning,
                format!(
                    "the schema has version {}, this program needs {TENANT_SCHEMA}",
                    stamp.schema_version
                ),
                true,
            );
            // Opening it to look at the people would bring it up to date.
            false
        }
        Ordering::Greater => {
            findings.error(
                FindingCode::SchemaNew,
                format!(
                    "the schema has version {}, this program knows {TENANT_SCHEMA}; run the newer program",
                    stamp.schema_version
                ),
            );
            false
        }
        Ordering::Equal => true,
    }
}
