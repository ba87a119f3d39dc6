//! Sealing stored values anew with the key that seals now.
//!
//! Portions of one column at a time, each in a transaction, each value put in place of the very one
//! that was read. Nothing is remembered but what the values say: one that names another key is to be
//! done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenantry_core::WorkflowId;
use tenantry_core::workflow::LogEvent;
use tenantry_saga::{Fault, Moment};
use tenantry_store::clusters::{credential_context, shared_context, url_context};
use tenantry_store::control::{SealedAt, SealedColumn};
use tenantry_store::{ControlTx, StoreError};
use uuid::Uuid;

use super::DamagedValues;
use crate::keyring::{KEY_CHECK_CONTEXT, UnsealError, signing_context};
use crate::refusal::Chain;
use crate::workflows::{Plan, owner_context};
use crate::{Refusal, Service, adopt, applications, idempotency, outbox, webhooks};

/// Values sealed anew in one transaction: some milliseconds of work, so that on SQLite nobody else
/// waits to write for longer.
const PORTION: i64 = 100;

/// How often a portion that got into another's way is tried again.
const TRIES: usize = 5;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Resealed {
    /// Values sealed anew.
    pub(super) done: usize,
    /// Values that do not open and were left.
    pub(super) damaged: Vec<DamagedValues>,
}

/// What was done about plans.
#[derive(Default)]
struct Plans {
    done: usize,
    damaged: usize,
}

/// What came of one portion.
struct Portion {
    /// Values that were looked at; none where the column is done.
    seen: usize,
    done: usize,
    /// Those that do not open: they come again, and are passed over.
    damaged: usize,
}

/// What the value in this place is sealed for.
fn context(at: &SealedAt) -> Vec<u8> {
    match at {
        SealedAt::KeyCheck => KEY_CHECK_CONTEXT.to_vec(),
        SealedAt::SigningSeed(kid) => signing_context(kid),
        SealedAt::ClusterUrl(name) => url_context(name),
        SealedAt::ClusterShared(name) => shared_context(name),
        SealedAt::Credential(tenant, generation, serial) => {
            credential_context(*tenant, *generation, *serial)
        }
        SealedAt::WebhookSecret(id) => webhooks::context(*id),
        SealedAt::Notice(webhook, id) => webhooks::notice_context(*webhook, *id),
        SealedAt::Mail(id) => outbox::context(*id),
        SealedAt::Applicant(id) => applications::context(*id),
        SealedAt::Report(tenant) => adopt::report_context(*tenant),
        SealedAt::Answer(hash) => idempotency::context(hash),
    }
}

/// A plan of which this much can be read.
fn sealed_owner(params: &str) -> Option<(Plan, Vec<u8>)> {
    let plan: Plan = serde_json::from_str(params).ok()?;
    let sealed = STANDARD.decode(plan.owner.as_deref()?).ok()?;
    Some((plan, sealed))
}

/// The key that a sealed value names; none where it is too short.
fn named(sealed: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(sealed.get(1..17)?).ok()
}

/// Plans whose owner is sealed with a key that is meant.
async fn count_plans(
    tx: &mut ControlTx,
    is_meant: impl Fn(Option<Uuid>) -> bool,
) -> Result<i64, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let plans = tx.sealed().list_plans(after, PORTION).await?;
        for (_, params) in &plans {
            if let Some((_, sealed)) = sealed_owner(params) {
                count += i64::from(is_meant(named(&sealed)));
            }
        }
        let Some((last, _)) = plans.last() else {
            return Ok(count);
        };
        after = Some(*last);
    }
}

