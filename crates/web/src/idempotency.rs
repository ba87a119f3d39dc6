//! Creates that are asked for with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header):
//! done once, and answered alike however often the same request comes.
//!
//! A route declares it ([`IdempotencyClass`](crate::route::IdempotencyClass)); the guard calls
//! [`once`] around its handler. What is the same request is told here: method, path, query and the
//! body's values, however they are written. The rest is the use case's.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use tenantry_service::Refusal;
use tenantry_service::idempotency::{Caller, Doing, Once};
use tenantry_service::refusal::Chain;

use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract;
use crate::problem::{Failure, respond};
use crate::route::{IdempotencyClass, Route};

/// The header.
pub(crate) const HEADER: &str = "Idempotency-Key";

/// An answer as it is kept. What all answers have in common is added to it anew.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The key of a request. Two are refused: a client that tries again may send them in another order,
/// and the same would be done twice.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Failure::Malformed("the Idempotency-Key is given twice"));
    }
    let text = value.to_str().ok();
    let text = text.filter(|text| (1..=255).contains(&text.len()));
    text.map(Some).ok_or(Failure::Malformed(
        "an Idempotency-Key has 1 to 255 visible ASCII characters",
    ))
}

/// Runs a handler, unless the same was asked for under the same key before.
pub(crate) async fn once(
    app: App,
    route: Route,
    ctx: Ctx,
    request: Request,
    next: Next,
) -> Response {
    if route.idempotency != IdempotencyClass::Kept || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    match begin(&app, &ctx, request).await {
        Ok((Once::First(doing), request)) => {
            let response = next.run(request).await;
            keep(&app, doing, response).await
        }
        // What is only said again happened before and has its entry in the audit; what is refused
        // here happened not at all.
        Ok((Once::Answered(kept), _)) => Audited::nothing().on(say_again(kept.expose())
            .unwrap_or_else(|refusal| respond(&app, Some(&ctx), refusal.into()))),
        Err(failure) => Audited::nothing().on(respond(&app, Some(&ctx), failure)),
    }
}

async fn begin(app: &App, ctx: &Ctx, request: Request) -> Result<(Once, Request), Failure> {
    let (parts, body) = request.into_parts();
    let Some(key) = key(&parts.headers)? else {
        return Err(Failure::Malformed("there is no Idempotency-Key"));
    };
    let body = extract::read(body).await?;
    let asked = format!("{} {}\n{}", parts.method, parts.uri, values(&body));
    let caller = Caller {
        principal: ctx.principal.as_deref(),
        tenant: &ctx.tenant,
        ip: ctx.client_ip,
    };
    let once = app.service.begin_once(&caller, key, &asked).await?;
    Ok((once, Request::from_parts(parts, Body::from(body))))
}

/// A body's values, the same however they are spaced and ordered.
fn values(body: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(body).map_or_else(
        |_| String::from_utf8_lossy(body).into_owned(),
        |value| value.to_string(),
    )
}

/// Keeps what was answered, or gives the key back where nothing came of it.
async fn keep(app: &App, doing: Doing, response: Response) -> Response {
    if !response.status().is_success() {
        note(app.service.give_key_back(doing).await);
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        // Ours come from memory and are whole.
        return Response::from_parts(parts, Body::empty());
    };
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        (name != header::CONTENT_LENGTH).then(|| (name.to_string(), value.to_owned()))
    });
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    // It is done, whatever becomes of this: without an answer the key stays used.
    let stored = match serde_json::to_vec(&kept) {
        Ok(kept) => app.service.keep_answer(doing, &kept).await,
        Err(error) => Err(Refusal::failed("an answer could not be written")(error)),
    };
    note(stored);
    Response::from_parts(parts, Body::from(body))
}

fn note(stored: Result<(), Refusal>) {
    if let Err(refusal) = stored {
        tracing::error!(error = %Chain(&refusal), "an answer could not be kept under its Idempotency-Key");
    }
}

/// The kept answer once more.
fn say_again(kept: &[u8]) -> Result<Response, Refusal> {
    let kept: Kept =
        serde_json::from_slice(kept).map_err(Refusal::failed("a kept answer could not be read"))?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status)
        .map_err(Refusal::failed("a kept answer has no status"))?;
    for (name, value) in kept.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        else {
            continue;
        };
        response.headers_mut().append(name, value);
    }
    Ok(response)
}
