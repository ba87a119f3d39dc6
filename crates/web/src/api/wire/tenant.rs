//! Tenants, as platform admins see them.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_core::tenant::{Driver, Isolation, Registration};
use tenantry_core::{Colour, TenantStatus, Timestamp};
use tenantry_service::clearing::Cleared;
use tenantry_service::tenants::TenantView;

use crate::assets::logo_path;

/// Where a tenant's database lies.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DatabaseBody {
    /// The engine.
    #[schemars(with = "String")]
    pub driver: Driver,
    /// The server's host; null for a file.
    pub host: Option<String>,
    /// The server's port; null for a file.
    pub port: Option<u16>,
    /// The database's name.
    pub name: String,
    /// The schema of the tenant's applications, where it shares the database with other tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// A tenant, as platform admins see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TenantBody {
    /// The id.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The short human number.
    pub code: String,
    /// The name to show.
    pub name: String,
    /// Where it is in its life.
    #[schemars(with = "String")]
    pub status: TenantStatus,
    /// How often its database was made.
    pub generation: i64,
    /// How its rows are kept apart.
    #[schemars(with = "String")]
    pub isolation: Isolation,
    /// The cluster it is placed on.
    pub cluster: Option<String>,
    /// Its database; null where there is none.
    pub database: Option<DatabaseBody>,
    /// Its verified hosts.
    pub domains: Vec<String>,
    /// Hosts that it claims and that are not proven; nothing leads to it from there.
    pub unproven_domains: Vec<String>,
    /// Where its pages begin.
    pub url: String,
    /// Who may register.
    #[schemars(with = "String")]
    pub registration: Registration,
    /// Whether a registered address must be proven first.
    pub verify_email: bool,
    /// The fewest characters of a new password; null where the platform's number holds.
    pub password_min_length: Option<usize>,
    /// The colour of its pages and mails; null where it has none of its own.
    #[schemars(with = "Option<String>")]
    pub colour: Option<Colour>,
    /// Where its logo is; null where it has none.
    pub logo_url: Option<String>,
    /// When it was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it was deleted.
    #[schemars(with = "Option<String>")]
    pub deleted_at: Option<Timestamp>,
    /// Until when it can be restored.
    #[schemars(with = "Option<String>")]
    pub purge_at: Option<Timestamp>,
    /// The workflow that still makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
}

/// Where a tenant's logo is, at its own host.
pub(super) fn logo_url(view: &TenantView) -> Option<String> {
    let path = logo_path(view.tenant.logo?);
    Some(format!("{}{path}", view.url.trim_end_matches('/')))
}

impl From<&TenantView> for TenantBody {
    fn from(view: &TenantView) -> Self {
        let tenant = &view.tenant;
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug.to_string(),
            code: view.code.clone(),
            name: tenant.name.clone(),
            status: tenant.status,
            generation: tenant.generation.number(),
            isolation: tenant.isolation,
            cluster: view
                .database
                .as_ref()
                .map(|database| database.cluster.clone()),
            database: view.database.as_ref().map(|database| DatabaseBody {
                driver: database.driver,
                host: view.server.as_ref().map(|(host, _)| host.clone()),
                port: view.server.as_ref().map(|(_, port)| *port),
                name: match &view.adopted {
                    Some(adopted) => adopted.as_str().to_owned(),
                    None => database.name.clone(),
                },
                schema: view.schema.clone(),
            }),
            domains: view.domains.clone(),
            unproven_domains: view.unproven_domains.clone(),
            url: view.url.clone(),
            registration: tenant.registration,
            verify_email: tenant.verify_email,
            password_min_length: tenant.password_min,
            colour: tenant.colour,
            logo_url: logo_url(view),
            created_at: tenant.created_at,
            deleted_at: tenant.deleted_at,
            purge_at: tenant.purge_at,
            workflow_id: view.workflow.map(|workflow| workflow.to_string()),
        }
    }
}

/// What clearing a cache came to.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct CacheClearedBody {
    /// Entries that went, over every process that serves.
    pub cache_keys_cleared: u64,
}

/// What an act on a tenant ended.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct ClearedBody {
    /// Tenants it was done to.
    pub tenants_processed: u64,
    /// Cache entries that went, over every process that serves.
    pub cache_keys_cleared: u64,
    /// Sessions that were alive and ended.
    pub sessions_cleared: u64,
}

impl From<&Cleared> for ClearedBody {
    fn from(cleared: &Cleared) -> Self {
        Self {
            tenants_processed: u64::try_from(cleared.tenants.len()).unwrap_or(u64::MAX),
            cache_keys_cleared: cleared.cache_keys(),
            sessions_cleared: cleared.sessions(),
        }
    }
}

/// A tenant that began another life, and what ended with the one before.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RenewedBody {
    /// The tenant as it is now.
    #[serde(flatten)]
    pub tenant: TenantBody,
    /// What ended.
    #[serde(flatten)]
    pub cleared: ClearedBody,
}

impl RenewedBody {
    /// A tenant and what ended.
    pub fn new(view: &TenantView, cleared: &Cleared) -> Self {
        Self {
            tenant: TenantBody::from(view),
            cleared: ClearedBody::from(cleared),
        }
    }
}
