//! A session goes on with another refresh token.

use tenantry_core::session::{EndReason, SessionKind, Subject};
use tenantry_core::{SessionId, TenantId};
use tenantry_keys::token::TokenKind;

use super::Issued;
use crate::signin::Person;
use crate::{Refusal, Service};

/// How renewing a session ended.
pub enum Renewed {
    /// It goes on, with new secrets.
    Yes(Box<(Person, Issued)>),
    /// The token was used before, by this person or with this person's token; the session is ended.
    Reused(Subject),
}

impl Service {
    /// Renews a session by its refresh token, which is replaced. One that was replaced before ends
    /// the session: somebody has a copy (RFC 9700, section 4.14.2).
    pub async fn refresh(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<(Person, Issued), Refusal> {
        match self.renew(token, hinted).await? {
            Renewed::Yes(renewed) => Ok(*renewed),
            Renewed::Reused(_) => Err(Refusal::SessionStale),
        }
    }

    /// The same, telling whose session was ended because a token was used twice.
    pub async fn renew(&self, token: &str, hinted: Option<TenantId>) -> Result<Renewed, Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Refresh)
            .ok_or(Refusal::AuthenticationRequired)?;
        if hinted.is_some_and(|hinted| token.tenant != Some(hinted)) {
            return Err(Refusal::AuthenticationRequired);
        }
        let id = SessionId::from_uuid(token.id);
        let stored = self
            .control()
            .read()
            .await?
            .sessions()
            .lookup(id)
            .await?
            .ok_or(Refusal::SessionStale)?;
        if stored.session.ended_at.is_some() {
            return Err(Refusal::SessionStale);
        }
        if !token.hash.matches(&stored.token_hash) {
            self.end_reused(id).await?;
            return Ok(Renewed::Reused(stored.session.subject));
        }
        let principal = self.current(stored.session).await?;
        let (fresh, hash) = self.mint(SessionKind::Api, &principal.session.subject, id);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let rotated = tx
            .sessions()
            .rotate(id, &stored.token_hash, hash.as_bytes(), now)
            .await?;
        tx.commit().await?;
        if !rotated {
            // Somebody was faster with the same token.
            self.end_reused(id).await?;
            return Ok(Renewed::Reused(principal.session.subject));
        }
        let issued = self.issued(&principal.person, principal.session, fresh)?;
        Ok(Renewed::Yes(Box::new((principal.person, issued))))
    }

    async fn end_reused(&self, id: SessionId) -> Result<(), Refusal> {
        tracing::warn!(session.id = %id, "a refresh token was used twice; its session is ended");
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .end(id, EndReason::Reuse, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
