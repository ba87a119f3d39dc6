//! Following the link of a registration: the account is made, and the constraints decide.

use tenantry_core::tenant::Registration as Rule;
use tenantry_core::user::Username;
use tenantry_core::{Email, OneTimeId, Role, TenantId, UserId};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_store::TenantCtx;
use tenantry_store::control::Reservation;
use tenantry_store::tenant::{Added, Registration, UserRecord};

use super::{Typed, told};
use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::{Refusal, Service};

/// For whom the link of a registration is.
#[derive(Debug, Clone)]
pub struct RegistrationView {
    /// The address it proves.
    pub email: Email,
    /// The name to sign in with.
    pub username: Username,
}

/// How proving the address of a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// The account is there.
    Yes,
    /// Somebody has the username by now; another one must be chosen.
    UsernameTaken,
    /// The address has an account by now: in this tenant or, where it may belong to one only, in
    /// another. Whoever followed the link has shown that the address is his, so he may know.
    AddressTaken,
}

/// What using a link came to in the tenant's database; `None` where it was used up before.
type Used = Option<(Added, Option<UserRecord>)>;

fn told_of(used: &Used) -> Tell<'_> {
    used.as_ref().map_or(Tell::Nothing, told)
}

impl Service {
    /// The tenant of a registration's link, while it is open to registration.
    async fn open_tenant(&self, token: &BoundToken) -> Result<TenantCtx, Refusal> {
        let ctx = self.linked_tenant(token).await?;
        ctx.filter(|ctx| ctx.tenant().registration == Rule::Open)
            .ok_or(Refusal::TokenInvalid)
    }

    /// The registration that a link proves, while it is good. Uses nothing up.
    async fn find_registration(
        &self,
        ctx: &TenantCtx,
        token: &BoundToken,
    ) -> Result<Registration, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        let found = tx
            .registrations()
            .find_good(id, token.hash.as_bytes(), now)
            .await;
        let found = found.map_err(Refusal::tenant(ctx))?;
        found.ok_or(Refusal::TokenInvalid)
    }

    /// For whom the link of a registration is. Uses nothing up.
    pub async fn registration_view(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<RegistrationView, Refusal> {
        let token = self.linked_token(TokenKind::Registration, token, hinted)?;
        let ctx = self.open_tenant(&token).await?;
        let found = self.find_registration(&ctx, &token).await?;
        Ok(RegistrationView {
            email: found.email,
            username: found.username,
        })
    }

    /// Makes the account whose address the link proves. Where somebody was faster with the username,
    /// `username` is another one; where somebody has the address, the link is no longer good.
    pub async fn prove_registration(
        &self,
        token: &str,
        username: Option<&str>,
        hinted: Option<TenantId>,
    ) -> Result<Proven, Refusal> {
        let token = self.linked_token(TokenKind::Registration, token, hinted)?;
        let other = username.map(str::parse::<Username>).transpose();
        let other = other.map_err(|error| Refusal::field("username", "invalid", error))?;
        let ctx = self.open_tenant(&token).await?;
        let (id, now) = (OneTimeId::from_uuid(token.id), self.clock().now());
        let user = UserId::generate(self.clock(), self.entropy());
        let found = self.find_registration(&ctx, &token).await?;
        let entry = self.entry_for(&ctx, user, &found.email, Role::Member);
        if self.reserve_entry(&entry).await? == Reservation::Taken {
            return Ok(Proven::AddressTaken);
        }
        let used = in_tenant!(self, &ctx, |tx| {
            let hash = token.hash.as_bytes();
            let taken = tx.registrations().take(id, hash, now).await?;
            match taken {
                // Somebody was faster with the same link.
                None => None,
                Some(registration) => {
                    let typed = Typed {
                        email: registration.email.clone(),
                        username: other.clone().unwrap_or(registration.username.clone()),
                        full_name: registration.full_name.clone(),
                    };
                    let new = self.member(user, &typed, &registration.password_hash);
                    let added = tx.users().add(&new).await?;
                    let there = tx.users().lookup(user).await?;
                    if added == Added::UsernameTaken {
                        // The link stays good for another name.
                        tx.registrations().add(&registration, hash, now).await?;
                    } else {
                        tx.registrations()
                            .remove_done(now, &registration.email)
                            .await?;
                    }
                    Some((added, there))
                }
            }
        });
        let used = self
            .settle_after(&ctx, user, Some(&entry), used, told_of)
            .await?;
        match used {
            Some((Added::Yes, _)) => Ok(Proven::Yes),
            Some((Added::UsernameTaken, _)) => Ok(Proven::UsernameTaken),
            Some((Added::EmailTaken, _)) => Ok(Proven::AddressTaken),
            None => Err(Refusal::TokenInvalid),
        }
    }
}
