//! Keeping a tenant's applications out for as long as nobody is to get in, so that it can be told
//! from what somebody else did to their logins.

use super::ddl::Batch;
use super::name::{Login, Placement, RoleKind};
use super::{Cluster, ClusterError};

impl Cluster {
    /// Takes from the applications' slots their passwords and the right to sign in, notes on the
    /// roles that it was done on purpose, and ends their sessions; how many there were. What is in
    /// the home stays as it is. Can be repeated; nothing where there are no such roles. A slot is
    /// opened again by [`set_password`](Self::set_password).
    pub async fn close_slots(&self, placement: Placement) -> Result<usize, ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_close_slots(placement).await {
                Ok(ended) => return Ok(ended),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_close_slots(&self, placement: Placement) -> Result<usize, ClusterError> {
        let roles = self.roles(placement).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        for slot in Login::SLOTS.map(RoleKind::Login) {
            if roles.iter().any(|role| role.kind == slot) {
                // The time is the note: whoever may not sign in at all needs none that has passed.
                batch.add(&[
                    &"ALTER ROLE ",
                    &placement.role(slot),
                    &" NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'",
                ]);
            }
        }
        self.run(batch).await?;
        // First nobody may come in any more, then whoever is in has to go.
        let mut ended = 0;
        for slot in Login::SLOTS {
            ended += self.try_end_sessions(placement, slot).await?;
        }
        Ok(ended)
    }
}
