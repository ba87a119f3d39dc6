//! What stands before every handler: who sends the request, for which tenant, and whether that may
//! be. It enforces what the route declares; no handler does any of it.

mod page;
mod patience;

use std::net::SocketAddr;
use std::pin::pin;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, FromRequestParts as _, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::facts::LOOK;
use tenantry_service::resolve::Hints;
use tenantry_service::sessions::Credential;

use crate::audit::{self, Named};
use crate::context::{Ctx, Known};
use crate::host::{self, BadHost, Endpoint};
use crate::pages::paths;
use crate::problem::{Failure, respond};
use crate::route::{Audience, CsrfClass, Route, Surface, TenantRule};
use crate::underway::RequestId;
use crate::{App, cookies, idempotency};
use page::{admit_to_page, with_nonce};
use patience::patiently;

/// How long a handler may take before its client is told to come back later. Its work goes on and
/// ends by the databases' own limits; nothing is cut off half-way.
const DEADLINE: std::time::Duration = std::time::Duration::from_mins(1);

/// When whoever could not be judged in time is told to come back.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

const X_TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Failure::Malformed(
            "a header that names the tenant is given twice",
        ));
    }
    let text = first
        .to_str()
        .map_err(|_| Failure::Malformed("a header that names the tenant is not text"))?;
    Ok(Some(text.to_owned()))
}

fn query_text(query: Option<&str>, name: &str) -> Result<Option<String>, Failure> {
    let mut found = None;
    for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if key == name && found.replace(value.into_owned()).is_some() {
            return Err(Failure::Malformed(
                "a query parameter that names the tenant is given twice",
            ));
        }
    }
    Ok(found)
}

/// The bearer token of a request (RFC 6750, section 2.1). Of two, none counts: what stands before us
/// may have judged by the other one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    if values.next().is_some() {
        return None;
    }
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Runs a route: guards it, then hands over to its handler.
pub(crate) async fn guard(
    State((app, route)): State<(App, Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let named = Named::of(&route, &mut request).await;
    let (ctx, mut request) = match admit(&app, &route, request).await {
        Ok(admitted) => admitted,
        Err((ctx, failure)) => {
            if matches!(failure, Failure::Refused(Refusal::Forbidden)) {
                audit::forbidden(&app, &route, &ctx, named).await;
            }
            return refuse(&app, &route, &ctx, failure);
        }
    };
    request.extensions_mut().insert(ctx.clone());
    // In a task of its own: a client that hangs up cancels nothing half-way.
    let handling = idempotency::once(app.clone(), route, ctx.clone(), request, next);
    let running = run(app.clone(), route, ctx.clone(), named, handling);
    let handled = tokio::time::timeout(DEADLINE, tokio::spawn(running)).await;
    let response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => broken_off(&app, &ctx, error),
        Err(_) => respond(
            &app,
            Some(&ctx),
            Refusal::Busy(std::time::Duration::from_secs(5)).into(),
        ),
    };
    with_nonce(&app, &ctx, response)
}

/// What is known of a request that it does not say itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    /// Its id.
    pub(crate) id: RequestId,
    /// Who is at the other end of its connection.
    pub(crate) peer: Option<SocketAddr>,
}

impl Asked {
    /// As the layers before have left it.
    fn left_with(extensions: &Extensions) -> Self {
        Self {
            id: extensions.get().copied().unwrap_or_default(),
            peer: extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|info| info.0),
        }
    }
}

/// Finds out who sends a request and for which tenant, if that may be. What is known is known either
/// way.
pub(crate) async fn let_in(
    app: &App,
    route: &Route,
    parts: &mut Parts,
    asked: Asked,
) -> (Known, Result<(), Failure>) {
    let endpoint = Endpoint::of(&parts.headers, &parts.uri, asked.peer, &app.options);
    let (mut known, host) = known(route.surface, &parts.headers, asked, endpoint);
    let judged = patiently(pin!(judge(app, route, &mut known, parts, host))).await;
    let judged = match judged {
        Some(judged) => judged,
        // A page for anybody is shown to nobody in particular.
        None if known.placed && route.audience == Audience::Public => Ok(()),
        // Only why it ended could not be found out, which has no part in deciding.
        None if known.stale => Err(Refusal::SessionStale.into()),
        None => {
            tracing::warn!(within = ?LOOK, "a request could not be judged in time");
            Err(Refusal::Busy(AGAIN).into())
        }
    };
    (known, judged)
}

