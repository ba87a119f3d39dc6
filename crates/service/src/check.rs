//! Comparing what should be with what is. Reads only; `repair` mends.

use std::collections::HashMap;

use tenantry_core::finding::{Finding, FindingCode, Severity};
use tenantry_core::tenant::Tenant;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{TenantStatus, UserId};
use tenantry_store::TenantCtx;
use tenantry_store::control::DirectoryEntry;
use tenantry_store::tenant::TENANT_SCHEMA;

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How many rows are read at once.
const PAGE: i64 = 500;

/// What was found about one tenant.
#[derive(Debug, Clone)]
pub struct Report {
    /// The tenant.
    pub tenant: Tenant,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

pub(crate) struct Findings<'a> {
    tenant: &'a Tenant,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(
        &mut self,
        code: FindingCode,
        severity: Severity,
        detail: impl Into<String>,
        repairable: bool,
    ) {
        self.list.push(Finding {
            tenant: Some(self.tenant.id),
            code,
            severity,
            detail: detail.into(),
            repairable,
        });
    }

    fn error(&mut self, code: FindingCode, detail: impl Into<String>, repairable: bool) {
        self.add(code, Severity::Error, detail, repairable);
    }
}

impl Service {
    /// Checks one tenant.
    pub async fn check_tenant(&self, tenant: Tenant) -> Result<Report, Refusal> {
        let mut findings = Findings {
            tenant: &tenant,
            list: Vec::new(),
        };
        self.check_workflow(&mut findings).await?;
        match tenant.status {
            TenantStatus::Active | TenantStatus::Suspended | TenantStatus::Deleted => {
                self.check_database(&mut findings).await?;
            }
            TenantStatus::Failed => findings.error(
                FindingCode::ProvisioningFailed,
                "the tenant could not be made; `tenantry workflow retry` tries again, `tenantry tenant delete --purge` removes it",
                false,
            ),
            TenantStatus::Provisioning | TenantStatus::Purging => {}
        }
        let list = findings.list;
        Ok(Report {
            tenant,
            findings: list,
        })
    }

    async fn check_workflow(&self, findings: &mut Findings<'_>) -> Result<(), Refusal> {
        let run = self
            .control()
            .read()
            .await?
            .workflows()
            .find_unfinished(findings.tenant.id)
            .await?;
        if let Some(run) = run
            && run.state == WorkflowState::Stuck
        {
            let why = run.error.unwrap_or_default();
            findings.error(
                FindingCode::WorkflowStuck,
                format!("workflow {} ({}) stands still: {why}; mend the cause, then `tenantry workflow retry {}`", run.id, run.kind, run.id),
                false,
            );
        }
        Ok(())
    }

    async fn check_database(&self, findings: &mut Findings<'_>) -> Result<(), Refusal> {
        let tenant = findings.tenant;
        let mut control = self.control().read().await?;
        let record = control
            .databases()
            .lookup(tenant.id, tenant.generation)
            .await?;
        let ctx = control
            .tenants()
            .enter_regardless_of_status(tenant.id)
            .await?;
        let entries = control.directory().list(tenant.id).await?;
        drop(control);
        let files = self.pools().files();
        let exists = files.exists(tenant.id, tenant.generation);
        if record.is_none() {
            findings.error(
                FindingCode::RecordMissing,
                "the registry has no record of the tenant's database",
                exists,
            );
        }
        let name = tenantry_store::files::database_name(tenant.id, tenant.generation);
        if !exists {
            findings.error(
                FindingCode::DatabaseMissing,
                format!("the file {name}.db does not exist; restore it from a backup, or `tenantry tenant recreate {}`", tenant.slug),
                false,
            );
            return Ok(());
        }
        let Some(ctx) = ctx else { return Ok(()) };
        if self.check_stamp(findings).await {
            self.check_people(findings, &ctx, &entries).await;
        }
        Ok(())
    }

    /// Looks at the stamp; whether the people can be looked at too.
    async fn check_stamp(&self, findings: &mut Findings<'_>) -> bool {
        let tenant = findings.tenant;
        let stamp = match self
            .pools()
            .files()
            .stamp(tenant.id, tenant.generation)
            .await
        {
            Ok(Some(stamp)) => stamp,
            Ok(None) => {
                findings.error(
                    FindingCode::StampMissing,
                    "the database does not say whose it is; look at it, and restore it from a backup if in doubt",
                    false,
                );
                return false;
            }
            Err(error) if self.is_without_schema(tenant).await => {
                findings.error(
                    FindingCode::SchemaMissing,
                    format!(
                        "the database has no tables of ours ({}); restore it from a backup",
                        Chain(&error)
                    ),
                    false,
                );
                return false;
            }
            Err(error) => {
                findings.error(
                    FindingCode::DatabaseUnreadable,
                    format!(
                        "the database can't be read ({}); restore it from a backup",
                        Chain(&error)
                    ),
                    false,
                );
                return false;
            }
        };
        if (stamp.tenant, stamp.generation) != (tenant.id, tenant.generation) {
            findings.error(
                FindingCode::StampForeign,
                format!("the database is stamped for {stamp}; was a file put in the wrong place?"),
                false,
            );
            return false;
        }
        match stamp.schema_version.cmp(&TENANT_SCHEMA) {
            std::cmp::Ordering::Less => {
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
                return false;
            }
            std::cmp::Ordering::Greater => {
                findings.error(
                    FindingCode::SchemaNew,
                    format!(
                        "the schema has version {}, this program knows {TENANT_SCHEMA}; run the newer program",
                        stamp.schema_version
                    ),
                    false,
                );
                return false;
            }
            std::cmp::Ordering::Equal => {}
        }
        true
    }

