//! Changing what a tenant is called, and what holds in it.

use tenantry_core::password::PasswordPolicy;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Locale, TenantId, UserId};
use tenantry_store::control::{MinLength, TenantPatch};

use super::{NewOwner, TenantView, checked_name};
use crate::{Refusal, Service};

/// What is to be different about a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// What stands in its own row.
    pub patch: TenantPatch,
    /// The hosts that it claims from now on.
    pub hosts: Option<Vec<String>>,
    /// Who becomes an owner, beside those there are, and the language of that person's mail.
    pub owner: Option<(NewOwner, Locale)>,
}

/// A tenant that was changed.
pub struct Changed {
    /// The tenant, as it is now.
    pub view: TenantView,
    /// Who was named as an owner.
    pub owner: Option<UserId>,
}

impl Service {
    /// Whether a tenant may set so many characters as the fewest of a new password.
    fn expect_min(&self, characters: u8) -> Result<(), Refusal> {
        let range = PasswordPolicy::TENANT_MIN;
        let most = (*range.end()).min(self.settings().passwords.max);
        if (*range.start()..=most).contains(&usize::from(characters)) {
            return Ok(());
        }
        Err(Refusal::field(
            "password_min_length",
            "invalid",
            format!(
                "the fewest characters of a password are {} to {most}",
                range.start()
            ),
        ))
    }

    /// Changes what a patch names.
    pub async fn patch_tenant(
        &self,
        id: TenantId,
        patch: TenantPatch,
    ) -> Result<TenantView, Refusal> {
        let change = TenantChange {
            patch,
            ..TenantChange::default()
        };
        Ok(self.change_tenant(id, change).await?.view)
    }

    /// Changes what is named. The owner comes first, since only that lies in another database: where
    /// it is refused, nothing else was changed, and where a later part is, asking again does no harm.
    pub async fn change_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
    ) -> Result<Changed, Refusal> {
        let TenantChange {
            mut patch,
            hosts,
            owner,
        } = change;
        let hosts = hosts.map(|hosts| self.claimable_hosts(&hosts)).transpose();
        let hosts = hosts.map_err(Refusal::Validation)?;
        if let Some(name) = &mut patch.name {
            *name = checked_name(name).map_err(|error| Refusal::Validation(vec![error]))?;
        }
        if let Some(MinLength::Own(characters)) = patch.password_min {
            self.expect_min(characters)?;
        }
        let owner = match owner {
            Some((owner, locale)) => Some(self.name_owner(id, owner, locale).await?.id),
            None => None,
        };
        let mut tx = self.control().begin().await?;
        if !tx.tenants().patch(id, &patch).await? {
            return Err(Refusal::NotFound);
        }
        if let Some(hosts) = hosts {
            self.set_hosts(&mut tx, id, &hosts).await?;
        }
        if let Some(tenant) = tx.tenants().lookup(id).await? {
            let event = EventKind::TenantUpdated;
            let told = self.shared().announce_tenant(&mut tx, event, &tenant);
            told.await?;
        }
        tx.commit().await?;
        let view = self.view(id).await?;
        Ok(Changed { view, owner })
    }
}
