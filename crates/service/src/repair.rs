//! Mending what can be mended without guessing.

use tenantry_core::finding::{Finding, FindingCode};
use tenantry_core::tenant::{EmailUniqueness, Tenant};
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Role, TenantStatus, WorkflowId};
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Run};
use tenantry_store::tenant::TENANT_SCHEMA;

use crate::check::Report;
use crate::tenants::local_record;
use crate::{Refusal, Service};

/// How many rows are read at once.
const PAGE: i64 = 500;

impl Service {
    /// Mends what was found about a tenant and can be mended; what is left afterwards.
    pub async fn repair_tenant(&self, tenant: Tenant) -> Result<Report, Refusal> {
        let report = self.check_tenant(tenant).await?;
        let has = |code| {
            report
                .findings
                .iter()
                .any(|finding: &Finding| finding.code == code && finding.repairable)
        };
        if has(FindingCode::RecordMissing) {
            self.rebuild_record(&report.tenant).await?;
        }
        if has(FindingCode::SchemaOld) {
            // Opening a database brings its schema up to date.
            self.pools()
                .close(report.tenant.id, report.tenant.generation)
                .await;
        }
        if has(FindingCode::DirectoryMissing)
            || has(FindingCode::DirectoryExtra)
            || has(FindingCode::SchemaOld)
        {
            self.rebuild_directory(&report.tenant).await?;
        }
        self.check_tenant(report.tenant).await
    }

    /// Writes the record of a database whose file is there and says whose it is.
    async fn rebuild_record(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let stamp = self
            .pools()
            .files()
            .stamp(tenant.id, tenant.generation)
            .await?;
        if stamp
            .is_none_or(|stamp| (stamp.tenant, stamp.generation) != (tenant.id, tenant.generation))
        {
            return Ok(());
        }
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.databases()
            .add(&local_record(tenant.id, tenant.generation), now)
            .await?;
        tx.databases()
            .mark_verified(tenant.id, tenant.generation, TENANT_SCHEMA, now)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a tenant's directory entries anew from its own people; how many there are.
    pub async fn rebuild_directory(&self, tenant: &Tenant) -> Result<usize, Refusal> {
        let ctx = self
            .control()
            .read()
            .await?
            .tenants()
            .enter_regardless_of_status(tenant.id)
            .await?;
        let ctx = ctx.ok_or(Refusal::NotFound)?;
        let mut people = Vec::new();
        let mut after = None;
        loop {
            let mut tx = self
                .pools()
                .read(&ctx)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let page = tx
                .users()
                .list(after, PAGE)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            after = page.last().map(|person| person.id);
            if after.is_none() {
                break;
            }
            people.extend(page);
        }
        let global = self.settings().email_uniqueness == EmailUniqueness::Global;
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        // Looked at under the lock: people of an earlier life must not come back into it.
        let now_there = tx
            .tenants()
            .lookup(tenant.id)
            .await?
            .map(|tenant| tenant.generation);
        let busy = tx.workflows().find_unfinished(tenant.id).await?.is_some();
        if now_there != Some(ctx.generation()) || busy {
            return Err(Refusal::Conflict(
                "work on this tenant is under way; try again when it is done".to_owned(),
            ));
        }
        tx.directory().remove_tenant(tenant.id).await?;
        let mut placed = 0;
        for person in &people {
            let entry = DirectoryEntry {
                tenant: tenant.id,
                generation: ctx.generation(),
                user: person.id,
                address_hash: self.keyring().directory().hash(&person.email.key()),
                kind: if person.role == Role::Owner {
                    EntryKind::Owner
                } else {
                    EntryKind::Staff
                },
                state: EntryState::Confirmed,
            };
            // An address another tenant holds stays there: an entry can never be taken over.
            if tx.directory().reserve(&entry, global, now).await?
                == tenantry_store::control::Reservation::Held
            {
                tx.directory().confirm(tenant.id, person.id).await?;
                placed += 1;
            }
        }
        tx.commit().await?;
        Ok(placed)
    }

    /// Removes files of no tenant that carry our stamp; how many.
    pub async fn prune_orphans(&self) -> Result<usize, Refusal> {
        let mut removed = 0;
        for (file, ours) in self.orphans().await? {
            if ours && self.pools().files().remove_named(&file)? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Runs of workflows, the newest first.
    pub async fn list_workflows(
        &self,
        before: Option<WorkflowId>,
        limit: i64,
    ) -> Result<Vec<Run>, Refusal> {
        Ok(self
            .control()
            .read()
            .await?
            .workflows()
            .list(before, limit)
            .await?)
    }

    /// One run and its log.
    pub async fn find_workflow(
        &self,
        id: WorkflowId,
    ) -> Result<(Run, Vec<tenantry_core::workflow::LogEntry>), Refusal> {
        let mut tx = self.control().read().await?;
        let run = tx.workflows().lookup(id).await?.ok_or(Refusal::NotFound)?;
        let log = tx.workflows().log(id).await?;
        Ok((run, log))
    }

    /// Takes up a stuck run again and waits for it a while; the state it is in then.
    pub async fn retry_workflow(&self, id: WorkflowId) -> Result<WorkflowState, Refusal> {
        let (run, _) = self.find_workflow(id).await?;
        if run.state != WorkflowState::Stuck {
            return Err(Refusal::Conflict(format!(
                "the workflow is {}, not stuck",
                run.state
            )));
        }
        if let Some(tenant) = run.tenant {
            let mut tx = self.control().begin().await?;
            tx.tenants()
                .change_status(tenant, TenantStatus::Failed, TenantStatus::Provisioning)
                .await?;
            tx.commit().await?;
        }
        self.engine().retry(&run).await?;
        self.drive(id, std::time::Duration::from_secs(30)).await
    }
}
