//! Signing in with a password.
//!
//! Known and unknown people walk the same path: the same lookups, one counted try, as many hashes,
//! one decision. With a tenant named, only that tenant is looked at, and one hash is made, real or
//! a stand-in; without one, platform admins and the directory say where a password may fit, and a
//! refusal takes as many hashes where that is nowhere as where it is in one or two places.

mod candidates;
mod choice;
mod passwords;

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::admin::Admin;
use tenantry_core::password::Password;
use tenantry_core::session::{SessionKind, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::user::{SecurityVersion, User, Username};
use tenantry_core::{Email, Secret};
use tenantry_keys::hasher::{HashError, Lane};
use tenantry_keys::password::Verdict;
use tenantry_store::TenantCtx;

pub(crate) use self::candidates::Candidate;
pub(crate) use self::passwords::hash_refusal;
use self::passwords::{compare, hashes_without_tenant};
use crate::resolve::Resolved;
use crate::sessions::Issued;
use crate::throttle::{Account, Attempt, Typed};
use crate::{Refusal, Service};

/// How long finding people and counting the try take at least where no tenant is named. Each tenant
/// an address leads to is one more database to look into and one more row to count in. That can't
/// be filled up as hashes are: a stand-in would be some other tenant's database, opened for a
/// stranger. So whoever is done sooner waits, at no cost to anybody, also where the answer is that
/// the person must wait. Measured on two busy cores without optimisation, it took 1 to 8 ms as a
/// rule, and 10 ms with six databases that had to be opened first.
const LOOKS: Duration = Duration::from_millis(25);

/// Whom somebody says to be.
#[derive(Debug, Clone)]
pub enum Login {
    /// By address.
    Email(Email),
    /// By username; needs a tenant.
    Username(Username),
}

impl Login {
    /// The normalised name.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Email(email) => email.key(),
            Self::Username(username) => username.key(),
        }
    }
}

/// Where a request comes from and what is to carry the session.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client's address, if it is known.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// What is to carry the session.
    pub kind: SessionKind,
}

/// Who signed in.
#[derive(Debug, Clone)]
pub enum Person {
    /// Somebody in a tenant.
    User {
        /// The right to work in the tenant.
        ctx: TenantCtx,
        /// The person.
        user: User,
    },
    /// A platform admin.
    Admin(Admin),
}

impl Person {
    /// As sessions name the person.
    pub fn subject(&self) -> Subject {
        match self {
            Self::User { ctx, user } => Subject::User {
                tenant: ctx.id(),
                generation: ctx.generation(),
                user: user.id,
            },
            Self::Admin(admin) => Subject::Admin(admin.id),
        }
    }

    /// The tenant, unless it is a platform admin.
    pub fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::User { ctx, .. } => Some(ctx.tenant()),
            Self::Admin(_) => None,
        }
    }

    /// What each of the person's sessions is compared with.
    pub(crate) const fn security_version(&self) -> SecurityVersion {
        match self {
            Self::User { user, .. } => user.security_version,
            Self::Admin(admin) => admin.security_version,
        }
    }

    /// Whether the password must be changed before anything else.
    pub const fn must_change_password(&self) -> bool {
        match self {
            Self::User { user, .. } => user.must_change_password,
            Self::Admin(admin) => admin.must_change_password,
        }
    }
}

/// How a sign-in ended.
pub enum SignedIn {
    /// Somebody is signed in.
    Yes(Box<(Person, Issued)>),
    /// The password fits in several tenants; one must be chosen.
    Choose {
        /// Proves that the password was right.
        selection_token: Secret<String>,
        /// The tenants it fits in.
        tenants: Vec<Tenant>,
    },
}

