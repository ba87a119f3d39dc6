//! Platform admins.

use tenantry_core::admin::Admin;
use tenantry_core::one_time::Purpose;
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, Email, OneTimeId, Secret};
use tenantry_keys::token::TokenKind;
use tenantry_store::control::{AdminRecord, StoredSecret};

use crate::password::Holder;
use crate::{Refusal, Service};

/// A platform admin that was just added.
pub struct NewAdmin {
    /// The admin.
    pub admin: Admin,
    /// Where the first password is set, if none was given.
    pub setup_link: Option<Secret<String>>,
}

impl Service {
    /// Adds a platform admin. Without a password the answer holds a setup link; asked again for an
    /// admin who never set a password, it holds a fresh one.
    pub async fn create_admin(
        &self,
        email: Email,
        password: Option<&str>,
    ) -> Result<NewAdmin, Refusal> {
        let hash = match password {
            Some(password) => {
                let holder = Holder::outside().address(&email);
                let password = self.chosen_password("password", password, &holder).await?;
                Some(self.hash_password(None, password).await?)
            }
            None => None,
        };
        let now = self.clock().now();
        let mut admin = Admin {
            id: AdminId::generate(self.clock(), self.entropy()),
            email,
            full_name: None,
            security_version: SecurityVersion(1),
            must_change_password: false,
            has_password: hash.is_some(),
            disabled_at: None,
            created_at: now,
            last_login_at: None,
        };
        let mut tx = self.control().begin().await?;
        let record = AdminRecord {
            admin: admin.clone(),
            password_hash: hash,
        };
        if !tx.admins().add(&record).await? {
            let there = tx.admins().find_by_email(&admin.email).await?;
            match there {
                Some(there) if !there.admin.has_password && password.is_none() => {
                    admin = there.admin;
                }
                _ => return Err(Refusal::EmailTaken),
            }
        }
        let mut setup_link = None;
        if password.is_none() {
            let id = OneTimeId::generate(self.clock(), self.entropy());
            let (token, hash) =
                self.keyring()
                    .tokens()
                    .mint(TokenKind::Setup, None, id.uuid(), self.entropy());
            let secret = StoredSecret {
                id,
                purpose: Purpose::Setup,
                hash: hash.into_bytes(),
                created_at: now,
                expires_at: now + Purpose::Setup.lifetime(),
            };
            tx.one_time().add(admin.id, &secret).await?;
            let link = crate::links::link(
                &self.settings().public_url,
                &format!("/setup/password/{}", token.expose()),
            )?;
            setup_link = Some(Secret::new(link.expose().to_owned()));
        }
        tx.commit().await?;
        Ok(NewAdmin { admin, setup_link })
    }

    /// Every platform admin.
    pub async fn list_admins(&self) -> Result<Vec<Admin>, Refusal> {
        Ok(self.control().read().await?.admins().list().await?)
    }
}
