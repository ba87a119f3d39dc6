//! Making a tenant, once for each request.

use std::time::Duration;

use tenantry_core::domain::DomainKind;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{TenantId, WorkflowId};
use tenantry_store::ControlTx;
use tenantry_store::control::Remembered;

use super::founding::{Beginning, Founding};
use super::{NewTenant, TenantView};
use crate::workflows::PROVISION;
use crate::{Refusal, Service};

/// How making a tenant ended, or did not yet.
pub enum Created {
    /// It is active.
    Active(Box<TenantView>),
    /// It takes longer; the workflow goes on by itself.
    Later(Box<TenantView>, WorkflowId),
}

/// The key and the request of an idempotent create.
#[derive(Clone, Copy)]
pub struct IdempotencyKey {
    /// Hash of caller and key.
    pub key: [u8; 32],
    /// Hash of what was asked for.
    pub request: [u8; 32],
}

impl Service {
    /// Makes a tenant, and waits for it for so long. The intent, with everything drawn at random,
    /// is recorded before anything is made; whoever finds the record finishes or undoes the work.
    pub async fn create_tenant(
        &self,
        new: NewTenant,
        idempotency: Option<IdempotencyKey>,
        wait: Duration,
    ) -> Result<Created, Refusal> {
        self.check_new_tenant(&new).await?;
        if let Some(key) = idempotency
            && let Some(created) = self.created_before(key, wait).await?
        {
            return Ok(created);
        }
        let site = self
            .choose_site(new.isolation, new.cluster.as_deref())
            .await?;
        let called = (new.slug.clone(), new.isolation);
        let founding = self
            .draw_founding(called, &new.owner, new.locale, new.holder())
            .await?;
        let mut tx = self.control().begin().await?;
        if let Some(key) = idempotency
            && !remember(&mut tx, key, &founding).await?
        {
            drop(tx);
            return self.created_before(key, wait).await?.ok_or_else(|| {
                Refusal::Conflict(
                    "another request with this Idempotency-Key is under way".to_owned(),
                )
            });
        }
        let beginning = Beginning {
            name: new.name.trim().to_owned(),
            registration: new.registration,
            verify_email: new.verify_email,
            colour: new.colour,
        };
        self.enter_tenant(&mut tx, &founding, beginning).await?;
        self.grant_wishes(&mut tx, founding.id(), &new).await?;
        self.record_founding(&mut tx, &founding, &site, PROVISION)
            .await?;
        tx.commit().await?;
        self.created(founding.id(), founding.workflow, wait).await
    }

    /// What a new tenant comes with beside itself: the application that asked for it, which is
    /// approved by that, and the hosts that it claims.
    async fn grant_wishes(
        &self,
        tx: &mut ControlTx,
        id: TenantId,
        new: &NewTenant,
    ) -> Result<(), Refusal> {
        let now = self.clock().now();
        if let Some(application) = new.application
            && !tx.applications().approve(application, id, now).await?
        {
            return Err(Refusal::Conflict(
                "the application was decided meanwhile".to_owned(),
            ));
        }
        let hosts = self.claimable_hosts(&new.domains);
        for name in hosts.map_err(Refusal::Validation)? {
            self.claim_domain(tx, id, DomainKind::Host, &name).await?;
        }
        Ok(())
    }

    /// The key of an idempotent create: what a caller asks for under which key.
    pub fn idempotency_key(&self, caller: &str, key: &str, request: &str) -> IdempotencyKey {
        // Keyed hashes, since a request may hold a password.
        let hash =
            |label: &str, text: &str| self.keyring().directory().hash(&format!("{label}:{text}"));
        IdempotencyKey {
            key: hash("idempotency", &format!("{caller}\n{key}")),
            request: hash("request", request),
        }
    }

    async fn created_before(
        &self,
        key: IdempotencyKey,
        wait: Duration,
    ) -> Result<Option<Created>, Refusal> {
        let Some(there) = self
            .control()
            .read()
            .await?
            .idempotency()
            .find(key.key)
            .await?
        else {
            return Ok(None);
        };
        if there.request_hash != key.request {
            return Err(Refusal::Conflict(
                "this Idempotency-Key was used for another request".to_owned(),
            ));
        }
        self.created(there.tenant, there.workflow, wait)
            .await
            .map(Some)
    }

    pub(crate) async fn created(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        wait: Duration,
    ) -> Result<Created, Refusal> {
        let state = self.drive(workflow, wait).await?;
        match state {
            WorkflowState::Succeeded => Ok(Created::Active(Box::new(self.view(tenant).await?))),
            WorkflowState::Running | WorkflowState::Undoing => {
                Ok(Created::Later(Box::new(self.view(tenant).await?), workflow))
            }
            WorkflowState::Undone | WorkflowState::Stuck => Err(self.gave_up(workflow).await),
        }
    }

    /// Why a workflow ended without success.
    pub(crate) async fn gave_up(&self, workflow: WorkflowId) -> Refusal {
        let run = async {
            Ok::<_, Refusal>(
                self.control()
                    .read()
                    .await?
                    .workflows()
                    .lookup(workflow)
                    .await?,
            )
        }
        .await;
        let error = run
            .ok()
            .flatten()
            .and_then(|run| run.error)
            .unwrap_or_default();
        tracing::error!(workflow.id = %workflow, error, "a workflow gave up");
        Refusal::failed(
            "the work could not be done and was taken back; `tenantry workflow show` tells why",
        )(error)
    }
}

/// Keeps what is made for a request under its key; `false` where another request has the key. Comes
/// before anything else that two requests with one key would get in each other's way with.
async fn remember(
    tx: &mut ControlTx,
    key: IdempotencyKey,
    founding: &Founding,
) -> Result<bool, Refusal> {
    let what = Remembered {
        request_hash: key.request,
        tenant: founding.id(),
        workflow: founding.workflow,
    };
    let kept = tx
        .idempotency()
        .add(key.key, what, founding.plan.at)
        .await?;
    Ok(kept)
}
