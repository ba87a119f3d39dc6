//! A tenant to make, and whether it may be made.

use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::user::Username;
use tenantry_core::{ApplicationId, Colour, Email, Locale, Slug};

use super::checked_name;
use crate::password::Holder;
use crate::{Refusal, Service};

/// The owner of a new tenant.
#[derive(Debug, Clone)]
pub struct NewOwner {
    /// The address.
    pub email: Email,
    /// The name to sign in with, if any.
    pub username: Option<Username>,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// The first password; without one the owner gets a setup link by mail.
    pub password: Option<String>,
}

/// A tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The name to show.
    pub name: String,
    /// The name in addresses.
    pub slug: Slug,
    /// Its owner.
    pub owner: NewOwner,
    /// How its rows are kept apart.
    pub isolation: Isolation,
    /// The cluster to place it on; `None` leaves the choice to the service.
    pub cluster: Option<String>,
    /// Who may register.
    pub registration: Registration,
    /// Whether a registered address must be proven first.
    pub verify_email: bool,
    /// The colour of its pages and mails, where it chooses one.
    pub colour: Option<Colour>,
    /// Hosts that it claims.
    pub domains: Vec<String>,
    /// The application that asks for it, if there is one.
    pub application: Option<ApplicationId>,
    /// The language of the owner's mail.
    pub locale: Option<Locale>,
}

impl NewTenant {
    /// Whose password the owner's will be.
    pub(super) fn holder(&self) -> Holder {
        let tenant = Holder::outside().named(Some(&self.name));
        self.owner.holder(tenant.named(Some(self.slug.as_str())))
    }
}

impl NewOwner {
    /// Whose password it will be, in a tenant that is known.
    pub(super) fn holder(&self, tenant: Holder) -> Holder {
        tenant
            .address(&self.email)
            .named(self.username.as_ref().map(Username::as_str))
            .named(self.full_name.as_deref())
    }
}

impl Service {
    pub(super) async fn check_new_tenant(&self, new: &NewTenant) -> Result<(), Refusal> {
        let mut errors = Vec::new();
        if let Err(error) = checked_name(&new.name) {
            errors.push(error);
        }
        if let Err(wrong) = self.claimable_hosts(&new.domains) {
            errors.extend(wrong);
        }
        let clusters = self.control().read().await?.clusters().list().await?;
        errors.extend(crate::clusters::unfit_site(
            &clusters,
            new.isolation,
            new.cluster.as_deref(),
        ));
        if let Some(password) = &new.owner.password
            && let Err(wrong) = self.permitted_password("owner.password", password, &new.holder())
        {
            errors.push(wrong);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Validation(errors))
        }
    }
}
