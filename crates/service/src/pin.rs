//! PINs: setting one, and signing in with one on an enrolled device.
//!
//! A PIN counts on a device only. Its wrong tries are counted exactly where a password's are, so
//! that whoever guesses both has no more tries than whoever guesses one
//! (`docs/decisions/0013-pin-on-devices.md`).

use tenantry_core::pin::Pin;
use tenantry_core::session::EndReason;
use tenantry_core::{DeviceId, TenantId, UserId};
use tenantry_keys::digest::sha256;
use tenantry_keys::hasher::{HashError, Lane};
use tenantry_keys::password::Verdict;
use tenantry_keys::token::TokenKind;
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::attempts::in_tenant;
use crate::resolve::Resolved;
use crate::sessions::{Issued, Lapsed, OnDevice, subject};
use crate::signin::{Candidate, Client, Login, Person, hash_refusal};
use crate::staff::{Acting, hold};
use crate::throttle::Typed;
use crate::{Refusal, Service};

/// What somebody shows who signs in with a PIN.
#[derive(Clone, Copy)]
pub struct PinShown<'a> {
    /// The digits.
    pub pin: &'a str,
    /// What the device keeps.
    pub device_token: &'a str,
}

impl Service {
    /// Sets a person's PIN, or with `None` takes it away. Sessions that were begun with the one from
    /// before end.
    pub async fn set_pin(
        &self,
        acting: &Acting<'_>,
        id: UserId,
        pin: Option<&str>,
    ) -> Result<(), Refusal> {
        let pin = pin.map(Pin::chosen).transpose();
        let pin = pin.map_err(|error| Refusal::field("pin", error.code(), error))?;
        let user = self.find_touchable(acting, id).await?;
        let ctx = acting.tenant();
        let hash = match pin.as_ref().and_then(Pin::as_password) {
            Some(secret) => Some(self.hash_password(Some(ctx.id()), secret).await?),
            None => None,
        };
        let by = acting.user_id();
        let held = in_tenant!(self, ctx, |tx| {
            let held = hold(&mut tx, by, user.id).await?;
            if held.is_ok() {
                tx.users().set_pin(user.id, hash.as_deref()).await?;
            }
            held
        })?;
        held?;
        self.end_lapsed(Lapsed::WithPin(subject(ctx, user.id)))
            .await;
        Ok(())
    }

