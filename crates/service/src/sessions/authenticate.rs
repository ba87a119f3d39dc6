//! Who sends a request: a session compared with what is true now.

use tenantry_core::session::{self, Facts, Session, Subject};
use tenantry_core::{SessionId, TenantId};
use tenantry_keys::signing::VerifyError;
use tenantry_keys::token::TokenKind;
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin};

use super::{Credential, Principal, TOUCH_AFTER};
use crate::signin::Person;
use crate::{Refusal, Service};

impl Service {
    /// Who sends a request. With a tenant named by the request, a credential of another one is
    /// refused exactly as garbage would be.
    pub async fn authenticate(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<Principal, Refusal> {
        let (id, tenant, hash) = match credential {
            Credential::Cookie(text) => {
                let token = self
                    .keyring()
                    .tokens()
                    .parse(text, TokenKind::Session)
                    .ok_or(Refusal::AuthenticationRequired)?;
                (
                    SessionId::from_uuid(token.id),
                    token.tenant,
                    Some(token.hash),
                )
            }
            Credential::Bearer(text) => {
                let issuer = self.issuer();
                let claims = self
                    .keyring()
                    .verify(text, &issuer, self.clock().now())
                    .map_err(|_: VerifyError| Refusal::AuthenticationRequired)?;
                let id = claims
                    .sid
                    .parse()
                    .map_err(|_| Refusal::AuthenticationRequired)?;
                let tenant = claims.tid.map(|tid| tid.parse()).transpose();
                (
                    id,
                    tenant.map_err(|_: uuid::Error| Refusal::AuthenticationRequired)?,
                    None,
                )
            }
        };
        if hinted.is_some_and(|hinted| tenant != Some(hinted)) {
            return Err(Refusal::AuthenticationRequired);
        }
        let stored = self.control().read().await?.sessions().lookup(id).await?;
        // What we once issued and no longer know has ended.
        let stored = stored.ok_or(Refusal::SessionStale)?;
        if stored.session.subject.tenant() != tenant {
            return Err(Refusal::AuthenticationRequired);
        }
        if hash.is_some_and(|hash| !hash.matches(&stored.token_hash)) {
            return Err(Refusal::SessionStale);
        }
        let principal = self.current(stored.session).await?;
        let now = self.clock().now();
        if now.since(principal.session.last_seen_at) >= TOUCH_AFTER {
            let mut tx = self.control().begin().await?;
            tx.sessions().touch(id, now).await?;
            tx.commit().await?;
        }
        Ok(principal)
    }

    /// Compares a session with what is true now.
    pub(super) async fn current(&self, session: Session) -> Result<Principal, Refusal> {
        let mut control = self.control().read().await?;
        let (facts, person) = match session.subject {
            Subject::User { tenant, user, .. } => {
                let entry = control
                    .tenants()
                    .enter(&Hint::Id(tenant), Origin::Session)
                    .await?;
                drop(control);
                let Some(Entry::Open(ctx)) = entry else {
                    return Err(Refusal::SessionStale);
                };
                let mut tx = self
                    .pools()
                    .read(&ctx)
                    .await
                    .map_err(Refusal::tenant(&ctx))?;
                let record = tx
                    .users()
                    .lookup(user)
                    .await
                    .map_err(Refusal::tenant(&ctx))?;
                let user = record.ok_or(Refusal::SessionStale)?.user;
                let facts = Facts {
                    tenant: Some((ctx.tenant().status, ctx.generation())),
                    security_version: Some(user.security_version),
                    disabled: user.disabled_at.is_some(),
                };
                (facts, Person::User { ctx, user })
            }
            Subject::Admin(admin) => {
                let record = control.admins().lookup(admin).await?;
                let admin = record.ok_or(Refusal::SessionStale)?.admin;
                let facts = Facts {
                    tenant: None,
                    security_version: Some(admin.security_version),
                    disabled: admin.disabled_at.is_some(),
                };
                (facts, Person::Admin(admin))
            }
        };
        session::check(&session, &facts, self.clock().now()).map_err(|_| Refusal::SessionStale)?;
        Ok(Principal { session, person })
    }
}
