//! Adding somebody to a tenant.

use tenantry_core::one_time::Purpose;
use tenantry_core::password::Password;
use tenantry_core::user::{User, Username};
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Locale, Role, Secret, UserId};
use tenantry_keys::generated;
use tenantry_keys::token::TokenKind;
use tenantry_store::StoreError;
use tenantry_store::control::{Reservation, StoredSecret};
use tenantry_store::tenant::{Added, NewUser, TenantTx};

use super::links::INVITED;
use super::{Acting, Unfit, acting_still, checked_full_name};
use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::one_time::{Minted, scope};
use crate::password::Holder;
use crate::{FieldError, Refusal, Service};

/// How somebody who is added gets a password.
pub enum FirstPassword {
    /// By a link that is mailed.
    Link,
    /// Whoever adds the person has chosen it.
    Given(String),
    /// It is drawn at random and told once; it must be changed before anything else.
    Generated,
}

/// Somebody to add to a tenant.
pub struct NewStaff {
    /// The address.
    pub email: Email,
    /// The name to sign in with, if any.
    pub username: Option<Username>,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// How the person gets a password.
    pub password: FirstPassword,
    /// Whether a password that was given must be changed before anything else.
    pub must_change_password: bool,
    /// The language of the mail.
    pub locale: Locale,
}

/// Somebody who was just added.
pub struct CreatedStaff {
    /// The person.
    pub user: User,
    /// The password, where one was drawn. It is told here and never again.
    pub password: Option<Secret<String>>,
}

/// What is drawn and worked out before anything is written.
struct Prepared {
    full_name: Option<String>,
    hash: Option<String>,
    drawn: Option<Secret<String>>,
    link: Option<Minted>,
}

impl Service {
    /// Adds somebody to a tenant. The directory's entry is reserved first; who has the address and
    /// the username is decided by the tenant's own constraints.
    pub async fn create_staff(
        &self,
        acting: &Acting<'_>,
        new: NewStaff,
    ) -> Result<CreatedStaff, Refusal> {
        if new.role == Role::PlatformAdmin {
            let nobody = "the roles of a tenant are owner, admin and member";
            return Err(Refusal::field("role", "invalid", nobody));
        }
        if new.role.rank() > acting.role().rank() {
            return Err(Refusal::Forbidden);
        }
        if matches!(new.password, FirstPassword::Link) {
            self.expect_few_links(acting, &new.email).await?;
        }
        let prepared = self.prepare(acting, &new).await?;
        let (ctx, by) = (acting.ctx, acting.user_id());
        let id = UserId::generate(self.clock(), self.entropy());
        let entry = self.entry_for(ctx, id, &new.email, new.role);
        if self.reserve_entry(&entry).await? == Reservation::Taken {
            return Err(Refusal::EmailTaken);
        }
        let row = NewUser {
            id,
            email: &new.email,
            username: new.username.as_ref(),
            full_name: prepared.full_name.as_deref(),
            role: new.role,
            password_hash: prepared.hash.as_deref(),
            must_change_password: match new.password {
                FirstPassword::Generated => true,
                FirstPassword::Given(_) | FirstPassword::Link => new.must_change_password,
            },
            created_at: self.clock().now(),
        };
        let secret = prepared.link.as_ref().map(|link| &link.stored);
        let added = in_tenant!(self, ctx, |tx| add(&mut tx, by, &row, secret).await?);
        let added = self
            .settle_after(ctx, id, Some(&entry), added, |added| {
                Tell::of(EventKind::UserCreated, added.as_ref().ok())
            })
            .await?;
        let user = added?;
        if let Some(link) = &prepared.link {
            self.mail_setup_link(ctx, &user, link, new.locale).await?;
        }
        Ok(CreatedStaff {
            user,
            password: prepared.drawn,
        })
    }

    async fn prepare(&self, acting: &Acting<'_>, new: &NewStaff) -> Result<Prepared, Refusal> {
        let mut errors: Vec<FieldError> = Vec::new();
        let full_name = checked_full_name(new.full_name.as_deref()).unwrap_or_else(|error| {
            errors.push(error);
            None
        });
        let holder = Holder::in_tenant(acting.ctx.tenant())
            .address(&new.email)
            .named(new.username.as_ref().map(Username::as_str))
            .named(full_name.as_deref());
        if let FirstPassword::Given(text) = &new.password
            && let Err(error) = self.permitted_password("password", text, &holder)
        {
            errors.push(error);
        }
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let (mut hash, mut drawn, mut link) = (None, None, None);
        match &new.password {
            FirstPassword::Link => {
                link = Some(self.mint_secret(
                    Some(scope(acting.ctx)),
                    TokenKind::Setup,
                    Purpose::Setup,
                    INVITED,
                ));
            }
            FirstPassword::Given(text) => {
                hash = Some(self.hashed(acting, text, &holder).await?);
            }
            FirstPassword::Generated => {
                let password = generated::password(self.entropy());
                // As strong as any rule could ask, and no choice of anybody's.
                let text = Password::offered(password.expose());
                let text = text.ok_or(Refusal::InvalidCredentials)?;
                hash = Some(self.hash_password(Some(acting.ctx.id()), text).await?);
                drawn = Some(password);
            }
        }
        Ok(Prepared {
            full_name,
            hash,
            drawn,
            link,
        })
    }

    async fn hashed(
        &self,
        acting: &Acting<'_>,
        text: &str,
        holder: &Holder,
    ) -> Result<String, Refusal> {
        let password = self.chosen_password("password", text, holder).await?;
        self.hash_password(Some(acting.ctx.id()), password).await
    }
}

/// Adds the row and, where there is to be one, the setup link's secret.
async fn add(
    tx: &mut TenantTx,
    by: Option<UserId>,
    row: &NewUser<'_>,
    secret: Option<&StoredSecret>,
) -> Result<Result<User, Unfit>, StoreError> {
    tx.users().hold().await?;
    let still = acting_still(tx, by).await?;
    if still.is_none_or(|acting| row.role.rank() > acting.rank()) {
        return Ok(Err(Unfit::Forbidden));
    }
    match tx.users().add(row).await? {
        Added::Yes => {}
        Added::EmailTaken => return Ok(Err(Unfit::EmailTaken)),
        Added::UsernameTaken => return Ok(Err(Unfit::UsernameTaken)),
    }
    if let Some(secret) = secret {
        tx.secrets().add(row.id, secret).await?;
    }
    let record = tx.users().lookup(row.id).await?;
    Ok(record.map(|record| record.user).ok_or(Unfit::Gone))
}
