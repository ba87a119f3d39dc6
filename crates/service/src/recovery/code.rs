//! One-time codes: the mail that lists them, and comparing one.

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::recovery::{CODE_LIFETIME, CODE_TRIES, PROOF_LIFETIME};
use tenantry_core::{Email, Secret, UserId};
use tenantry_keys::code::Code;
use tenantry_keys::token::TokenKind;
use tenantry_mail::Message;
use tenantry_mail::message::{PasswordCode, TenantCode};
use tenantry_store::TenantCtx;

use crate::attempts::in_tenant;
use crate::one_time::{Minted, scope};
use crate::outbox::Letter;
use crate::resolve::Resolved;
use crate::signin::{Candidate, Login, unhurried};
use crate::throttle::{Account, Typed};
use crate::wanted::{Wanted, Written};
use crate::{Refusal, Service};

/// The proof that a code fitted; with it a new password can be set once.
pub struct Proof {
    /// To be shown with the new password.
    pub reset_token: Secret<String>,
    /// How long it is good.
    pub expires_in: Duration,
}

/// What a code is for, as its keyed hash has it: a hash copied from one person's row to another's
/// fits nothing.
fn subject(ctx: &TenantCtx, user: UserId) -> String {
    format!("{}:{}:{user}", ctx.id(), ctx.generation())
}

impl Service {
    /// One mail that lists each account of an address in a tenant with a code of its own; none where
    /// there is no account. Platform admins set a new password by link only.
    pub(crate) async fn write_reset_code(
        &self,
        wanted: &Wanted,
        tenant: &Resolved,
    ) -> Result<Written, Refusal> {
        let (mut to, mut failed) = (None, None);
        let mut codes: Vec<TenantCode> = Vec::new();
        for candidate in self.people_of(wanted, tenant).await? {
            let Candidate::User(ctx, record) = candidate else {
                continue;
            };
            match self.draw_code(&ctx, record.user.id, &codes).await {
                Ok(code) => {
                    codes.push(code);
                    to = Some(record.user.email);
                }
                // One tenant's trouble must not keep a person out of another.
                Err(refusal) => failed = Some(refusal),
            }
        }
        super::something_written(codes.is_empty(), failed)?;
        let url = match tenant.open() {
            Some(ctx) => {
                let hosts = self.hosts_of(ctx).await?;
                self.settings().tenant_url(ctx.tenant(), &hosts)
            }
            None => self.settings().public_url.clone(),
        };
        let enter = crate::links::link(&url, "/reset-password/otp")?;
        let mail = PasswordCode::new(codes, enter, CODE_LIFETIME);
        Ok(to.zip(mail).map(|(to, mail)| {
            let letter = Letter {
                to,
                locale: wanted.locale,
                message: Message::PasswordCode(mail),
            };
            (tenant.id(), letter)
        }))
    }

    /// Draws somebody's code, stored where it counts.
    async fn draw_code(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        others: &[TenantCode],
    ) -> Result<TenantCode, Refusal> {
        let code = loop {
            let code = Code::draw(self.entropy());
            // Two tenants with one code would leave to chance whose password is set.
            if others.iter().all(|other| other.code != code.digits()) {
                break code;
            }
        };
        let hash = self.keyring().codes().hash(&subject(ctx, user), &code);
        let now = self.clock().now();
        in_tenant!(self, ctx, |tx| tx
            .codes()
            .set(user, &hash, now, now + CODE_LIFETIME)
            .await?)?;
        let hosts = self.hosts_of(ctx).await?;
        Ok(TenantCode {
            tenant: self.settings().mail_tenant(ctx.tenant(), &hosts)?,
            code: code.digits(),
        })
    }

    /// Compares a one-time code; the proof with which a new password can be set. Each code has few
    /// tries and one use, and an account few tries an hour over all its codes.
    pub async fn verify_code(
        &self,
        tenant: &Resolved,
        email: &Email,
        code: &str,
        ip: Option<IpAddr>,
    ) -> Result<Proof, Refusal> {
        let Some(code) = Code::parse(code) else {
            // No guess, but a try that the network pays for.
            self.attempt(None, &[], ip).await?;
            return Err(Refusal::OtpInvalid);
        };
        // Without a hash to make, what little more is done for somebody who is there would show.
        unhurried(Box::pin(self.compare_code(tenant, email, &code, ip))).await
    }

    async fn compare_code(
        &self,
        tenant: &Resolved,
        email: &Email,
        code: &Code,
        ip: Option<IpAddr>,
    ) -> Result<Proof, Refusal> {
        let login = Login::Email(email.clone());
        let candidates = self.candidates(tenant, &login).await?;
        let typed = Typed {
            tenant: tenant.id(),
            name: email.key(),
        };
        let accounts: Vec<Account> = candidates.iter().filter_map(Candidate::account).collect();
        let attempt = self.attempt_code(&typed, &accounts, ip).await?;
        let mut fitting = None;
        for (place, candidate) in candidates.iter().enumerate() {
            let (ctx, user) = match candidate {
                Candidate::User(ctx, record) => (ctx, record.user.id),
                // The same work for nobody, in the tenant that was named.
                Candidate::Nobody => match tenant.open() {
                    Some(ctx) => (ctx, UserId::from_uuid(uuid::Uuid::nil())),
                    None => continue,
                },
                Candidate::Admin(_) => continue,
            };
            if attempt.wait(place).is_some() {
                continue;
            }
            if let Some(proof) = self.try_code(ctx, user, code).await? {
                fitting = Some((place, proof));
                break;
            }
        }
        let (place, proof) = fitting.ok_or(Refusal::OtpInvalid)?;
        self.succeed(attempt, &[place]).await?;
        Ok(proof)
    }

    /// Tries a code on one person. The try is counted and committed before anything is compared.
    async fn try_code(
        &self,
        ctx: &TenantCtx,
        user: UserId,
        code: &Code,
    ) -> Result<Option<Proof>, Refusal> {
        let now = self.clock().now();
        let good = in_tenant!(self, ctx, |tx| tx
            .codes()
            .count_try(user, CODE_TRIES, now)
            .await?)?;
        let codes = self.keyring().codes();
        let subject = subject(ctx, user);
        let Some((hash, _)) = good.filter(|(hash, _)| codes.fits(&subject, code, hash)) else {
            return Ok(None);
        };
        let Minted { token, stored } = self.mint_secret(
            Some(scope(ctx)),
            TokenKind::Reset,
            Purpose::Reset,
            PROOF_LIFETIME,
        );
        let used = in_tenant!(self, ctx, |tx| {
            let used = tx.codes().use_up(user, &hash, now).await?;
            if used {
                tx.secrets().add(user, &stored).await?;
            }
            used
        })?;
        Ok(used.then_some(Proof {
            reset_token: token,
            expires_in: PROOF_LIFETIME,
        }))
    }
}
