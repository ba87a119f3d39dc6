//! Having a login to oneself while it is given a secret, or ended. A statement on its way for long
//! must not meet what another process does to the same login meanwhile.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_store::control::Credential;

use crate::{Refusal, Service};

/// How long a login is one process's alone: longer than its statements may take (twice the
/// cluster's budget for one step, and a statement's deadline).
pub(crate) const HELD: Duration = Duration::from_mins(2);

impl Service {
    /// Takes the hold of a secret that is as it was read; until when, or `None` where somebody else
    /// has it or the secret is in another state by now.
    pub(super) async fn hold(&self, credential: &Credential) -> Result<Option<Timestamp>, Refusal> {
        let now = self.clock().now();
        let until = now + HELD;
        let mut tx = self.control().begin().await?;
        if !tx.credentials().hold(credential, now, until).await? {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(until))
    }

    /// Gives a hold up before its time.
    pub(super) async fn release(
        &self,
        credential: &Credential,
        until: Timestamp,
    ) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.credentials().release(credential, until).await?;
        Ok(tx.commit().await?)
    }
}

/// What somebody is told who meets a hold.
pub(super) fn held(credential: &Credential) -> Refusal {
    Refusal::ConflictFor(
        format!(
            "the login {} is just being ended or changed by another process",
            credential.name
        ),
        HELD,
    )
}