impl Service {
    /// Values that name another key than the one that seals.
    pub(super) async fn count_old_values(&self) -> Result<usize, Refusal> {
        let newest = self.keyring().sealing_key();
        let mut tx = self.control().read().await?;
        let mut count = count_plans(&mut tx, |key| key != Some(newest)).await?;
        for column in SealedColumn::ALL {
            count += tx.sealed().count(*column, newest).await?;
        }
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Values that name this key, in one look.
    pub(super) async fn count_naming(
        &self,
        tx: &mut ControlTx,
        key: Uuid,
    ) -> Result<usize, Refusal> {
        let mut count = count_plans(tx, |named| named == Some(key)).await?;
        for column in SealedColumn::ALL {
            count += tx.sealed().count_naming(*column, key).await?;
        }
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Seals every value anew that names another key than the one that seals.
    pub(super) async fn seal_anew(
        &self,
        progress: &mut impl FnMut(usize, usize),
    ) -> Result<Resealed, Refusal> {
        let total = self.count_old_values().await?;
        let mut all = Resealed::default();
        progress(0, total);
        for column in SealedColumn::ALL {
            let mut damaged = 0;
            loop {
                let passed_over = i64::try_from(damaged).unwrap_or(i64::MAX);
                let portion = self.try_portion(*column, passed_over).await?;
                all.done += portion.done;
                damaged += portion.damaged;
                progress(all.done, total.max(all.done));
                if portion.seen == 0 {
                    break;
                }
                self.after_portion(column.name().0).await;
            }
            all.damaged.extend(DamagedValues::of(*column, damaged));
        }
        let plans = self.seal_plans_anew().await?;
        all.done += plans.done;
        all.damaged.extend(DamagedValues::in_plans(plans.damaged));
        progress(all.done, total.max(all.done));
        for DamagedValues {
            table,
            column,
            count,
            remedy,
        } in &all.damaged
        {
            tracing::error!(
                table,
                column,
                count,
                remedy,
                "values that do not open were left as they are; the key they name stays"
            );
        }
        Ok(all)
    }

    /// Stands still where a test asks for it.
    async fn after_portion(&self, table: &str) {
        let moment = Moment::Logged(LogEvent::Succeeded);
        if self.settings().faults.at("key", table, moment) == Some(Fault::Halt) {
            std::future::pending::<()>().await;
        }
    }

    async fn try_portion(&self, column: SealedColumn, after: i64) -> Result<Portion, Refusal> {
        for _ in 1..TRIES {
            match self.portion(column, after).await? {
                Ok(portion) => return Ok(portion),
                Err(conflict) => {
                    tracing::debug!(error = %Chain(&conflict), "sealing anew got into another's way");
                }
            }
        }
        Ok(self.portion(column, after).await??)
    }

    /// One portion; inside, an error after which it may be tried again.
    async fn portion(
        &self,
        column: SealedColumn,
        after: i64,
    ) -> Result<Result<Portion, StoreError>, Refusal> {
        let newest = self.keyring().sealing_key();
        let mut tx = self.control().begin().await?;
        let values = tx.sealed().list(column, newest, (PORTION, after)).await?;
        let mut portion = Portion {
            seen: values.len(),
            done: 0,
            damaged: 0,
        };
        for value in &values {
            let Some(new) = self.resealed(&value.sealed, &context(&value.at)).await? else {
                portion.damaged += 1;
                let (table, name) = column.name();
                tracing::error!(table, column = name, at = ?value.at, "a sealed value does not open");
                continue;
            };
            match tx.sealed().replace(&value.at, &value.sealed, &new).await {
                Ok(replaced) => portion.done += usize::from(replaced),
                Err(error) if error.is_conflict() => return Ok(Err(error)),
                Err(error) => return Err(error.into()),
            }
        }
        match tx.commit().await {
            Ok(()) => Ok(Ok(portion)),
            Err(error) if error.is_conflict() => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// A value sealed anew; `None` where it does not open.
    async fn resealed(&self, sealed: &[u8], context: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let plain = match self.keyring().open_sealed(sealed, context).await {
            Ok(plain) => plain,
            Err(UnsealError::Sealed(_)) => return Ok(None),
            Err(error @ UnsealError::Keys(_)) => {
                return Err(Refusal::failed("a value could not be sealed anew")(error));
            }
        };
        let sealed = self.keyring().seal(plain.expose(), context, self.entropy());
        sealed
            .map(Some)
            .map_err(Refusal::failed("a value could not be sealed anew"))
    }

    /// The owners in the plans of unfinished runs.
    async fn seal_plans_anew(&self) -> Result<Plans, Refusal> {
        let mut all = Plans::default();
        let mut after = None;
        loop {
            let mut tx = self.control().read().await?;
            let plans = tx.sealed().list_plans(after, PORTION).await?;
            drop(tx);
            let Some((last, _)) = plans.last() else {
                return Ok(all);
            };
            after = Some(*last);
            for (id, params) in &plans {
                self.seal_plan_anew(*id, params, &mut all).await?;
            }
        }
    }

    async fn seal_plan_anew(
        &self,
        id: WorkflowId,
        params: &str,
        all: &mut Plans,
    ) -> Result<(), Refusal> {
        let Some((mut plan, sealed)) = sealed_owner(params) else {
            return Ok(());
        };
        if self.keyring().is_current(&sealed).unwrap_or(false) {
            return Ok(());
        }
        let Some(new) = self.resealed(&sealed, &owner_context(&plan)).await? else {
            tracing::error!(workflow.id = %id, "the owner in a workflow's plan does not open");
            all.damaged += 1;
            return Ok(());
        };
        plan.owner = Some(STANDARD.encode(new));
        let new = serde_json::to_string(&plan)
            .map_err(Refusal::failed("a plan could not be recorded"))?;
        let mut tx = self.control().begin().await?;
        let replaced = tx.sealed().replace_plan(id, params, &new).await?;
        tx.commit().await?;
        all.done += usize::from(replaced);
        Ok(())
    }
}
