//! Giving an application's idle login a new secret, and switching to it.
//!
//! The secret is drawn, sealed and recorded together with the run. Until the switch nothing that
//! works is touched, so turning back means only that the new secret retires; after it the run has
//! ended. The old login goes on working, and whoever looks after credentials ends it in its time
//! (`credentials/drain.rs`), so that no run stands in the way of other work meanwhile.

use serde::{Deserialize, Serialize};
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Generation, TenantId, TenantStatus, Timestamp};
use tenantry_saga::StepError;
use tenantry_store::cluster::Login;
use tenantry_store::control::{Credential, Run};
use tenantry_store::homes::Home;
use tenantry_store::{ControlTx, StoreError};

use super::Steps;
use super::steps::fatal;

/// The steps, in order.
pub(super) const STEPS: &[&str] = &["prepare", "set_password", "try_sign_in", "switch"];

/// What is to be rotated. Holds no secret: that lies sealed with the login's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The generation.
    pub(crate) generation: Generation,
    /// How its rows are kept apart.
    pub(crate) isolation: Isolation,
    /// Which of the generation's secrets is the new one.
    pub(crate) serial: i64,
    /// Until when somebody waits to be shown the secret. Later than that there is no switch: nobody
    /// would know what to change over to when the old one ends.
    pub(crate) until: Timestamp,
}

impl Rotation {
    fn of(run: &Run) -> Result<Self, StepError> {
        serde_json::from_str(&run.params)
            .map_err(|error| fatal("the workflow's plan can't be read")(&error))
    }

    /// The generation's secrets, and among them the new one, unless it is gone.
    pub(crate) async fn look(
        &self,
        tx: &mut ControlTx,
    ) -> Result<(Vec<Credential>, Option<Credential>), StoreError> {
        let all = tx.credentials().list(self.tenant, self.generation).await?;
        let new = all.iter().find(|one| one.serial == self.serial).cloned();
        Ok((all, new))
    }

    /// A tenant that was suspended or deleted meanwhile lets no application in.
    async fn expect_in_use(&self, tx: &mut ControlTx) -> Result<(), StepError> {
        match tx.tenants().lookup(self.tenant).await? {
            Some(there) if there.status == TenantStatus::Active => Ok(()),
            Some(there) => Err(StepError::Fatal(format!(
                "the tenant is {} by now; the credentials before stay",
                there.status
            ))),
            None => Err(StepError::Fatal("the tenant is gone".to_owned())),
        }
    }
}

impl Steps {
    pub(super) async fn is_rotated(&self, run: &Run, step: &str) -> Result<bool, StepError> {
        if step != "switch" {
            // Repeating the others costs no more than asking.
            return Ok(false);
        }
        let mut tx = self.0.control.read().await?;
        let (_, new) = Rotation::of(run)?.look(&mut tx).await?;
        Ok(new.is_some_and(|new| new.state == CredentialState::Active))
    }

    pub(super) async fn rotate(&self, run: &Run, step: &str) -> Result<(), StepError> {
        let rotation = Rotation::of(run)?;
        match step {
            // Written together with the run, so there is only to be seen that it is still there.
            "prepare" => self.new_secret(&rotation).await.map(drop),
            "set_password" => self.set_password(&rotation).await,
            "try_sign_in" => self.try_sign_in(&rotation).await,
            "switch" => self.switch(&rotation).await,
            _ => Err(StepError::Fatal(format!("step {step} is not known"))),
        }
    }

    /// The new secret, as long as it is on its way or there.
    async fn new_secret(&self, rotation: &Rotation) -> Result<Credential, StepError> {
        let mut tx = self.0.control.read().await?;
        let (_, new) = rotation.look(&mut tx).await?;
        new.filter(|new| {
            matches!(
                new.state,
                CredentialState::Pending | CredentialState::Active
            )
        })
        .ok_or_else(|| StepError::Fatal("the new credentials were withdrawn".to_owned()))
    }

