//! One's own sessions.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_service::Refusal;

use super::Done;
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::account::{SessionRow, SessionsNotice, SessionsPage};
use crate::pages::paths;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome;
use crate::site::{Asked, asked, page, see_other};

pub(super) fn routes() -> Routes {
    let form =
        |path, action| Route::form(path, Audience::SignedIn).audited(AuditClass::Session, action);
    Routes::default()
        .add(Route::page(paths::SESSIONS, Audience::SignedIn), get(show))
        .add(
            form("/account/sessions/end-others", "session.end_others"),
            post(end_others),
        )
        .add(form("/account/sessions/{id}/end", "session.end"), post(end))
}

/// A button, and nothing to fill in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn show(State(app): State<App>, ctx: Ctx, query: Asked<Done>) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let sessions = app.service.sessions_of(&principal.person).await?;
        let own = principal.session.id;
        let rows = sessions.into_iter().map(|session| SessionRow {
            id: session.id.to_string(),
            kind: session.kind,
            current: session.id == own,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
        });
        let shown = SessionsPage {
            chrome: chrome(&app, &ctx),
            rows: rows.collect(),
            notice: asked(query)
                .done
                .as_deref()
                .and_then(SessionsNotice::from_done),
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    let outcome = async {
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        let principal = ctx.principal()?;
        app.service.end_own_session(&principal.person, id).await?;
        Ok::<_, Refusal>(see_other("/account/sessions?done=ended"))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end_others(
    State(app): State<App>,
    ctx: Ctx,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    let outcome = async {
        app.service.end_other_sessions(ctx.principal()?).await?;
        Ok::<_, Refusal>(see_other("/account/sessions?done=others"))
    }
    .await;
    answer(&app, &ctx, outcome)
}
