//! The right to work in one tenant, as a value.

use std::sync::Arc;

use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, Slug, TenantId};

/// What a request says about its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// An id.
    Id(TenantId),
    /// A slug.
    Slug(Slug),
    /// A verified domain of the tenant's own.
    Domain(String),
}

/// How the tenant became known. Kept with the context for logs and audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The request's host.
    Host,
    /// The header `X-Tenant-ID`.
    Header,
    /// The query parameter `tenant_id`.
    Query,
    /// A token in the path or body.
    Token,
    /// The session or access token.
    Session,
    /// The directory, for somebody who proved a password there.
    Directory,
    /// The operator or a workflow.
    Operator,
}

/// The right to work in one generation of one tenant. Made only by a look into the registry
/// ([`Tenants::enter`](crate::control::Tenants::enter)), and the only thing that opens a tenant's
/// transaction; so a query in a tenant that was not resolved does not compile.
#[derive(Debug, Clone)]
pub struct TenantCtx {
    tenant: Arc<Tenant>,
    origin: Origin,
}

impl TenantCtx {
    pub(crate) fn resolved(tenant: Tenant, origin: Origin) -> Self {
        Self {
            tenant: Arc::new(tenant),
            origin,
        }
    }

    /// The tenant's id.
    pub fn id(&self) -> TenantId {
        self.tenant.id
    }

    /// The generation this right is for.
    pub fn generation(&self) -> Generation {
        self.tenant.generation
    }

    /// The tenant's record as it was read.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// How the tenant became known.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The same right, known in another way.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}