    /// Signs in with a PIN on an enrolled device, which names the tenant. A device of another tenant
    /// than the request names is refused as garbage is.
    pub async fn sign_in_with_pin(
        &self,
        tenant: &Resolved,
        login: &Login,
        shown: PinShown<'_>,
        client: &Client,
    ) -> Result<(Person, Issued), Refusal> {
        let enrolled = self.enrolled(tenant, shown.device_token).await;
        if matches!(enrolled, Err(Refusal::InvalidCredentials)) {
            // No guess at a PIN, but a try that the network pays for.
            self.attempt(None, &[], client.ip).await?;
        }
        let (ctx, device) = enrolled?;
        let named = Resolved::Open(ctx.clone());
        let candidate = self.candidates(&named, login).await?.pop();
        let candidate = candidate.unwrap_or(Candidate::Nobody);
        let typed = Typed {
            tenant: Some(ctx.id()),
            name: login.key(),
        };
        let accounts: Vec<_> = candidate.account().into_iter().collect();
        let attempt = self.attempt(Some(&typed), &accounts, client.ip).await?;
        let stored = match &candidate {
            Candidate::User(_, record) => record.pin_hash.clone(),
            Candidate::Admin(_) | Candidate::Nobody => None,
        };
        let compared = attempt.wait(0).is_none() && !candidate.disabled();
        // What can't be a PIN is compared with nothing, at the same cost.
        let offered = Pin::offered(shown.pin).and_then(|pin| pin.as_password());
        let stored = stored.filter(|_| compared && offered.is_some());
        let offered = offered.or_else(stand_in);
        let offered = offered.ok_or(Refusal::InvalidCredentials)?;
        let lane = Lane::Tenant(ctx.id());
        let verdict = self.hasher().verify(lane, offered, stored.clone()).await;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error @ HashError::Busy(_)) => {
                // Turned away unheard is no wrong try.
                self.withdraw(attempt).await?;
                return Err(hash_refusal(error));
            }
            Err(error) => return Err(hash_refusal(error)),
        };
        let person = match verdict {
            Verdict::Match { .. } => candidate.person(),
            Verdict::Mismatch => None,
        };
        let person = person.ok_or(Refusal::InvalidCredentials)?;
        self.succeed(attempt, &[0]).await?;
        let on = stored.as_deref().map(|hash| OnDevice {
            device,
            pin_digest: digest_of(hash),
        });
        let on = on.ok_or(Refusal::InvalidCredentials)?;
        let issued = self.begin_session_on(&person, client, Some(on)).await?;
        if let Person::User { ctx, user } = &person {
            self.still_enrolled(ctx, user.id, &issued, device, stored)
                .await?;
        }
        Ok((person, issued))
    }

    /// The tenant and the id of a device, by what it keeps.
    async fn enrolled(
        &self,
        tenant: &Resolved,
        token: &str,
    ) -> Result<(TenantCtx, DeviceId), Refusal> {
        let tokens = self.keyring().tokens();
        let token = tokens.parse(token, TokenKind::Device);
        let token = token.ok_or(Refusal::InvalidCredentials)?;
        let named: Option<TenantId> = tenant.id();
        let id = token
            .tenant
            .filter(|id| named.is_none_or(|named| named == *id));
        let id = id.ok_or(Refusal::InvalidCredentials)?;
        if matches!(tenant, Resolved::Closed(_)) {
            return Err(Refusal::TenantUnavailable);
        }
        let mut control = self.control().read().await?;
        let entry = control
            .tenants()
            .enter(&Hint::Id(id), Origin::Token)
            .await?;
        drop(control);
        let ctx = match entry {
            Some(Entry::Open(ctx)) if Some(ctx.generation()) == token.generation => ctx,
            _ => return Err(Refusal::InvalidCredentials),
        };
        let device = DeviceId::from_uuid(token.id);
        let mut tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let found = tx.devices().find_good(device, token.hash.as_bytes()).await;
        drop(tx);
        let found = found.map_err(Refusal::tenant(&ctx))?;
        found.ok_or(Refusal::InvalidCredentials)?;
        Ok((ctx, device))
    }

    /// Looks again whether device and PIN are still what they were: whoever took one of them away
    /// before the session was there could not end it.
    async fn still_enrolled(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        issued: &Issued,
        device: DeviceId,
        pin: Option<String>,
    ) -> Result<(), Refusal> {
        let now = self.clock().now();
        let still = in_tenant!(self, ctx, |tx| {
            let there = tx.devices().mark_used(device, now).await?;
            let record = tx.users().lookup(user).await?;
            there && record.is_some_and(|record| record.pin_hash == pin)
        });
        if matches!(still, Ok(true)) {
            return Ok(());
        }
        let handle = issued.session.handle();
        self.end_lapsed(Lapsed::This(handle, EndReason::Admin))
            .await;
        still?;
        Err(Refusal::InvalidCredentials)
    }
}

/// What tells a PIN from every other, by how it is stored: each that is set has a salt of its own, so
/// that the same digits set anew are another PIN.
fn digest_of(stored: &str) -> [u8; 32] {
    sha256(stored.as_bytes())
}

/// Whether the PIN that a session was begun with is the one that is stored now. Of sessions begun by
/// versions before it was kept it is not known with which; they need one to be there.
pub(crate) fn is_pin(begun_with: Option<[u8; 32]>, stored: Option<&str>) -> bool {
    stored.is_some_and(|stored| begun_with.is_none_or(|begun| begun == digest_of(stored)))
}

/// What is hashed where something was typed that can't be a PIN.
fn stand_in() -> Option<tenantry_core::password::Password> {
    tenantry_core::password::Password::offered("000000")
}
