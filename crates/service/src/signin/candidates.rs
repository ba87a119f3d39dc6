//! Whose password somebody may have typed: the person in the tenant that was named, or, without
//! one, whoever has the address among the platform's admins and in the tenants.

use futures_util::future::join_all;
use tenantry_core::{Email, TenantId, UserId};
use tenantry_store::control::{AdminRecord, Entry};
use tenantry_store::tenant::UserRecord;
use tenantry_store::{Hint, Origin, TenantCtx};

use super::{Login, Person};
use crate::resolve::Resolved;
use crate::throttle::Account;
use crate::{Refusal, Service};

/// The most tenants one address is tried in when none is named.
const MOST: i64 = 16;

/// How many tenants are looked into at once: few, or one stranger could take every place in the
/// pool of open databases.
const AT_ONCE: usize = 4;

/// Somebody a password is tried on.
pub(crate) enum Candidate {
    Admin(AdminRecord),
    User(TenantCtx, UserRecord),
    /// Stands in where nobody is found, so that the path is the same.
    Nobody,
}

impl Candidate {
    pub(crate) fn account(&self) -> Option<Account> {
        match self {
            Self::Admin(record) => Some(Account::Admin(record.admin.id)),
            Self::User(ctx, record) => Some(Account::User(ctx.id(), record.user.id)),
            Self::Nobody => None,
        }
    }

    pub(crate) fn password_hash(&self) -> Option<&str> {
        match self {
            Self::Admin(record) => record.password_hash.as_deref(),
            Self::User(_, record) => record.password_hash.as_deref(),
            Self::Nobody => None,
        }
    }

    pub(crate) fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User(ctx, _) => Some(ctx.id()),
            Self::Admin(_) | Self::Nobody => None,
        }
    }

    pub(crate) fn disabled(&self) -> bool {
        match self {
            Self::Admin(record) => record.admin.disabled_at.is_some(),
            Self::User(_, record) => record.user.disabled_at.is_some(),
            Self::Nobody => false,
        }
    }

    pub(crate) fn person(self) -> Option<Person> {
        match self {
            Self::Admin(record) => Some(Person::Admin(record.admin)),
            Self::User(ctx, record) => Some(Person::User {
                ctx,
                user: record.user,
            }),
            Self::Nobody => None,
        }
    }
}

/// A tenant an address leads to, and whom the directory expects there.
type Place = (TenantCtx, Option<UserId>);

impl Service {
    /// Everybody the password may fit; never nobody, so that the path is the same.
    pub(crate) async fn candidates(
        &self,
        tenant: &Resolved,
        login: &Login,
    ) -> Result<Vec<Candidate>, Refusal> {
        match tenant {
            Resolved::Closed(_) => Err(Refusal::TenantUnavailable),
            Resolved::Open(ctx) => Ok(vec![self.candidate_in(ctx, login).await?]),
            Resolved::None => {
                let Login::Email(email) = login else {
                    return Err(Refusal::TenantRequired);
                };
                self.candidates_anywhere(email).await
            }
        }
    }

    async fn candidate_in(&self, ctx: &TenantCtx, login: &Login) -> Result<Candidate, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let record = match login {
            Login::Email(email) => tx.users().find_by_email(email).await,
            Login::Username(username) => tx.users().find_by_username(username).await,
        };
        Ok(match record.map_err(Refusal::tenant(ctx))? {
            Some(record) => Candidate::User(ctx.clone(), record),
            None => Candidate::Nobody,
        })
    }

    async fn candidates_anywhere(&self, email: &Email) -> Result<Vec<Candidate>, Refusal> {
        let mut control = self.control().read().await?;
        let mut candidates = Vec::new();
        if let Some(record) = control.admins().find_by_email(email).await? {
            candidates.push(Candidate::Admin(record));
        }
        let hash = self.keyring().directory().hash(&email.key());
        let places: Vec<Place> = control
            .directory()
            .find_active(hash, MOST)
            .await?
            .into_iter()
            .map(|placed| (placed.ctx, Some(placed.user)))
            .collect();
        let mut mapped = None;
        if let Some(tenant) = control
            .domains()
            .find_by_mail_domain(&email.domain())
            .await?
            && let Some(Entry::Open(ctx)) = control
                .tenants()
                .enter(&Hint::Id(tenant), Origin::Directory)
                .await?
        {
            mapped = self.candidate_at(&(ctx, None), email).await;
        }
        drop(control);
        if let Some(candidate) = mapped {
            // A proven mail domain decides where its people sign in; whoever has no account there
            // is looked for as everybody else is.
            candidates.push(candidate);
            return Ok(candidates);
        }
        for places in places.chunks(AT_ONCE) {
            let looks = places.iter().map(|place| self.candidate_at(place, email));
            candidates.extend(join_all(looks).await.into_iter().flatten());
        }
        if candidates.is_empty() {
            candidates.push(Candidate::Nobody);
        }
        Ok(candidates)
    }

    /// The person at a place. The directory is a hint, and one tenant's trouble must not keep a
    /// person out of another.
    async fn candidate_at(&self, place: &Place, email: &Email) -> Option<Candidate> {
        let (ctx, expected) = place;
        let opened = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx));
        let record = opened.ok()?.users().find_by_email(email).await.ok()??;
        let is_expected = expected.is_none_or(|user| user == record.user.id);
        is_expected.then(|| Candidate::User(ctx.clone(), record))
    }
}