/// The same, and for a page that its form is one of ours.
async fn admit(
    app: &App,
    route: &Route,
    request: Request,
) -> Result<(Ctx, Request), (Ctx, Failure)> {
    let (mut parts, body) = request.into_parts();
    let asked = Asked::left_with(&parts.extensions);
    let (known, judged) = let_in(app, route, &mut parts, asked).await;
    let mut ctx = Ctx::from(known);
    if let Err(failure) = judged {
        return Err((ctx, failure));
    }
    let request = Request::from_parts(parts, body);
    if route.surface != Surface::Page {
        return Ok((ctx, request));
    }
    // Boxed, as else every request would carry room for it.
    match Box::pin(admit_to_page(app, route, &mut ctx, request)).await {
        Ok(request) => Ok((ctx, request)),
        Err(failure) => Err((ctx, failure)),
    }
}

/// Runs a handler between the two halves of its entry in the audit.
async fn run(
    app: App,
    route: Route,
    ctx: Ctx,
    named: Named,
    handler: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let pending = match audit::begin(&app, &route, &ctx, named).await {
        Ok(Some(pending)) => pending,
        Ok(None) => return handler.await,
        // No act without an entry.
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    // In a task of its own once more, so that one that breaks off is settled too.
    let handled = tokio::spawn(handler).await;
    let mut response = handled.unwrap_or_else(|error| broken_off(&app, &ctx, error));
    pending.settle(&app, &mut response).await;
    response
}

fn broken_off(app: &App, ctx: &Ctx, error: tokio::task::JoinError) -> Response {
    respond(
        app,
        Some(ctx),
        Refusal::failed("a handler broke off")(error).into(),
    )
}

/// What is known before anything is checked: enough to answer in the right language and shape.
pub(crate) fn bare(app: &App, surface: Surface, request: &Request) -> Ctx {
    let asked = Asked::left_with(request.extensions());
    let endpoint = Endpoint::of(request.headers(), request.uri(), asked.peer, &app.options);
    known(surface, request.headers(), asked, endpoint).0.into()
}

/// What a request says of itself, and the host it was sent to.
fn known(
    surface: Surface,
    headers: &HeaderMap,
    asked: Asked,
    endpoint: Result<Endpoint, BadHost>,
) -> (Known, Result<String, BadHost>) {
    let (host, authority, client_ip) = match endpoint {
        Ok(endpoint) => (Ok(endpoint.host), Some(endpoint.authority), endpoint.client),
        Err(bad) => (Err(bad), None, None),
    };
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let known = Known {
        request_id: asked.id,
        surface,
        tenant: tenantry_service::resolve::Resolved::None,
        principal: None,
        client_ip,
        authority,
        user_agent: text(header::USER_AGENT).map(str::to_owned),
        locale: text(header::ACCEPT_LANGUAGE).map_or_else(Locale::default, Locale::negotiate),
        csrf_token: String::new(),
        fresh_nonce: None,
        placed: false,
        stale: false,
        elsewhere: false,
        ended: None,
    };
    (known, host)
}

async fn judge(
    app: &App,
    route: &Route,
    known: &mut Known,
    parts: &mut Parts,
    host: Result<String, BadHost>,
) -> Result<(), Failure> {
    if route.path.contains('{') {
        // Boxed, as else every request would carry room for it.
        Box::pin(with_readable_path(parts)).await?;
    }
    if route.tenant == TenantRule::Ignored && names_no_host(parts) {
        return Ok(());
    }
    let no_host = |_: BadHost| Failure::Malformed("the request has no single, valid host");
    let host = host.map_err(no_host)?;
    if route.tenant == TenantRule::Optional {
        // A proxy that nobody listed asks for a host all the same. What it says counts for less to be let
        // through, never for more.
        let claimed_host = if route.surface == Surface::ForwardAuth {
            let claimed = host::claimed(&parts.headers).map_err(no_host)?;
            claimed.filter(|claimed| *claimed != host)
        } else {
            None
        };
        let hints = Hints {
            host: Some(host),
            claimed_host,
            header: header_text(&parts.headers, &X_TENANT_ID)?,
            query: query_text(parts.uri.query(), "tenant_id")?,
        };
        known.tenant = app.service.resolve(&hints).await?;
    }
    known.placed = true;
    let is_public = route.audience == Audience::Public;
    if let Some(credential) = shown(app, route, &parts.headers) {
        let hinted = known.tenant.id();
        match app.service.authenticate(credential, hinted).await {
            Ok(principal) => known.principal = Some(principal),
            Err(refusal) => {
                // Boxed, as else every request would carry room for it.
                Box::pin(note_refused(app, route, known, credential, &refusal)).await;
                // A page for anybody never insists.
                if !is_public {
                    return Err(refusal.into());
                }
            }
        }
    } else if !is_public {
        return Err(Refusal::AuthenticationRequired.into());
    }
    authorize(route, known)
}

/// Checks that path parameters are text. Here, so that no handler answers it in its own words.
async fn with_readable_path(parts: &mut Parts) -> Result<(), Failure> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => {
            Err(Failure::Malformed("the path is not UTF-8"))
        }
        _ => Ok(()),
    }
}

