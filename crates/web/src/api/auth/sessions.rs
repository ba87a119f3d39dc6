//! One's own sessions.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get};
use tenantry_core::session::Session;
use tenantry_service::Refusal;
use tenantry_service::sessions::SessionPlace;

use crate::App;
use crate::answer::answer;
use crate::api::wire::{ListBody, ListQuery, SessionBody, SignedOutBody};
use crate::context::Ctx;
use crate::extract::Query;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

const SESSIONS: &str = "/api/v1/auth/sessions";

pub(super) fn routes() -> Routes {
    let own = |verb, path, doc| Route::api(verb, path, Audience::SignedIn, doc);
    let all = Doc::new("Your sessions, the latest used first", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<SessionBody>>();
    let others = Doc::new("End your other sessions", 200)
        .gives::<SignedOutBody>()
        .refuses(&["forbidden"]);
    let one = Doc::new("End one of your sessions", 204).refuses(&["forbidden", "not_found"]);
    Routes::default()
        .add(own(Verb::Get, SESSIONS, all), get(list))
        .add(
            own(Verb::Delete, SESSIONS, others).audited(AuditClass::Session, "session.end_others"),
            delete(end_others),
        )
        .add(
            own(Verb::Delete, "/api/v1/auth/sessions/{id}", one)
                .audited(AuditClass::Session, "session.end"),
            delete(end),
        )
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let (limit, after) = (query.limit()?, query.cursor::<SessionPlace>()?);
        let listed = app
            .service
            .list_sessions(&principal.person, after, limit + 1)
            .await?;
        let cursor = |session: &Session| SessionPlace::of(session).to_string();
        let page = ListBody::page(listed, limit, cursor, |session| {
            SessionBody::of(session, principal.session.id)
        });
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        app.service.end_own_session(ctx.principal()?, id).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end_others(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let sessions_cleared = app.service.end_other_sessions(ctx.principal()?).await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody { sessions_cleared }))
    }
    .await;
    answer(&app, &ctx, outcome)
}
