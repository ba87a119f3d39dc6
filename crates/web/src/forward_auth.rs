//! Forward-auth: who sends a request, told to a proxy that asks before it lets the request through.
//!
//! A proxy asks with every request of every visitor, so this is the one route that is answered before
//! the router is asked ([`Front`](crate::Front)), by the same guard as every other. Where the answer is
//! in memory it costs no query, no task and no layer.

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use tenantry_service::Refusal;
use tenantry_service::sessions::Principal;
use tenantry_service::signin::Person;
use uuid::Uuid;

use crate::answer::answer;
use crate::context::Ctx;
use crate::guard::{Asked, let_in, refuse};
use crate::problem::respond;
use crate::route::{Audience, Doc, Route, Routes, Surface, TenantRule};
use crate::{App, underway};

/// Where a proxy asks whether to let a request through.
pub(crate) const FORWARD_AUTH: &str = "/auth/verify";

const X_TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");
const X_TENANT_SLUG: HeaderName = HeaderName::from_static("x-tenant-slug");
const X_TENANT_GENERATION: HeaderName = HeaderName::from_static("x-tenant-generation");
const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const X_USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
const X_USER_ROLE: HeaderName = HeaderName::from_static("x-user-role");

/// Its route's declaration.
pub(crate) fn route() -> Route {
    let summary = "Forward-auth for a proxy: who sends a request, as headers; else 401";
    let mut route = Route::infrastructure(FORWARD_AUTH, summary);
    route.audience = Audience::SignedIn;
    route.tenant = TenantRule::Optional;
    route.surface = Surface::ForwardAuth;
    route.doc = Some(Doc::new(summary, 200).refuses(&["authentication_required", "session_stale"]));
    route
}

/// This feature's routes: for what is no plain `GET`, and for the API's description.
pub(crate) fn routes() -> Routes {
    Routes::default().add(route(), get(told))
}

async fn told(State(app): State<App>, ctx: Ctx) -> Response {
    answer(&app, &ctx, ctx.principal().map(tell))
}

/// Answers without the router: the guard's word, and what it found out.
pub(crate) async fn verify(app: &App, route: &Route, mut parts: Parts, asked: Asked) -> Response {
    let (known, judged) = let_in(app, route, &mut parts, asked).await;
    let told = judged.and_then(|()| Ok(tell(known.principal()?)));
    told.unwrap_or_else(|failure| refuse(app, route, &known.into(), failure))
}

/// The answer where answering broke off. The log has said where.
pub(crate) fn broken_off(app: &App, asked: Asked) -> Response {
    let ctx = Ctx::of_nobody(asked.id, Surface::ForwardAuth);
    let failure = Refusal::failed("forward-auth broke off")("it panicked");
    respond(app, Some(&ctx), failure.into())
}

fn tell(principal: &Principal) -> Response {
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = principal.derived(identity);
    response
}

/// Who somebody is, as headers.
fn identity(principal: &Principal) -> HeaderMap {
    let mut headers = underway::with_room(7);
    let mut add = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    match &principal.person {
        Person::User { ctx, user } => {
            add(X_TENANT_ID, Some(of_uuid(ctx.id().uuid())));
            add(X_TENANT_SLUG, of_text(ctx.tenant().slug.as_str()));
            let generation = ctx.generation().number();
            add(X_TENANT_GENERATION, Some(HeaderValue::from(generation)));
            add(X_USER_ID, Some(of_uuid(user.id.uuid())));
            add(X_USER_EMAIL, of_text(user.email.as_str()));
        }
        Person::Admin(admin) => {
            add(X_USER_ID, Some(of_uuid(admin.id.uuid())));
            add(X_USER_EMAIL, of_text(admin.email.as_str()));
        }
    }
    let role = HeaderValue::from_static(principal.role().as_str());
    add(X_USER_ROLE, Some(role));
    headers
}

/// An address in UTF-8 goes as it is (RFC 9110, section 5.5, `obs-text`); slugs are ASCII.
fn of_text(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

/// An id as a header has it.
pub(crate) fn of_uuid(id: Uuid) -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut buffer);
    // Hexadecimal digits and dashes are always a value.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
