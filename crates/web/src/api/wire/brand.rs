//! A tenant, as its own owners and admins see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Colour;
use tenantry_service::tenants::TenantView;

use super::tenant::logo_url;
use crate::api::fields::given;

/// A tenant, as its own owners and admins see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OwnTenantBody {
    /// The id.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The short human number.
    pub code: String,
    /// The name to show.
    pub name: String,
    /// Where its pages begin.
    pub url: String,
    /// The colour of its pages and mails; null where it has none of its own.
    #[schemars(with = "Option<String>")]
    pub colour: Option<Colour>,
    /// Where its logo is; null where it has none.
    pub logo_url: Option<String>,
}

impl From<&TenantView> for OwnTenantBody {
    fn from(view: &TenantView) -> Self {
        let tenant = &view.tenant;
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug.to_string(),
            code: view.code.clone(),
            name: tenant.name.clone(),
            url: view.url.clone(),
            colour: tenant.colour,
            logo_url: logo_url(view),
        }
    }
}

/// What owners and admins change about their tenant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnTenantPatch {
    /// The colour of its pages and mails, as `#1d4ed8`; null for none of its own. Text on it and
    /// links in it are shifted until they can be read.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub colour: Option<Option<String>>,
}
