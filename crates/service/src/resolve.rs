//! Which tenant a request means.
//!
//! Explicit hints are all looked at, and two that name different tenants are refused before any
//! person's data is read. The directory and mail domains come later, and only for people who are
//! not signed in.

use std::future::ready;

use futures_util::future::Either;
use tenantry_core::marks::Topic;
use tenantry_core::tenant::Tenant;
use tenantry_core::{Slug, TenantId};
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::facts::{Answering, Found, Shelf, looked_up};
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

impl Hints {
    /// Each that is given, with the way in which it came.
    fn texts(&self) -> impl Iterator<Item = (&str, Origin)> {
        let texts = [
            (&self.host, Origin::Host),
            (&self.claimed_host, Origin::Host),
            (&self.header, Origin::Header),
            (&self.query, Origin::Query),
        ];
        let texts = texts.into_iter();
        texts.filter_map(|(text, origin)| Some((text.as_deref()?, origin)))
    }
}

/// What a hint says that memory does not know.
struct Unknown<'a> {
    text: &'a str,
    origin: Origin,
    /// The tenant that it led to once.
    was: Option<TenantId>,
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

    /// Takes in where another hint leads, which has to be the same tenant.
    fn join(&mut self, found: Self) -> Result<(), Refusal> {
        if self.id().is_some_and(|earlier| Some(earlier) != found.id()) {
            return Err(Refusal::TenantConflict);
        }
        if matches!(self, Self::None) {
            *self = found;
        }
        Ok(())
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

/// Whether a host could be a plain address: a domain's last label has a letter, and none a colon.
fn is_numeric(host: &str) -> bool {
    host.contains(':') || host.ends_with(|last: char| last.is_ascii_digit())
}

impl Service {
    /// Whether a host can lead to a tenant: not the base domain, the public URL's host and plain
    /// addresses.
    fn may_lead(&self, host: &str) -> bool {
        let settings = self.settings();
        let is_ours = host == settings.base_domain
            || settings.public_url.host_str() == Some(host)
            || host == "localhost";
        let is_address = || {
            let bare = host.trim_matches(['[', ']']);
            is_numeric(bare) && bare.parse::<std::net::IpAddr>().is_ok()
        };
        !is_ours && !is_address()
    }

    /// What a text says that came in a certain way.
    fn hint(&self, text: &str, origin: Origin) -> Result<Hint, Refusal> {
        if origin != Origin::Host {
            return named(text).ok_or(Refusal::TenantNotFound);
        }
        let below = text
            .strip_suffix(self.settings().base_domain.as_str())
            .and_then(|rest| rest.strip_suffix('.'));
        match below {
            Some(label) => label
                .parse::<Slug>()
                .map(Hint::Slug)
                .map_err(|_| Refusal::TenantNotFound),
            None => Ok(Hint::Domain(text.to_owned())),
        }
    }

    /// The tenant that explicit hints name. What was asked a moment ago is known from memory, at once.
    pub fn resolve<'a>(&'a self, hints: &'a Hints) -> Answering<'a, Resolved> {
        let mut texts = hints.texts().filter(|(text, origin)| {
            // Only a host may be one that leads to no tenant.
            *origin != Origin::Host || self.may_lead(text)
        });
        let mut resolved = Resolved::None;
        match self.go_on(&mut texts, &mut resolved) {
            Ok(None) => Either::Left(ready(Ok(resolved))),
            Err(conflict) => Either::Left(ready(Err(conflict))),
            Ok(mut unknown) => Either::Right(Box::pin(async move {
                while let Some(Unknown { text, origin, was }) = unknown {
                    resolved.join(self.look_for(text, origin, was).await?)?;
                    unknown = self.go_on(&mut texts, &mut resolved)?;
                }
                Ok(resolved)
            })),
        }
    }

    /// Goes on through texts that lead to a tenant until there is one that memory does not know.
    fn go_on<'a>(
        &self,
        texts: &mut impl Iterator<Item = (&'a str, Origin)>,
        resolved: &mut Resolved,
    ) -> Result<Option<Unknown<'a>>, Refusal> {
        for (text, origin) in texts {
            match self.known_place(text, origin) {
                Ok(found) => resolved.join(found)?,
                Err(was) => return Ok(Some(Unknown { text, origin, was })),
            }
        }
        Ok(None)
    }

    fn places(&self, origin: Origin) -> &Places {
        match origin {
            Origin::Host => &self.facts().hosts,
            _ => &self.facts().names,
        }
    }

    /// Where a text leads as far as memory knows; else the tenant that it led to once.
    fn known_place(&self, text: &str, origin: Origin) -> Result<Resolved, Option<TenantId>> {
        match self.places(origin).find(text) {
            Found::Fresh { value, renew } => {
                if renew && let Ok(hint) = self.hint(text, origin) {
                    let (service, key, was) = (self.clone(), Box::from(text), value.id());
                    tokio::spawn(async move { service.look_up(key, hint, origin, was).await });
                }
                Ok(value.known_by(origin))
            }
            Found::Old(value) => Err(value.id()),
            Found::Nothing => Err(None),
        }
    }

    /// Where a text leads, asked in the registry.
    async fn look_for(
        &self,
        text: &str,
        origin: Origin,
        was: Option<TenantId>,
    ) -> Result<Resolved, Refusal> {
        let hint = self.hint(text, origin)?;
        let (service, key) = (self.clone(), Box::from(text));
        let looking = async move { service.look_up(key, hint, origin, was).await };
        looked_up("a tenant could not be looked up", looking).await
    }

    /// Asks the registry where a hint leads, and keeps the answer. What it depends on is the tenant
    /// that it leads to, which is `known` or has to be found out first.
    async fn look_up(
        &self,
        key: Box<str>,
        hint: Hint,
        origin: Origin,
        known: Option<TenantId>,
    ) -> Result<Resolved, Refusal> {
        let shelf = self.places(origin);
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
                shelf.keep(key, place.clone(), taken);
                return Ok(place);
            }
            expected = place.id();
        }
        // It leads elsewhere each time it is asked for; the last answer is as good as any.
        let entry = tx.tenants().enter(&hint, origin).await?;
        let place = entry.map(Resolved::from).ok_or(Refusal::TenantNotFound)?;
        Ok(place)
    }
}
