//! Signing in with a password.
//!
//! Known and unknown people walk the same path: the same lookups, one counted try, one real or
//! dummy hash, one decision. With a tenant named, only that tenant is looked at; without one,
//! platform admins and the directory say where a password may fit.

use std::net::IpAddr;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tenantry_core::admin::Admin;
use tenantry_core::one_time::Purpose;
use tenantry_core::password::Password;
use tenantry_core::session::{SessionKind, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::user::{User, Username};
use tenantry_core::{Email, OneTimeId, Secret, TenantId, UserId};
use tenantry_keys::hasher::{HashError, Lane};
use tenantry_keys::password::Verdict;
use tenantry_keys::token::TokenKind;
use tenantry_store::control::{AdminRecord, StoredSecret};
use tenantry_store::tenant::UserRecord;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::resolve::Resolved;
use crate::sessions::Issued;
use crate::throttle::{Account, Typed};
use crate::{Refusal, Service};

/// The most tenants one address is tried in when none is named.
const MOST_CANDIDATES: i64 = 16;

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
    fn key(&self) -> String {
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
    pub const fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::User { ctx, .. } => Some(ctx.tenant()),
            Self::Admin(_) => None,
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

/// Somebody a password is tried on.
enum Candidate {
    Admin(AdminRecord),
    User(TenantCtx, UserRecord),
    /// Stands in where nobody is found, so that the path is the same.
    Nobody,
}

impl Candidate {
    fn account(&self) -> Option<Account> {
        match self {
            Self::Admin(record) => Some(Account::Admin(record.admin.id)),
            Self::User(ctx, record) => Some(Account::User(ctx.id(), record.user.id)),
            Self::Nobody => None,
        }
    }

    fn password_hash(&self) -> Option<&str> {
        match self {
            Self::Admin(record) => record.password_hash.as_deref(),
            Self::User(_, record) => record.password_hash.as_deref(),
            Self::Nobody => None,
        }
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User(ctx, _) => Some(ctx.id()),
            Self::Admin(_) | Self::Nobody => None,
        }
    }

    fn disabled(&self) -> bool {
        match self {
            Self::Admin(record) => record.admin.disabled_at.is_some(),
            Self::User(_, record) => record.user.disabled_at.is_some(),
            Self::Nobody => false,
        }
    }

    fn person(self) -> Option<Person> {
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

/// One tenant a password fitted in, as a selection remembers it.
#[derive(Serialize, Deserialize)]
struct Choice {
    tenant: TenantId,
    generation: i64,
    user: UserId,
    security_version: i64,
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
        let password = Password::offered(password).ok_or(Refusal::InvalidCredentials)?;
        let candidates = self.candidates(tenant, login).await?;
        let typed = Typed {
            tenant: tenant.id(),
            name: login.key(),
        };
        let accounts: Vec<Account> = candidates.iter().filter_map(Candidate::account).collect();
        let attempt = self.attempt(Some(&typed), &accounts, client.ip).await?;
        let lane = match (tenant.id(), client.ip) {
            (Some(tenant), _) => Lane::Tenant(tenant),
            (None, Some(ip)) => Lane::Network(self.network_key(ip)),
            (None, None) => Lane::Platform,
        };
        let checks = candidates.iter().enumerate().map(|(place, candidate)| {
            // One that must not be compared costs the same and does not fit.
            let hash = candidate
                .password_hash()
                .filter(|_| attempt.wait(place).is_none());
            self.hasher()
                .verify(lane, password.clone(), hash.map(str::to_owned))
        });
        let verdicts = join_all(checks).await;
        if verdicts.iter().all(Result::is_err) {
            // Turned away unheard is no wrong try.
            self.withdraw(attempt).await?;
            let error = verdicts.into_iter().find_map(Result::err);
            return Err(error.map_or(Refusal::InvalidCredentials, hash_refusal));
        }
        let mut fitting = Vec::new();
        let mut places = Vec::new();
        for (place, (candidate, verdict)) in candidates.into_iter().zip(verdicts).enumerate() {
            match verdict {
                Ok(Verdict::Match { outdated }) if !candidate.disabled() => {
                    places.push(place);
                    fitting.push((candidate, outdated));
                }
                Ok(_) => {}
                Err(error) => {
                    // One account's trouble must not keep a person out of the others.
                    tracing::warn!(%error, "a password could not be checked at one of several accounts");
                }
            }
        }
        if fitting.is_empty() {
            return Err(Refusal::InvalidCredentials);
        }
        self.succeed(attempt, &places).await?;
        for (candidate, outdated) in &fitting {
            if *outdated {
                self.upgrade_hash(candidate, &password).await;
            }
        }
        let mut people: Vec<Person> = fitting
            .into_iter()
            .filter_map(|(candidate, _)| candidate.person())
            .collect();
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

    /// Everybody the password may fit; never nobody, so that the path is the same.
    async fn candidates(
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
        let mut places: Vec<(TenantCtx, Option<UserId>)> = control
            .directory()
            .find_active(hash, MOST_CANDIDATES)
            .await?
            .into_iter()
            .map(|placed| (placed.ctx, Some(placed.user)))
            .collect();
        if let Some(tenant) = control
            .domains()
            .find_by_mail_domain(&email.domain())
            .await?
            && let Some(tenantry_store::control::Entry::Open(ctx)) = control
                .tenants()
                .enter(&Hint::Id(tenant), Origin::Directory)
                .await?
        {
            // A proven mail domain decides where its people sign in.
            places = vec![(ctx, None)];
        }
        drop(control);
        for (ctx, expected) in places {
            // The directory is a hint. One tenant's trouble must not keep a person out of another.
            let Ok(mut tx) = self.pools().read(&ctx).await.map_err(Refusal::tenant(&ctx)) else {
                continue;
            };
            let Ok(Some(record)) = tx.users().find_by_email(email).await else {
                continue;
            };
            if expected.is_none_or(|user| user == record.user.id) {
                candidates.push(Candidate::User(ctx, record));
            }
        }
        if candidates.is_empty() {
            candidates.push(Candidate::Nobody);
        }
        Ok(candidates)
    }

    /// Replaces a hash made with weaker parameters. Not done is not bad: the next sign-in tries
    /// again.
    async fn upgrade_hash(&self, candidate: &Candidate, password: &Password) {
        let upgraded = async {
            let Some(from) = candidate.password_hash() else {
                return Ok(());
            };
            let to = self
                .hasher()
                .hash(candidate.tenant(), password.clone())
                .await
                .map_err(hash_refusal)?;
            match candidate {
                Candidate::Admin(record) => {
                    let mut tx = self.control().begin().await?;
                    tx.admins().upgrade_hash(record.admin.id, from, &to).await?;
                    tx.commit().await?;
                }
                Candidate::User(ctx, record) => {
                    let mut tx = self.pools().begin(ctx).await?;
                    tx.users().upgrade_hash(record.user.id, from, &to).await?;
                    tx.commit().await?;
                }
                Candidate::Nobody => {}
            }
            Ok::<(), Refusal>(())
        };
        if let Err(error) = upgraded.await {
            tracing::warn!(%error, "a password's hash could not be upgraded");
        }
    }

    async fn offer_choice(&self, people: Vec<Person>) -> Result<SignedIn, Refusal> {
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
            if let Some(tenantry_store::control::Entry::Open(ctx)) = entry
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

/// What an error of the hashing pool means.
pub(crate) fn hash_refusal(error: HashError) -> Refusal {
    match error {
        HashError::Busy(busy) => Refusal::Busy(busy.retry_after),
        error => Refusal::failed("a password could not be checked")(error),
    }
}