/// Whether it is a request of before HTTP/1.1, which needs no host: what load balancers probe with.
fn names_no_host(parts: &Parts) -> bool {
    parts.version < Version::HTTP_11
        && parts.uri.authority().is_none()
        && !parts.headers.contains_key(header::HOST)
}

/// What the request shows that may carry a session, where the route looks at it.
fn shown<'a>(app: &App, route: &Route, headers: &'a HeaderMap) -> Option<Credential<'a>> {
    let cookie = || cookies::find(headers, app.cookies().session()).map(Credential::Cookie);
    let bearer = || bearer(headers).map(Credential::Bearer);
    match route.surface {
        // A page for anybody still shows who is signed in; nothing else for anybody asks.
        _ if route.audience == Audience::Public && route.surface != Surface::Page => None,
        Surface::Api => bearer(),
        Surface::Page => cookie(),
        Surface::Infrastructure | Surface::ForwardAuth => bearer().or_else(cookie),
    }
}

/// Notes of a session that is good no more why, where the answer tells it to whoever shows what carried
/// it; a proxy has nobody to tell.
async fn note_refused(
    app: &App,
    route: &Route,
    known: &mut Known,
    credential: Credential<'_>,
    refusal: &Refusal,
) {
    if matches!(refusal, Refusal::AuthenticationRequired) && route.surface == Surface::Page {
        known.elsewhere = app.service.is_ours(credential);
    }
    if matches!(refusal, Refusal::SessionStale) {
        known.stale = true;
        let insists = route.audience != Audience::Public || route.path == paths::LOGIN;
        if insists && matches!(route.surface, Surface::Page | Surface::Api) {
            known.ended = app.service.why_ended(credential, known.tenant.id()).await;
        }
    }
}

fn authorize(route: &Route, known: &Known) -> Result<(), Failure> {
    let Some(role) = known.role() else {
        return Ok(());
    };
    let allowed = match route.audience {
        Audience::Public | Audience::SignedIn => true,
        Audience::TenantAdmin => matches!(role, Role::Owner | Role::Admin),
        Audience::PlatformAdmin => role == Role::PlatformAdmin,
    };
    if !allowed {
        return Err(Refusal::Forbidden.into());
    }
    let must_change = known
        .principal
        .as_ref()
        .is_some_and(|principal| principal.person.must_change_password());
    if must_change && route.audience != Audience::Public && !route.before_password_change {
        return Err(Refusal::PasswordChangeRequired.into());
    }
    Ok(())
}

/// Answers a request that is not let through. A page sends its visitor where to go instead.
pub(crate) fn refuse(app: &App, route: &Route, ctx: &Ctx, failure: Failure) -> Response {
    if route.surface != Surface::Page {
        return respond(app, Some(ctx), failure);
    }
    let (to, clear) = match &failure {
        Failure::Refused(Refusal::SessionStale) => ("/login?reason=session_ended".to_owned(), true),
        Failure::Refused(Refusal::AuthenticationRequired) => {
            let path = if route.csrf == CsrfClass::Form || route.path.contains('{') {
                "/dashboard"
            } else {
                route.path
            };
            // A session that is only meant for another tenant goes on there, and its cookie with it: a link
            // signs nobody out.
            (format!("/login?return_to={path}"), !ctx.elsewhere)
        }
        Failure::Refused(Refusal::PasswordChangeRequired) => {
            ("/account/password".to_owned(), false)
        }
        _ => return respond(app, Some(ctx), failure),
    };
    let mut response = (StatusCode::SEE_OTHER, Redirect::to(&to)).into_response();
    if clear && let Some(cookie) = app.cookies().clear(app.cookies().session()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if let Some(why) = ctx.ended
        && let Some(cookie) = app.cookies().tell_ended(why)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