    async fn rotated_home(&self, rotation: &Rotation) -> Result<Home<'_>, StepError> {
        let (tenant, generation) = (rotation.tenant, rotation.generation);
        Ok(self
            .0
            .pools
            .home(tenant, generation, rotation.isolation)
            .await?)
    }

    async fn set_password(&self, rotation: &Rotation) -> Result<(), StepError> {
        let new = self.new_secret(rotation).await?;
        let home = self.rotated_home(rotation).await?;
        let (Some(server), Some(clusters)) = (home.server(), self.0.pools.clusters()) else {
            return Err(StepError::Fatal("the tenant lies in a file".to_owned()));
        };
        let password = clusters.password(&new).await?;
        let (cluster, placement) = (server.cluster(), server.placement());
        cluster
            .set_password(placement, Login::of(new.slot), &password)
            .await
            .map_err(StoreError::from)?;
        // Whoever suspends or deletes the tenant writes that down and then closes the logins. So
        // either is it seen here, or this one was open before and was closed with the others.
        let mut tx = self.0.control.read().await?;
        let in_use = rotation.expect_in_use(&mut tx).await;
        drop(tx);
        if in_use.is_err() {
            let closed = cluster.close_slots(placement).await;
            closed.map_err(StoreError::from)?;
        }
        in_use
    }

    async fn try_sign_in(&self, rotation: &Rotation) -> Result<(), StepError> {
        let new = self.new_secret(rotation).await?;
        let home = self.rotated_home(rotation).await?;
        let (Some(server), Some(clusters)) = (home.server(), self.0.pools.clusters()) else {
            return Err(StepError::Fatal("the tenant lies in a file".to_owned()));
        };
        let (password, login) = (clusters.password(&new).await?, Login::of(new.slot));
        let (cluster, placement) = (server.cluster(), server.placement());
        let entered = cluster
            .sign_in(placement, login, &password)
            .await
            .map_err(StoreError::from)?;
        if entered == cluster.expected(placement, login) {
            return Ok(());
        }
        Err(StepError::Fatal(format!(
            "the server does not let {} in with its new password: {entered:?}; look at pg_hba.conf",
            new.name
        )))
    }

    /// From here on the new one is the one to use, and the old one is on its way out.
    async fn switch(&self, rotation: &Rotation) -> Result<(), StepError> {
        let now = self.0.clock.now();
        let mut tx = self.0.control.begin().await?;
        let (all, new) = rotation.look(&mut tx).await?;
        let new = new.ok_or_else(|| StepError::Fatal("the new credentials are gone".to_owned()))?;
        match new.state {
            CredentialState::Active => return Ok(()),
            CredentialState::Pending => rotation.expect_in_use(&mut tx).await?,
            CredentialState::Retiring | CredentialState::Retired => {
                return Err(StepError::Fatal(
                    "the new credentials were withdrawn".to_owned(),
                ));
            }
        }
        // Whoever takes a run over from a process that died comes no earlier than this.
        if now >= rotation.until {
            return Err(StepError::Fatal(
                "it took too long, and nobody waits to be shown the new credentials any more; those before stay"
                    .to_owned(),
            ));
        }
        let old = all
            .iter()
            .find(|one| one.slot != Slot::Service && one.state == CredentialState::Active);
        // The old one first: of applications' secrets there is at most one that counts.
        let mut switched = true;
        if let Some(old) = old {
            let to = CredentialState::Retiring;
            switched = tx.credentials().change_state(old, to, now).await?;
        }
        let to = CredentialState::Active;
        switched = switched && tx.credentials().change_state(&new, to, now).await?;
        if !switched {
            return Err(StepError::Retry(
                "the credentials changed meanwhile".to_owned(),
            ));
        }
        Ok(tx.commit().await?)
    }

    /// Withdraws a new secret that nobody was shown. Whether its login has it already is not known:
    /// it goes the way of every secret that retires, at once, as nobody uses it. That takes no
    /// server, so a run never gets stuck on one that is down. After the switch there is no way back.
    pub(super) async fn withdraw(&self, run: &Run) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        let (_, new) = Rotation::of(run)?.look(&mut tx).await?;
        if let Some(new) = new.filter(|new| new.state == CredentialState::Pending) {
            let to = CredentialState::Retiring;
            tx.credentials()
                .change_state(&new, to, self.0.clock.now())
                .await?;
        }
        Ok(tx.commit().await?)
    }
}
