//! Two tenants to look around in.

use std::time::Duration;

use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::user::Username;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Role, Slug, UserId};
use tenantry_store::control::{DirectoryEntry, Entry, EntryKind, EntryState};
use tenantry_store::tenant::NewUser;
use tenantry_store::{Hint, Origin};

use crate::attempts::in_tenant;
use crate::password::Holder;
use crate::tenants::{Created, NewOwner, NewTenant};
use crate::webhooks::UserFacts;
use crate::{Refusal, Service};

/// Somebody to sign in as.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DemoPerson {
    /// Where to sign in.
    pub url: String,
    /// The tenant's slug; empty for the platform.
    pub tenant: String,
    /// What the person may do.
    pub role: Role,
    /// The address.
    pub email: String,
    /// The password; `None` where it was set by an earlier start.
    pub password: Option<String>,
}

const WAIT: Duration = Duration::from_secs(30);

/// The address that is two people in two tenants.
const BOTH: &str = "sam@example.com";

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Refusal>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(Refusal::failed("the demo's own data is wrong"))
}

impl Service {
    /// Makes the demo's tenants and people, those that are not there yet. Passwords are drawn at
    /// random and told once.
    pub async fn make_demo(&self) -> Result<Vec<DemoPerson>, Refusal> {
        let mut people = Vec::new();
        for (slug, name, owner, full_name) in [
            ("acme", "Acme Bakery", "ada@example.com", "Ada Lovelace"),
            (
                "globex",
                "Globex Energy",
                "grace@example.com",
                "Grace Hopper",
            ),
        ] {
            let password = tenantry_keys::generated::password(self.entropy())
                .expose()
                .clone();
            let new = NewTenant {
                name: name.to_owned(),
                slug: parsed(slug)?,
                owner: NewOwner {
                    email: parsed(owner)?,
                    username: None,
                    full_name: Some(full_name.to_owned()),
                    password: Some(password.clone()),
                },
                isolation: Isolation::Database,
                cluster: None,
                registration: Registration::Closed,
                verify_email: true,
                colour: None,
                domains: Vec::new(),
                application: None,
                locale: None,
            };
            let password = match self.create_tenant(new, None, WAIT).await {
                Ok(Created::Active(_) | Created::Later(..)) => Some(password),
                Err(Refusal::SlugTaken) => None,
                Err(refusal) => return Err(refusal),
            };
            people.push(self.demo_person(slug, Role::Owner, owner, password).await?);
            let password = self.add_demo_member(slug).await?;
            people.push(self.demo_person(slug, Role::Member, BOTH, password).await?);
        }
        Ok(people)
    }

    async fn demo_person(
        &self,
        slug: &str,
        role: Role,
        email: &str,
        password: Option<String>,
    ) -> Result<DemoPerson, Refusal> {
        let url = self.find_tenant(slug).await?.url;
        Ok(DemoPerson {
            url,
            tenant: slug.to_owned(),
            role,
            email: email.to_owned(),
            password,
        })
    }

    /// Adds the person who is in both tenants under one address; the password, if it is new.
    async fn add_demo_member(&self, slug: &str) -> Result<Option<String>, Refusal> {
        let slug: Slug = parsed(slug)?;
        let entry = self
            .control()
            .read()
            .await?
            .tenants()
            .enter(&Hint::Slug(slug), Origin::Operator)
            .await?;
        let Some(Entry::Open(ctx)) = entry else {
            return Ok(None);
        };
        let email: Email = parsed(BOTH)?;
        let username: Username = parsed("sam")?;
        let mut tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        if tx
            .users()
            .find_by_email(&email)
            .await
            .map_err(Refusal::tenant(&ctx))?
            .is_some()
        {
            return Ok(None);
        }
        drop(tx);
        let password = tenantry_keys::generated::password(self.entropy())
            .expose()
            .clone();
        let holder = Holder::in_tenant(ctx.tenant()).address(&email);
        let chosen = self.chosen_password("password", &password, &holder).await?;
        let hash = self.hash_password(Some(ctx.id()), chosen).await?;
        let id = UserId::generate(self.clock(), self.entropy());
        let now = self.clock().now();
        let entry = DirectoryEntry {
            tenant: ctx.id(),
            generation: ctx.generation(),
            user: id,
            address_hash: self.keyring().directory().hash(&email.key()),
            kind: EntryKind::Staff,
            state: EntryState::Reserved,
        };
        let mut control = self.control().begin().await?;
        control.directory().reserve(&entry, false, now).await?;
        control.commit().await?;
        let user = NewUser {
            id,
            email: &email,
            username: Some(&username),
            full_name: Some("Sam Okafor"),
            role: Role::Member,
            password_hash: Some(&hash),
            must_change_password: false,
            created_at: now,
        };
        in_tenant!(self, &ctx, |tx| tx.users().add(&user).await?)?;
        let mut control = self.control().begin().await?;
        control.directory().confirm(ctx.id(), id).await?;
        let facts = UserFacts {
            id,
            email: &email,
            username: Some(username.as_str()),
            full_name: user.full_name,
            role: user.role,
            disabled: false,
        };
        let event = EventKind::UserCreated;
        let told = self
            .shared()
            .announce_user(&mut control, event, ctx.tenant(), facts);
        told.await?;
        control.commit().await?;
        Ok(Some(password))
    }
}
