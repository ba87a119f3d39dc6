//! Bringing people along with the password hashes they have elsewhere.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tenantry_service::import::lines::Lines;
use tenantry_service::import::{Import, Imported, ndjson};
use tenantry_service::staff::Acting;

use super::staff_route;
use crate::App;
use crate::api::wire::ImportedBody;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::has_type;
use crate::problem::{Failure, respond};
use crate::route::{AuditClass, Doc, Routes, Verb};

/// The most octets of a body: about 40,000 people, whom a server writes in the time that a client
/// waits for its answer. More come in parts, or by `tenantry user import`.
const LIMIT: u64 = 8 * 1024 * 1024;

/// How long a client may take to send the next piece.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Routes {
    let doc = Doc::new(
        "Bring people along with the password hashes they have elsewhere, a JSON object on each line; up to 8 MiB",
        200,
    )
    .takes_lines::<ImportLine>()
    .gives::<ImportedBody>()
    .refuses(&["forbidden", "payload_too_large", "tenant_unavailable"]);
    Routes::default().add(
        staff_route(Verb::Post, "/api/v1/users/import", doc)
            .audited(AuditClass::Person, "user.import"),
        post(import),
    )
}

/// One line: somebody to bring along.
#[derive(Serialize, JsonSchema)]
pub struct ImportLine {
    /// The address. Where somebody in the tenant has it, the line is skipped.
    pub email: String,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// `owner`, `admin` or `member`, which is the default; never more than whoever calls has.
    pub role: Option<String>,
    /// The hash as the other system stores it: PHC strings of Argon2, PBKDF2 and scrypt, bcrypt's
    /// `$2a$`, `$2b$` and `$2y$`, and what Django, Laravel and Werkzeug write. The first sign-in
    /// replaces it.
    pub password_hash: String,
}

async fn import(State(app): State<App>, ctx: Ctx, request: Request) -> Response {
    match received(&app, &ctx, request).await {
        Ok(imported) => {
            let counts = json!({
                "imported": imported.imported,
                "skipped": imported.skipped,
                "failed": imported.failed,
            });
            let body = ImportedBody::from(imported);
            let response = axum::response::IntoResponse::into_response(axum::Json(body));
            Audited::default().detail(counts).on(response)
        }
        Err(failure) => respond(&app, Some(&ctx), failure),
    }
}

async fn received(app: &App, ctx: &Ctx, request: Request) -> Result<Imported, Failure> {
    if !has_type(request.headers(), "application/x-ndjson") {
        return Err(Failure::Malformed("the body must be application/x-ndjson"));
    }
    if announced(request.headers()).is_some_and(|length| length > LIMIT) {
        return Err(Failure::PayloadTooLarge);
    }
    let acting = Acting::of(ctx.principal()?)?;
    let mut import = app.service.import_staff(&acting);
    read_into(&mut import, request.into_body()).await?;
    Ok(import.finish().await?)
}

/// The length that a request says it has, so that one that is too long is refused before anything
/// of it is done.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Hands a body over as it comes, line by line.
async fn read_into(import: &mut Import, mut body: Body) -> Result<(), Failure> {
    let (mut lines, mut read) = (Lines::default(), 0_u64);
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
        let frame = frame.map_err(|_| Failure::Malformed("the body took too long to come"))?;
        let mut records = Vec::new();
        let Some(frame) = frame else {
            lines.end(|number, line| records.push(ndjson::record(number, &line)));
            for record in records {
                import.take(record).await?;
            }
            return Ok(());
        };
        let frame = frame.map_err(|_| Failure::Malformed("the body could not be read"))?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        read += chunk.len() as u64;
        if read > LIMIT {
            return Err(Failure::PayloadTooLarge);
        }
        lines.push(&chunk, |number, line| {
            records.push(ndjson::record(number, &line));
        });
        for record in records {
            import.take(record).await?;
        }
    }
}
