//! What a page and its forms ask for beyond the guard of every route: that a form is one of ours.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenantry_service::sessions::Principal;

use crate::context::Ctx;
use crate::problem::Failure;
use crate::route::{CsrfClass, Route};
use crate::{App, cookies, extract, upload};

/// Lets a request in to its page, with what its forms are to show.
pub(super) async fn admit_to_page(
    app: &App,
    route: &Route,
    ctx: &mut Ctx,
    request: Request,
) -> Result<Request, Failure> {
    let binding = binding(app, ctx, request.headers());
    ctx.csrf_token = app.service.csrf().token(&binding);
    if route.csrf != CsrfClass::Form {
        return Ok(request);
    }
    check_origin(
        ctx.authority.as_deref().unwrap_or_default(),
        request.headers(),
    )?;
    let request = if route.takes_file {
        upload::unpacked(request).await?
    } else {
        request
    };
    check_form(app, &binding, request).await
}

/// What a visitor's forms are bound to: the session, or a nonce kept in a cookie.
fn binding(app: &App, ctx: &mut Ctx, headers: &HeaderMap) -> Vec<u8> {
    if let Some(Principal { session, .. }) = ctx.principal.as_deref() {
        return format!("session:{}", session.id).into_bytes();
    }
    let kept = cookies::find(headers, app.cookies().nonce()).filter(|nonce| {
        nonce.len() == 22
            && nonce
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    });
    let nonce = kept.map_or_else(
        || {
            let fresh = URL_SAFE_NO_PAD.encode(app.service.entropy().bytes::<16>());
            ctx.fresh_nonce = Some(fresh.clone());
            fresh
        },
        str::to_owned,
    );
    format!("nonce:{nonce}").into_bytes()
}

/// Checks that a form was sent by a page of this host, as far as browsers tell.
fn check_origin(authority: &str, headers: &HeaderMap) -> Result<(), Failure> {
    let site = headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(Failure::ForeignForm);
    }
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    // Our pages send no referrer, and browsers then say `null` about their own origin too (Fetch
    // standard, "serializing a request origin"); `Sec-Fetch-Site` and the token decide there.
    if let Some(origin) = origin.filter(|origin| *origin != "null") {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if !host.eq_ignore_ascii_case(authority) {
            return Err(Failure::ForeignForm);
        }
    }
    Ok(())
}

/// Checks that a form is one of ours, and takes its token out of the fields.
async fn check_form(app: &App, binding: &[u8], request: Request) -> Result<Request, Failure> {
    let (mut parts, body) = request.into_parts();
    let bytes = extract::read(body).await?;
    let mut shown = None;
    let mut rest = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(&bytes) {
        if name == "csrf_token" {
            if shown.replace(value.into_owned()).is_some() {
                return Err(Failure::ForeignForm);
            }
        } else {
            rest.append_pair(&name, &value);
        }
    }
    if !shown.is_some_and(|shown| app.service.csrf().verify(binding, &shown)) {
        return Err(Failure::ForeignForm);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(rest.finish())))
}

/// Keeps a fresh nonce in the visitor's cookie.
pub(super) fn with_nonce(app: &App, ctx: &Ctx, mut response: Response) -> Response {
    if let Some(nonce) = &ctx.fresh_nonce
        && let Some(cookie) = app.cookies().set(app.cookies().nonce(), nonce)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
