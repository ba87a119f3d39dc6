//! Passwords that people choose: the rules of the platform and of the tenant, the names around a
//! password, and whether it is known from a breach.
//!
//! Every password that somebody wants to have goes through [`Service::chosen_password`], and nothing
//! else makes one of a text that came from outside. Whoever calls says whose it will be.

mod breach;

use tenantry_core::Email;
use tenantry_core::password::{Context, Password, PasswordPolicy};
use tenantry_core::tenant::Tenant;

use crate::{FieldError, Refusal, Service};

pub(crate) use breach::Looks;
pub use breach::{BreachCheck, BreachLooks};

/// Whose password it will be, as far as the rules ask.
pub(crate) struct Holder {
    min: Option<usize>,
    context: Context,
}

impl Holder {
    /// Somebody outside the tenants.
    pub(crate) fn outside() -> Self {
        Self {
            min: None,
            context: Context::new(),
        }
    }

    /// Somebody in a tenant.
    pub(crate) fn in_tenant(tenant: &Tenant) -> Self {
        Self {
            min: tenant.password_min,
            ..Self::outside()
        }
        .named(Some(&tenant.name))
        .named(Some(tenant.slug.as_str()))
    }

    /// Somebody with this address.
    pub(crate) fn address(mut self, email: &Email) -> Self {
        self.context = self.context.address(email);
        self
    }

    /// Somebody with this name or username, if there is one.
    pub(crate) fn named(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            self.context = self.context.named(name);
        }
        self
    }
}

impl Service {
    /// What a new password must be, in a tenant or outside.
    pub fn password_policy(&self, tenant: Option<&Tenant>) -> PasswordPolicy {
        let min = tenant.and_then(|tenant| tenant.password_min);
        self.settings().passwords.with_min(min)
    }

    /// A password somebody wants to have from now on. `field` is where it was written.
    pub(crate) async fn chosen_password(
        &self,
        field: &'static str,
        text: &str,
        holder: &Holder,
    ) -> Result<Password, Refusal> {
        let password = self
            .permitted_password(field, text, holder)
            .map_err(|error| Refusal::Validation(vec![error]))?;
        if self.is_breached(&password).await {
            return Err(Refusal::field(
                field,
                "breached",
                "this password was found among stolen ones; choose another one",
            ));
        }
        Ok(password)
    }

    /// The same as far as it needs nobody outside: what is wrong can be told beside what is wrong
    /// with other fields.
    pub(crate) fn permitted_password(
        &self,
        field: &'static str,
        text: &str,
        holder: &Holder,
    ) -> Result<Password, FieldError> {
        let policy = self.settings().passwords.with_min(holder.min);
        Password::chosen(text, policy, &holder.context)
            .map_err(|error| FieldError::new(field, error.code(), error))
    }
}
