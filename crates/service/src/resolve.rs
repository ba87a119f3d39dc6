//! Which tenant a request means.
//!
//! Explicit hints are all looked at, and two that name different tenants are refused before any
//! person's data is read. The directory and mail domains come later, and only for people who are
//! not signed in.

use std::sync::Arc;

use tenantry_core::marks::Topic;
use tenantry_core::tenant::Tenant;
use tenantry_core::{Slug, TenantId};
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::facts::{Found, Shelf, looked_up};
use crate::{Refusal, Service};

/// What a request says explicitly about its tenant.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The host, in lower case, without port and trailing dot.
    pub host: Option<String>,
    /// The host that a proxy nobody listed says it was asked for: whoever sends it can only leave
    /// less to be let through.
    pub claimed_host: Option<String>,
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

/// Where names lead, by name.
type Places = Shelf<Box<str>, Resolved, 1>;

impl From<Entry> for Resolved {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Open(ctx) => Self::Open(ctx),
            Entry::Closed(tenant) => Self::Closed(tenant),
        }
    }
}

impl Resolved {
    /// The same, known in another way.
    fn known_by(&self, origin: Origin) -> Self {
        match self {
            Self::Open(ctx) => Self::Open(ctx.clone().with_origin(origin)),
            other => other.clone(),
        }
    }

    /// The tenant's id, whatever its status.
    pub fn id(&self) -> Option<TenantId> {
        match self {
            Self::None => None,
            Self::Open(ctx) => Some(ctx.id()),
            Self::Closed(tenant) => Some(tenant.id),
        }
    }

    /// The tenant's record, whatever its status.
    pub fn tenant(&self) -> Option<&Tenant> {
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

    /// The tenant that explicit hints name. What was asked a moment ago is known from memory.
    pub async fn resolve(&self, hints: &Hints) -> Result<Resolved, Refusal> {
        let facts = self.facts();
        let hosts = [&hints.host, &hints.claimed_host].into_iter().flatten();
        let hosts = hosts.filter_map(|host| {
            let hint = self.host_hint(host)?;
            Some((&facts.hosts, host, hint, Origin::Host))
        });
        let names = [
            (&hints.header, Origin::Header),
            (&hints.query, Origin::Query),
        ];
        let names = names.into_iter().filter_map(|(text, origin)| {
            let text = text.as_ref()?;
            let hint = named(text).ok_or(Refusal::TenantNotFound);
            Some((&facts.names, text, hint, origin))
        });
        let mut resolved = Resolved::None;
        for (shelf, text, hint, origin) in hosts.chain(names) {
            let found = self.place(shelf, text, hint?, origin).await?;
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

    /// Where a hint leads.
    async fn place(
        &self,
        shelf: &Places,
        text: &str,
        hint: Hint,
        origin: Origin,
    ) -> Result<Resolved, Refusal> {
        let known = match shelf.find(text) {
            Found::Fresh { value, renew } => {
                if renew {
                    let (service, key) = (self.clone(), Box::from(text));
                    let tenant = value.id();
                    tokio::spawn(async move { service.look_up(key, hint, origin, tenant).await });
                }
                return Ok(value.known_by(origin));
            }
            Found::Old(value) => value.id(),
            Found::Nothing => None,
        };
        let (service, key) = (self.clone(), Box::from(text));
        let looking = async move { service.look_up(key, hint, origin, known).await };
        let place = looked_up("a tenant could not be looked up", looking).await?;
        Ok(place.known_by(origin))
    }

    /// Asks the registry where a hint leads, and keeps the answer. What it depends on is the tenant
    /// that it leads to, which is `known` or has to be found out first.
    async fn look_up(
        &self,
        key: Box<str>,
        hint: Hint,
        origin: Origin,
        known: Option<TenantId>,
    ) -> Result<Arc<Resolved>, Refusal> {
        let shelf = match origin {
            Origin::Host => &self.facts().hosts,
            _ => &self.facts().names,
        };
        let mut tx = self.control().read().await?;
        let mut expected = known;
        for _ in 0..2 {
            let taken = expected.map(|tenant| shelf.take([Topic::Tenant(tenant)]));
            let Some(entry) = tx.tenants().enter(&hint, origin).await? else {
                shelf.remove(&key);
                return Err(Refusal::TenantNotFound);
            };
            let place = Resolved::from(entry);
            if place.id() == expected
                && let Some(taken) = taken
            {
                let place = Arc::new(place);
                shelf.keep(key, Arc::clone(&place), taken);
                return Ok(place);
            }
            expected = place.id();
        }
        // It leads elsewhere each time it is asked for; the last answer is as good as any.
        let entry = tx.tenants().enter(&hint, origin).await?;
        let place = entry.map(Resolved::from).ok_or(Refusal::TenantNotFound)?;
        Ok(Arc::new(place))
    }
}