impl Service {
    /// Signs in with a password.
    pub async fn sign_in(
        &self,
        tenant: &Resolved,
        login: &Login,
        password: &str,
        client: &Client,
    ) -> Result<SignedIn, Refusal> {
        // Size first: what can't be anybody's password costs nobody a hash.
        let Some(password) = Password::offered(password) else {
            self.attempt(None, &[], client.ip).await?;
            return Err(Refusal::InvalidCredentials);
        };
        let found = self.find_and_count(tenant, login, client);
        let (candidates, attempt) = match tenant {
            Resolved::None => unhurried(found).await?,
            Resolved::Open(_) | Resolved::Closed(_) => found.await?,
        };
        let stored = candidates.iter().enumerate().map(|(place, candidate)| {
            let compared = attempt.wait(place).is_none() && !candidate.disabled();
            let hash = candidate.password_hash().filter(|_| compared);
            hash.map(str::to_owned)
        });
        let (lane, refusal) = match (tenant.id(), client.ip) {
            (Some(tenant), _) => (Lane::Tenant(tenant), 1),
            (None, ip) => (
                ip.map_or(Lane::Platform, |ip| Lane::Network(self.network_key(ip))),
                hashes_without_tenant(candidates.len()),
            ),
        };
        let compared = compare(self.hasher(), lane, &password, stored.collect(), refusal).await;
        if compared.verdicts.iter().all(Result::is_err) {
            // Turned away unheard is no wrong try.
            self.withdraw(attempt).await?;
            let error = compared.verdicts.into_iter().find_map(Result::err);
            return Err(error.map_or(Refusal::InvalidCredentials, hash_refusal));
        }
        let (fitting, places) = fitting(candidates, compared.verdicts);
        if fitting.is_empty() {
            // Some were heard, so that the try stays counted; but it was not heard everywhere.
            return Err(compared
                .turned_away
                .map_or(Refusal::InvalidCredentials, |busy| {
                    Refusal::Busy(busy.retry_after)
                }));
        }
        self.succeed(attempt, &places).await?;
        for (candidate, outdated) in &fitting {
            if *outdated {
                self.upgrade_hash(candidate, &password).await;
            }
        }
        let people = fitting.into_iter().map(|(candidate, _)| candidate);
        self.let_in(people.filter_map(Candidate::person).collect(), client)
            .await
    }

    /// Everybody the password may fit, and the try, counted.
    async fn find_and_count(
        &self,
        tenant: &Resolved,
        login: &Login,
        client: &Client,
    ) -> Result<(Vec<Candidate>, Attempt), Refusal> {
        let candidates = self.candidates(tenant, login).await?;
        let typed = Typed {
            tenant: tenant.id(),
            name: login.key(),
        };
        let accounts: Vec<Account> = candidates.iter().filter_map(Candidate::account).collect();
        let attempt = self.attempt(Some(&typed), &accounts, client.ip).await?;
        Ok((candidates, attempt))
    }

    /// Begins the session of the only one, or asks which it is to be.
    async fn let_in(&self, mut people: Vec<Person>, client: &Client) -> Result<SignedIn, Refusal> {
        if let Some(place) = people
            .iter()
            .position(|person| matches!(person, Person::Admin(_)))
        {
            // Who runs the platform signs in there; tenants have their own addresses.
            people = vec![people.swap_remove(place)];
        }
        if people.len() == 1 {
            let person = people.remove(0);
            let issued = self.begin_session(&person, client).await?;
            return Ok(SignedIn::Yes(Box::new((person, issued))));
        }
        self.offer_choice(people).await
    }
}

/// Gives an answer no sooner than after [`LOOKS`].
pub(crate) async fn unhurried<T>(answer: impl Future<Output = T>) -> T {
    tokio::join!(answer, tokio::time::sleep(LOOKS)).0
}

/// Those the password fits, each with whether its hash is outdated, and their places.
fn fitting(
    candidates: Vec<Candidate>,
    verdicts: Vec<Result<Verdict, HashError>>,
) -> (Vec<(Candidate, bool)>, Vec<usize>) {
    let mut fitting = Vec::new();
    let mut places = Vec::new();
    for (place, (candidate, verdict)) in candidates.into_iter().zip(verdicts).enumerate() {
        match verdict {
            Ok(Verdict::Match { outdated }) => {
                places.push(place);
                fitting.push((candidate, outdated));
            }
            Ok(Verdict::Mismatch) => {}
            Err(error) => {
                // One account's trouble must not keep a person out of the others.
                tracing::warn!(%error, "a password could not be checked at one of several accounts");
            }
        }
    }
    (fitting, places)
}
