//! A session goes on with another refresh token.

use tenantry_core::TenantId;
use tenantry_core::session::{EndReason, Handle, SessionKind, Subject};
use tenantry_keys::token::TokenKind;
use tokio::time::Instant;

use super::{Issued, handle};
use crate::facts::LOOK;
use crate::refusal::Chain;
use crate::signin::Person;
use crate::{Refusal, Service};

/// What is told to whoever renewed a session, where nobody knows whether it was.
const IN_DOUBT: &str = "whether the session was renewed is not known, and its new token is lost; a try with \
    the same token ends the session where it was, so sign in again if you can";

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
        if hinted.is_some() && token.tenant != hinted {
            return Err(self
                .refused_elsewhere(token.tenant, Instant::now() + LOOK)
                .await);
        }
        let handle = handle(&token);
        let stored = self
            .sessions_store()
            .lookup(&handle)
            .await?
            .ok_or(Refusal::SessionStale)?;
        if stored.session.ended_at.is_some() {
            return Err(Refusal::SessionStale);
        }
        if !token.hash.matches(&stored.token_hash) {
            self.end_reused(&handle).await?;
            return Ok(Renewed::Reused(stored.session.subject));
        }
        let (principal, _) = self.current(stored.clone()).await?;
        let (fresh, hash) = self.mint(SessionKind::Api, &principal.session.subject, handle.id);
        let now = self.clock().now();
        let rotated = self
            .sessions_store()
            .rotate(&handle, &stored.token_hash, hash.as_bytes(), now)
            .await;
        // A second try with the same token would look like somebody's copy, where the first counts.
        if let Err(error) = &rotated
            && error.is_in_doubt()
        {
            tracing::warn!(session.id = %handle.id, error = %Chain(error), "whether a session was renewed is not known");
            return Err(Refusal::InDoubt(IN_DOUBT));
        }
        if !rotated? {
            // Somebody was faster with the same token.
            self.end_reused(&handle).await?;
            return Ok(Renewed::Reused(principal.session.subject));
        }
        let issued = self.issued(&principal.person, principal.session, fresh)?;
        Ok(Renewed::Yes(Box::new((principal.person, issued))))
    }

    async fn end_reused(&self, handle: &Handle) -> Result<(), Refusal> {
        tracing::warn!(session.id = %handle.id, "a refresh token was used twice; its session is ended");
        self.sessions_store()
            .end(handle, EndReason::Reuse, self.clock().now())
            .await?;
        Ok(())
    }
}
