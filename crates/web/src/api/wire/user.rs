//! A tenant's people, as its owners and admins see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_core::user::User;

use crate::api::fields::given;

/// Somebody in a tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StaffBody {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Whether the person is kept out.
    pub disabled: bool,
    /// The password must be changed before anything else.
    pub must_change_password: bool,
    /// When the person was added.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The last sign-in, if there was one.
    #[schemars(with = "Option<String>")]
    pub last_login_at: Option<Timestamp>,
}

impl From<&User> for StaffBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            username: user.username.clone(),
            full_name: user.full_name.clone(),
            role: user.role.to_string(),
            disabled: user.disabled_at.is_some(),
            must_change_password: user.must_change_password,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        }
    }
}

/// Somebody who was just added.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StaffCreatedBody {
    /// The person.
    #[serde(flatten)]
    pub user: StaffBody,
    /// The password, where one was generated; told here and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Somebody to add.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffRequest {
    /// The address.
    pub email: String,
    /// The name to sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// The name to show.
    #[serde(default)]
    pub full_name: Option<String>,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// The first password; without one the person gets a setup link by mail.
    #[serde(default)]
    pub password: Option<String>,
    /// Have a password made and answered once; it must be changed at the first sign-in.
    #[serde(default)]
    pub generate_password: bool,
    /// Whether the password must be changed at the first sign-in.
    #[serde(default)]
    pub must_change_password: bool,
}

/// What to change about somebody; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffPatch {
    /// The address.
    #[serde(default)]
    pub email: Option<String>,
    /// The name to sign in with; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub username: Option<Option<String>>,
    /// The name to show; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub full_name: Option<Option<String>>,
    /// `owner`, `admin` or `member`.
    #[serde(default)]
    pub role: Option<String>,
    /// Whether the person is kept out.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// Whether the password must be changed before anything else.
    #[serde(default)]
    pub must_change_password: Option<bool>,
}

/// A PIN.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// Six digits.
    pub pin: String,
}
