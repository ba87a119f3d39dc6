//! One's own sessions.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_core::session::Session;
use tenantry_service::Refusal;
use tenantry_service::sessions::SessionPlace;

use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::account::{ReusedRow, SessionRow, SessionsNotice, SessionsPage};
use crate::pages::paths;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome;
use crate::site::forms::{ListQuery, NoFields};
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
        .add(
            form("/account/sessions/end-all", "session.end_all"),
            post(end_all),
        )
        .add(form("/account/sessions/{id}/end", "session.end"), post(end))
}

/// How many sessions a page of the list shows.
const PAGE: i64 = 50;

/// How many sessions that were ended since somebody else may have had a copy are told of.
const REUSED: i64 = 3;

async fn show(State(app): State<App>, ctx: Ctx, query: Asked<ListQuery>) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let asked = asked(query);
        // A cursor that is none shows the beginning.
        let cursor = asked.cursor.as_deref();
        let after: Option<SessionPlace> = cursor.and_then(|cursor| cursor.parse().ok());
        let listed = app
            .service
            .list_sessions(&principal.person, after, PAGE + 1)
            .await?;
        // Where the list begins, since it is about none of those that follow.
        let reused = match after {
            None => app.service.list_reused(&principal.person, REUSED).await?,
            Some(_) => Vec::new(),
        };
        let reused = reused.into_iter().filter_map(|session| {
            Some(ReusedRow {
                ended_at: session.ended_at?,
                user_agent: session.user_agent,
            })
        });
        let cursor = |session: &Session| SessionPlace::of(session).to_string();
        let own = principal.session.id;
        let rows = ListBody::page(listed, PAGE, cursor, |session| SessionRow {
            id: session.id.to_string(),
            kind: session.kind,
            current: session.id == own,
            user_agent: session.user_agent.clone(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
        });
        let shown = SessionsPage {
            chrome: chrome(&app, &ctx),
            rows: rows.items,
            is_first: after.is_none(),
            next: rows.next_cursor,
            may_end: principal.device.is_none(),
            reused: reused.collect(),
            notice: asked.done.as_deref().and_then(SessionsNotice::from_done),
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
        app.service.end_own_session(principal, id).await?;
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

async fn end_all(State(app): State<App>, ctx: Ctx, Form(NoFields {}): Form<NoFields>) -> Response {
    let outcome = async {
        app.service.sign_out_everywhere(ctx.principal()?).await?;
        let mut response = see_other("/login?reason=signed_out");
        if let Some(cookie) = app.cookies().clear(app.cookies().session()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok::<_, Refusal>(response)
    }
    .await;
    answer(&app, &ctx, outcome)
}
