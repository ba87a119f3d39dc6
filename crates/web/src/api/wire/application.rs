//! Applications for a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_core::application::ApplicationState;
use tenantry_service::applications::{ApplicationView, NewApplication};

use crate::extract::Asked;

/// Somebody who wants a tenant. The form of the page has the same fields.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRequest {
    /// The name the tenant is to have.
    pub name: String,
    /// The name in addresses: 3 to 40 of `a-z 0-9 -`.
    pub slug: String,
    /// The address of whoever asks, who is to be the owner.
    pub email: String,
    /// The name of whoever asks.
    #[serde(default)]
    pub full_name: Option<String>,
}

impl From<ApplicationRequest> for NewApplication {
    fn from(request: ApplicationRequest) -> Self {
        Self {
            name: request.name,
            slug: request.slug,
            email: request.email,
            full_name: request.full_name,
        }
    }
}

/// The proof of the address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// From the link in the mail.
    pub token: String,
}

/// What came of proving the address.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfirmedBody {
    /// `pending`: somebody decides; `approved`: the tenant is there, or being made.
    #[schemars(with = "String")]
    pub status: ApplicationState,
    /// Where the tenant's pages begin, where it is there.
    pub url: Option<String>,
}

/// What whoever approves decides otherwise than was asked for.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// Another name in addresses.
    #[serde(default)]
    pub slug: Option<String>,
    /// `database`, `schema` or `shared`.
    #[serde(default)]
    pub isolation: Option<String>,
    /// The cluster to place it on.
    #[serde(default)]
    pub cluster: Option<String>,
}

/// Why not.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectRequest {
    /// What the mail to whoever asked says, one line of at most 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What can be asked of the list of applications.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationQuery {
    /// `pending_proof`, `pending`, `approved`, `rejected` or `expired`; all without it.
    #[serde(default)]
    pub state: Option<String>,
    /// The most things to answer with, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Where the page begins, from an earlier answer.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The tenant hint, read elsewhere.
    #[serde(default)]
    #[schemars(skip)]
    pub tenant_id: Option<String>,
}

impl Asked for ApplicationQuery {
    const IS: &'static str = "the query has state, limit and cursor, once each";
}

/// An application for a tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApplicationBody {
    /// The id.
    pub id: String,
    /// `pending_proof`, `pending`, `approved`, `rejected` or `expired`.
    #[schemars(with = "String")]
    pub state: ApplicationState,
    /// The name the tenant is to have.
    pub name: String,
    /// The slug that is wished for.
    pub slug: String,
    /// The address of whoever asks; null once it expired, and where it is damaged.
    pub email: Option<String>,
    /// The name of whoever asks.
    pub full_name: Option<String>,
    /// Whether who asks can't be read any more. Such an application can only be rejected.
    pub damaged: bool,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The tenant that came of it.
    pub tenant_id: Option<String>,
    /// When it was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When the address was proven.
    #[schemars(with = "Option<String>")]
    pub proven_at: Option<Timestamp>,
    /// When it was decided.
    #[schemars(with = "Option<String>")]
    pub decided_at: Option<Timestamp>,
}

impl From<&ApplicationView> for ApplicationBody {
    fn from(view: &ApplicationView) -> Self {
        Self {
            id: view.id.to_string(),
            state: view.state,
            name: view.name.clone(),
            slug: view.slug.clone(),
            email: view.email.as_ref().map(ToString::to_string),
            full_name: view.full_name.clone(),
            damaged: view.damaged,
            reason: view.reason.clone(),
            tenant_id: view.tenant.map(|id| id.to_string()),
            created_at: view.created_at,
            proven_at: view.proven_at,
            decided_at: view.decided_at,
        }
    }
}
