//! Which tenant a request means.
//!
//! Explicit hints are all looked at, and two that name different tenants are refused before any
//! person's data is read. The directory and mail domains come later, and only for people who are
//! not signed in.

use tenantry_core::tenant::Tenant;
use tenantry_core::{Slug, TenantId};
use tenantry_store::control::Entry;
use tenantry_store::{ControlTx, Hint, Origin, TenantCtx};

use crate::{Refusal, Service};

/// What a request says explicitly about its tenant.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The host, in lower case, without port and trailing dot.
    pub host: Option<String>,
    /// The header `X-Tenant-ID`.
    pub header: Option<String>,
    /// The query parameter `tenant_id`.
    pub query: Option<String>,
}

/// The tenant a request means.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// The request names none.
    None,
    /// One people can get into.
    Open(TenantCtx),
    /// One nobody gets into now.
    Closed(Tenant),
}

impl Resolved {
    /// The tenant's id, whatever its status.
    pub const fn id(&self) -> Option<TenantId> {
        match self {
            Self::None => None,
            Self::Open(ctx) => Some(ctx.id()),
            Self::Closed(tenant) => Some(tenant.id),
        }
    }

    /// The tenant's record, whatever its status.
    pub const fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::None => None,
            Self::Open(ctx) => Some(ctx.tenant()),
            Self::Closed(tenant) => Some(tenant),
        }
    }

    /// The right to work in it, if people can get in.
    pub const fn open(&self) -> Option<&TenantCtx> {
        match self {
            Self::Open(ctx) => Some(ctx),
            Self::None | Self::Closed(_) => None,
        }
    }
}

/// An id or a slug, as header and query have them.
fn named(text: &str) -> Option<Hint> {
    if let Ok(id) = text.parse() {
        return Some(Hint::Id(id));
    }
    text.parse().ok().map(Hint::Slug)
}

impl Service {
    /// What a host says: nothing for the base domain, the public URL's host and plain addresses.
    fn host_hint(&self, host: &str) -> Option<Result<Hint, Refusal>> {
        let settings = self.settings();
        if host == settings.base_domain
            || settings.public_url.host_str() == Some(host)
            || host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok()
        {
            return None;
        }
        let below = host
            .strip_suffix(settings.base_domain.as_str())
            .and_then(|rest| rest.strip_suffix('.'));
        Some(match below {
            Some(label) => label
                .parse::<Slug>()
                .map(Hint::Slug)
                .map_err(|_| Refusal::TenantNotFound),
            None => Ok(Hint::Domain(host.to_owned())),
        })
    }

    /// The tenant that explicit hints name.
    pub async fn resolve(&self, hints: &Hints) -> Result<Resolved, Refusal> {
        let mut wanted: Vec<(Hint, Origin)> = Vec::new();
        if let Some(hint) = hints.host.as_deref().and_then(|host| self.host_hint(host)) {
            wanted.push((hint?, Origin::Host));
        }
        for (text, origin) in [
            (&hints.header, Origin::Header),
            (&hints.query, Origin::Query),
        ] {
            if let Some(text) = text {
                wanted.push((named(text).ok_or(Refusal::TenantNotFound)?, origin));
            }
        }
        if wanted.is_empty() {
            return Ok(Resolved::None);
        }
        let mut tx = self.control().read().await?;
        let mut resolved = Resolved::None;
        for (hint, origin) in wanted {
            let found = enter(&mut tx, &hint, origin).await?;
            if resolved
                .id()
                .is_some_and(|earlier| Some(earlier) != found.id())
            {
                return Err(Refusal::TenantConflict);
            }
            if matches!(resolved, Resolved::None) {
                resolved = found;
            }
        }
        Ok(resolved)
    }
}

async fn enter(tx: &mut ControlTx, hint: &Hint, origin: Origin) -> Result<Resolved, Refusal> {
    match tx.tenants().enter(hint, origin).await? {
        Some(Entry::Open(ctx)) => Ok(Resolved::Open(ctx)),
        Some(Entry::Closed(tenant)) => Ok(Resolved::Closed(tenant)),
        None => Err(Refusal::TenantNotFound),
    }
}
