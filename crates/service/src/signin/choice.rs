//! One password that fits in several tenants: what is offered, and what is chosen.

use serde::{Deserialize, Serialize};
use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::Tenant;
use tenantry_core::{OneTimeId, TenantId, UserId};
use tenantry_keys::token::TokenKind;
use tenantry_store::control::{Entry, StoredSecret};
use tenantry_store::{Hint, Origin};

use super::{Client, Person, SignedIn};
use crate::sessions::Issued;
use crate::{Refusal, Service};

/// One tenant a password fitted in, as a selection remembers it.
#[derive(Serialize, Deserialize)]
struct Choice {
    tenant: TenantId,
    generation: i64,
    user: UserId,
    security_version: i64,
}

impl Service {
    /// Asks in which of these tenants; a one-time token remembers them.
    pub(super) async fn offer_choice(&self, people: Vec<Person>) -> Result<SignedIn, Refusal> {
        let mut choices = Vec::with_capacity(people.len());
        let mut tenants = Vec::with_capacity(people.len());
        for person in people {
            if let Person::User { ctx, user } = person {
                choices.push(Choice {
                    tenant: ctx.id(),
                    generation: ctx.generation().number(),
                    user: user.id,
                    security_version: user.security_version.0,
                });
                tenants.push(ctx.tenant().clone());
            }
        }
        let payload = serde_json::to_string(&choices)
            .map_err(Refusal::failed("a choice could not be recorded"))?;
        let id = OneTimeId::generate(self.clock(), self.entropy());
        let (token, hash) =
            self.keyring()
                .tokens()
                .mint(TokenKind::Selection, None, id.uuid(), self.entropy());
        let now = self.clock().now();
        let secret = StoredSecret {
            id,
            purpose: Purpose::Selection,
            hash: hash.into_bytes(),
            created_at: now,
            expires_at: now + Purpose::Selection.lifetime(),
        };
        let mut tx = self.control().begin().await?;
        tx.one_time().add_selection(&secret, &payload).await?;
        tx.commit().await?;
        Ok(SignedIn::Choose {
            selection_token: token,
            tenants,
        })
    }

    /// The tenants a selection token offers. Uses nothing up.
    pub async fn choices(&self, token: &str) -> Result<Vec<Tenant>, Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Selection)
            .ok_or(Refusal::TokenInvalid)?;
        let mut tx = self.control().read().await?;
        let payload = tx
            .one_time()
            .find_selection(
                OneTimeId::from_uuid(token.id),
                token.hash.as_bytes(),
                self.clock().now(),
            )
            .await?
            .ok_or(Refusal::TokenInvalid)?;
        let mut tenants = Vec::new();
        for choice in parse_choices(&payload)? {
            if let Some(tenant) = tx.tenants().lookup(choice.tenant).await? {
                tenants.push(tenant);
            }
        }
        Ok(tenants)
    }

    /// Signs in to one of the tenants a selection token offers, by id or slug.
    pub async fn select(
        &self,
        token: &str,
        tenant: &str,
        hinted: Option<TenantId>,
        client: &Client,
    ) -> Result<(Person, Issued), Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Selection)
            .ok_or(Refusal::TokenInvalid)?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let payload = tx
            .one_time()
            .find_selection(id, token.hash.as_bytes(), now)
            .await?
            .ok_or(Refusal::TokenInvalid)?;
        let mut chosen = None;
        for choice in parse_choices(&payload)? {
            let entry = tx
                .tenants()
                .enter(&Hint::Id(choice.tenant), Origin::Directory)
                .await?;
            if let Some(Entry::Open(ctx)) = entry
                && (ctx.id().to_string() == tenant || ctx.tenant().slug.as_str() == tenant)
                && ctx.generation().number() == choice.generation
                && hinted.is_none_or(|hinted| hinted == ctx.id())
            {
                chosen = Some((ctx, choice));
            }
        }
        // A tenant that was not offered, or that can't be looked into now, uses nothing up.
        let (ctx, choice) = chosen.ok_or(Refusal::TokenInvalid)?;
        let mut tenant_tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let record = tenant_tx
            .users()
            .lookup(choice.user)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        drop(tenant_tx);
        let user = record
            .map(|record| record.user)
            .filter(|user| {
                user.disabled_at.is_none() && user.security_version.0 == choice.security_version
            })
            .ok_or(Refusal::TokenInvalid)?;
        tx.one_time()
            .use_up_selection(id, token.hash.as_bytes(), now)
            .await?
            .ok_or(Refusal::TokenInvalid)?;
        tx.commit().await?;
        let person = Person::User { ctx, user };
        let issued = self.begin_session(&person, client).await?;
        Ok((person, issued))
    }
}

fn parse_choices(payload: &str) -> Result<Vec<Choice>, Refusal> {
    serde_json::from_str(payload).map_err(Refusal::failed("a choice could not be read"))
}
