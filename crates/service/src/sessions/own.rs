//! A person's own sessions.

use tenantry_core::SessionId;
use tenantry_core::session::{EndReason, Session};
use uuid::Uuid;

use crate::signin::Person;
use crate::{Refusal, Service};

impl Service {
    /// Signs out.
    pub async fn sign_out(&self, session: SessionId) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .end(session, EndReason::Logout, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs a person out everywhere; how many sessions ended.
    pub async fn sign_out_everywhere(&self, person: &Person) -> Result<u64, Refusal> {
        let mut tx = self.control().begin().await?;
        let now = self.clock().now();
        let ended = tx
            .sessions()
            .end_others(&person.subject(), None, EndReason::Revoked, now)
            .await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// A person's sessions that have not ended.
    pub async fn sessions_of(&self, person: &Person) -> Result<Vec<Session>, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(tx
            .sessions()
            .list(&person.subject(), self.clock().now())
            .await?)
    }

    /// Ends one of a person's own sessions; another's answers as one that does not exist.
    pub async fn end_own_session(&self, person: &Person, id: Uuid) -> Result<(), Refusal> {
        let id = SessionId::from_uuid(id);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let own = tx.sessions().list(&person.subject(), now).await?;
        if !own.iter().any(|session| session.id == id) {
            return Err(Refusal::NotFound);
        }
        tx.sessions().end(id, EndReason::Revoked, now).await?;
        tx.commit().await?;
        Ok(())
    }
}