    async fn is_without_schema(&self, tenant: &Tenant) -> bool {
        matches!(
            self.pools()
                .files()
                .has_schema(tenant.id, tenant.generation)
                .await,
            Ok(false)
        )
    }

    async fn check_people(
        &self,
        findings: &mut Findings<'_>,
        ctx: &TenantCtx,
        entries: &[DirectoryEntry],
    ) {
        let mut expected: HashMap<UserId, &DirectoryEntry> =
            entries.iter().map(|entry| (entry.user, entry)).collect();
        let mut missing = 0_usize;
        let mut wrong = 0_usize;
        let looked = async {
            let mut tx = self.pools().read(ctx).await?;
            let owners = tx.users().count_owners().await?;
            let mut after = None;
            loop {
                let people = tx.users().list(after, PAGE).await?;
                for person in &people {
                    let hash = self.keyring().directory().hash(&person.email.key());
                    match expected.remove(&person.id) {
                        Some(entry)
                            if entry.address_hash == hash
                                && entry.generation == ctx.generation() =>
                        {
                            // Reserved and never confirmed: the row came, the confirmation did not.
                            if entry.state == tenantry_store::control::EntryState::Reserved {
                                missing += 1;
                            }
                        }
                        Some(_) => wrong += 1,
                        None => missing += 1,
                    }
                }
                after = people.last().map(|person| person.id);
                if after.is_none() {
                    return Ok::<i64, tenantry_store::StoreError>(owners);
                }
            }
        }
        .await;
        let owners = match looked {
            Ok(owners) => owners,
            Err(error) => {
                findings.error(
                    FindingCode::DatabaseUnreadable,
                    format!("the database can't be read ({})", Chain(&error)),
                    false,
                );
                return;
            }
        };
        if owners == 0 {
            findings.error(
                FindingCode::OwnerMissing,
                "nobody in the tenant is an owner who can get in",
                false,
            );
        }
        if missing > 0 {
            findings.error(
                FindingCode::DirectoryMissing,
                format!("{missing} of the tenant's people are not in the directory"),
                true,
            );
        }
        let extra = expected.len() + wrong;
        if extra > 0 {
            findings.add(
                FindingCode::DirectoryExtra,
                Severity::Warning,
                format!("{extra} directory entries lead to nobody or carry another address"),
                true,
            );
        }
    }

    /// What lies about and belongs to no tenant.
    pub async fn check_orphans(&self) -> Result<Vec<Finding>, Refusal> {
        let mut found = Vec::new();
        for (file, ours) in self.orphans().await? {
            let detail = if ours {
                format!(
                    "the file {} belongs to no tenant and carries our stamp; `--prune` removes it",
                    file.name
                )
            } else {
                format!(
                    "the file {} belongs to no tenant and is not known to be ours; look at it",
                    file.name
                )
            };
            found.push(Finding {
                tenant: None,
                code: FindingCode::DatabaseOrphaned,
                severity: Severity::Warning,
                detail,
                repairable: ours,
            });
        }
        Ok(found)
    }

    /// Files of no tenant, and whether each is surely ours.
    pub(crate) async fn orphans(
        &self,
    ) -> Result<Vec<(tenantry_store::files::FoundFile, bool)>, Refusal> {
        let files = self.pools().files();
        let mut orphans = Vec::new();
        for file in files.list()? {
            let Some((tenant, generation)) = file.owner else {
                orphans.push((file, false));
                continue;
            };
            let mut control = self.control().read().await?;
            // Work under way may be about to use or remove the file.
            if control
                .databases()
                .lookup(tenant, generation)
                .await?
                .is_some()
                || control.workflows().find_unfinished(tenant).await?.is_some()
            {
                continue;
            }
            if control
                .tenants()
                .lookup(tenant)
                .await?
                .is_some_and(|tenant| tenant.generation == generation)
            {
                continue;
            }
            drop(control);
            let ours = file.temporary
                || matches!(files.stamp(tenant, generation).await, Ok(Some(stamp)) if stamp.tenant == tenant);
            orphans.push((file, ours));
        }
        Ok(orphans)
    }
}
