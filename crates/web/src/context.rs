//! What the guard found out about a request, for its handler.

use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tenantry_core::session::{EndReason, SessionKind};
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::Principal;
use tenantry_service::signin::Client;

use crate::route::Surface;
use crate::underway::RequestId;

/// What is known about a request before its handler runs. Handed on by reference: several layers
/// hold it.
#[derive(Debug, Clone)]
pub(crate) struct Ctx(Arc<Known>);

/// What is known about a request.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The request's id, as the answer's `X-Request-Id` has it.
    pub(crate) request_id: RequestId,
    /// What carries the answer.
    pub(crate) surface: Surface,
    /// The tenant the request names.
    pub(crate) tenant: Resolved,
    /// Who sends it, where the route asks for somebody or somebody offered a good cookie.
    pub(crate) principal: Option<Arc<Principal>>,
    /// Where it comes from.
    pub(crate) client_ip: Option<IpAddr>,
    /// The host it was sent to, with its port, as the visitor's browser has it.
    pub(crate) authority: Option<String>,
    /// The client's `User-Agent`.
    pub(crate) user_agent: Option<String>,
    /// The language to answer in.
    pub(crate) locale: Locale,
    /// What a form of this visitor must show.
    pub(crate) csrf_token: String,
    /// The nonce to keep in a cookie, where the visitor has none yet.
    pub(crate) fresh_nonce: Option<String>,
    /// Whether its tenant is found out.
    pub(crate) placed: bool,
    /// Whether what was shown to prove who sends it was good once.
    pub(crate) stale: bool,
    /// Whether it is ours, and of another tenant than the request names. Known on pages alone.
    pub(crate) elsewhere: bool,
    /// Why it is good no more, where that is known.
    pub(crate) ended: Option<EndReason>,
}

impl Known {
    /// Who is signed in. The guard has seen to it on every route that is not for anybody.
    pub(crate) fn principal(&self) -> Result<&Principal, Refusal> {
        self.principal
            .as_deref()
            .ok_or(Refusal::AuthenticationRequired)
    }

    /// The role of whoever is signed in.
    pub(crate) fn role(&self) -> Option<Role> {
        self.principal.as_deref().map(Principal::role)
    }
}

impl From<Known> for Ctx {
    fn from(known: Known) -> Self {
        Self(Arc::new(known))
    }
}

impl Deref for Ctx {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0
    }
}

impl DerefMut for Ctx {
    fn deref_mut(&mut self) -> &mut Known {
        Arc::make_mut(&mut self.0)
    }
}

impl Ctx {
    /// Where the request comes from, for a session carried by `kind`.
    pub(crate) fn client(&self, kind: SessionKind) -> Client {
        Client {
            ip: self.client_ip,
            user_agent: self.user_agent.clone(),
            kind,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Every route is registered behind the guard, which leaves this behind.
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(Self::unguarded))
    }
}

impl Ctx {
    /// Nobody, nowhere: what a handler would see were it ever reached without the guard.
    fn unguarded() -> Self {
        Self::of_nobody(RequestId::default(), Surface::Api)
    }

    /// A request of which nothing else is known.
    pub(crate) fn of_nobody(request_id: RequestId, surface: Surface) -> Self {
        Self::from(Known {
            request_id,
            surface,
            tenant: Resolved::None,
            principal: None,
            client_ip: None,
            authority: None,
            user_agent: None,
            locale: Locale::default(),
            csrf_token: String::new(),
            fresh_nonce: None,
            placed: false,
            stale: false,
            elsewhere: false,
            ended: None,
        })
    }
}
