//! The owner that a tenant is made with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::user::{Username, full_name};
use tenantry_service::FieldError;
use tenantry_service::tenants::NewOwner;

use super::{collect, parse_option};

/// The owner of a tenant to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerRequest {
    /// The address.
    pub email: String,
    /// The name to sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// The name to show.
    #[serde(default)]
    pub full_name: Option<String>,
    /// The first password; without one the owner gets a setup link by mail.
    #[serde(default)]
    pub password: Option<String>,
}

impl OwnerRequest {
    /// The owner it asks for, or `None` with what is wrong among `errors`.
    pub(super) fn into_owner(self, errors: &mut Vec<FieldError>) -> Option<NewOwner> {
        let username = parse_option::<Username>(errors, "owner.username", self.username.as_deref());
        let email = collect(errors, "owner.email", self.email.parse());
        let name = collect(
            errors,
            "owner.full_name",
            full_name(self.full_name.as_deref()),
        );
        Some(NewOwner {
            email: email?,
            username,
            full_name: name?,
            password: self.password,
        })
    }
}
