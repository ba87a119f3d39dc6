//! A person's own account.

use std::net::IpAddr;

use tenantry_core::password::Password;
use tenantry_core::session::EndReason;
use tenantry_core::user::User;
use tenantry_core::{Email, TenantId};
use tenantry_keys::password::Verdict;

use crate::attempts::in_tenant;
use crate::password::Holder;
use crate::sessions::{Lapsed, Principal};
use crate::signin::{Person, hash_refusal};
use crate::throttle::Account;
use crate::{Refusal, Service};

impl Service {
    /// Changes the password of somebody who is signed in and knows the present one. Ends every
    /// other session; this one goes on.
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: &str,
        chosen: &str,
        ip: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        principal.expect_password()?;
        let person = &principal.person;
        let offered = Password::offered(current).ok_or_else(not_the_present)?;
        let chosen = self.other_password(person, chosen, &offered).await?;
        self.expect_present(person, offered, ip).await?;
        let hash = self.hash_password(lane(person), chosen).await?;
        self.keep_hash(person, &hash).await?;
        let (subject, session) = (person.subject(), &principal.session);
        // First of all, so that whoever changed the password stays signed in.
        self.carry_session(session, session.security_version).await;
        let others = Lapsed::Of(subject, Some(session.id), EndReason::Password);
        self.end_lapsed(others).await;
        Ok(())
    }

    /// A password that this person may choose, other than the one that is offered as the present.
    async fn other_password(
        &self,
        person: &Person,
        chosen: &str,
        offered: &Password,
    ) -> Result<Password, Refusal> {
        let holder = match person {
            Person::User { ctx, user } => Holder::in_tenant(ctx.tenant())
                .address(&user.email)
                .named(user.username.as_deref())
                .named(user.full_name.as_deref()),
            Person::Admin(admin) => Holder::outside()
                .address(&admin.email)
                .named(admin.full_name.as_deref()),
        };
        let chosen = self
            .chosen_password("new_password", chosen, &holder)
            .await?;
        if chosen.octets() == offered.octets() {
            return Err(Refusal::field(
                "new_password",
                "same",
                "choose a password other than the present one",
            ));
        }
        Ok(chosen)
    }

    /// Whether what is offered is the present password. Wrong tries are counted as those of signing
    /// in are.
    async fn expect_present(
        &self,
        person: &Person,
        offered: Password,
        ip: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        let account = match person {
            Person::User { ctx, user } => Account::User(ctx.id(), user.id),
            Person::Admin(admin) => Account::Admin(admin.id),
        };
        let attempt = self.attempt(None, &[account], ip).await?;
        if let Some(pause) = attempt.wait(0) {
            return Err(Refusal::RateLimited(pause));
        }
        let stored = self.stored_hash(person).await?;
        let verdict = match self.hasher().verify(lane(person), offered, stored).await {
            Ok(verdict) => verdict,
            Err(error) => {
                // Turned away unheard is no wrong try.
                self.withdraw(attempt).await?;
                return Err(hash_refusal(error));
            }
        };
        if verdict == Verdict::Mismatch {
            return Err(not_the_present());
        }
        self.succeed(attempt, &[0]).await
    }

    /// Keeps the hash of a new password, unless another change was faster.
    async fn keep_hash(&self, person: &Person, hash: &str) -> Result<(), Refusal> {
        let changed = match person {
            Person::User { ctx, user } => in_tenant!(self, ctx, |tx| tx
                .users()
                .change_password(user.id, hash, user.security_version)
                .await?)?,
            Person::Admin(admin) => {
                let mut tx = self.control().begin().await?;
                let changed = tx
                    .admins()
                    .change_password(admin.id, hash, admin.security_version)
                    .await?;
                tx.commit().await?;
                changed
            }
        };
        if changed {
            Ok(())
        } else {
            Err(changed_meanwhile())
        }
    }

    /// Lifts the block from every way in that somebody in a tenant has.
    pub(crate) async fn unlock_person(&self, tenant: TenantId, user: &User) -> Result<(), Refusal> {
        let mut names = vec![user.email.key()];
        names.extend(user.username.as_ref().map(|name| name.to_ascii_lowercase()));
        self.unlock(Account::User(tenant, user.id), &names).await
    }

    /// Lifts the block that wrong tries put on a platform admin's account.
    pub async fn unlock_admin(&self, email: &Email) -> Result<(), Refusal> {
        let record = self
            .control()
            .read()
            .await?
            .admins()
            .find_by_email(email)
            .await?;
        let admin = record.ok_or(Refusal::NotFound)?.admin;
        self.unlock(Account::Admin(admin.id), &[email.key()]).await
    }

    async fn stored_hash(&self, person: &Person) -> Result<Option<String>, Refusal> {
        match person {
            Person::User { ctx, user } => {
                let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
                let record = tx
                    .users()
                    .lookup(user.id)
                    .await
                    .map_err(Refusal::tenant(ctx))?;
                Ok(record.and_then(|record| record.password_hash))
            }
            Person::Admin(admin) => {
                let record = self
                    .control()
                    .read()
                    .await?
                    .admins()
                    .lookup(admin.id)
                    .await?;
                Ok(record.and_then(|record| record.password_hash))
            }
        }
    }
}

/// The queue of hashes that somebody's stand in: each tenant has its own.
fn lane(person: &Person) -> Option<TenantId> {
    match person {
        Person::User { ctx, .. } => Some(ctx.id()),
        Person::Admin(_) => None,
    }
}

fn not_the_present() -> Refusal {
    Refusal::field(
        "current_password",
        "wrong",
        "this is not the present password",
    )
}

/// Two changes at the same moment: the first counts.
fn changed_meanwhile() -> Refusal {
    Refusal::Conflict("the password or the role was changed meanwhile; sign in again".to_owned())
}
