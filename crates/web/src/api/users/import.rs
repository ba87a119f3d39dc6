//! Bringing people along with the password hashes they have elsewhere.

mod incoming;

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tenantry_service::import::lines::Lines;
use tenantry_service::import::{Import, Imported, LineError, ndjson};
use tenantry_service::staff::Acting;

use self::incoming::{Broken, Incoming, Patience};
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

/// How long a client may take to send the next piece, as with other bodies, and all of them: less
/// than the minute in which it gets an answer at all.
const PATIENCE: Patience = Patience {
    piece: Duration::from_secs(15),
    total: Duration::from_secs(40),
};

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
    read_into(&mut import, Incoming::new(request.into_body(), PATIENCE)).await?;
    Ok(import.finish().await?)
}

/// The length that a request says it has, so that one that is too long is refused before anything
/// of it is done.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Hands a body over as it comes, line by line. Where the rest does not come in time, the answer says
/// from which line on: what was brought along before stays, and the same body can be sent again.
async fn read_into(import: &mut Import, mut incoming: Incoming) -> Result<(), Failure> {
    let (mut lines, mut read) = (Lines::default(), 0_u64);
    loop {
        let mut records = Vec::new();
        let piece = match incoming.next().await {
            Ok(piece) => piece,
            Err(Broken::Unreadable) => {
                return Err(Failure::Malformed("the body could not be read"));
            }
            Err(Broken::Slow) => {
                let why = "the body took too long to come; nothing was read from this line on, so send it again, in smaller parts";
                import.stop(LineError::new(lines.open_line(), "too_slow", why));
                return Ok(());
            }
        };
        let Some(piece) = piece else {
            lines.end(|number, line| records.push(ndjson::record(number, &line)));
            for record in records {
                import.take(record).await?;
            }
            return Ok(());
        };
        read += piece.len() as u64;
        if read > LIMIT {
            return Err(Failure::PayloadTooLarge);
        }
        lines.push(&piece, |number, line| {
            records.push(ndjson::record(number, &line));
        });
        for record in records {
            import.take(record).await?;
        }
    }
}

#[cfg(test)]
mod tests;
