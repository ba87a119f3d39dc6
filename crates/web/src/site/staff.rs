//! Running a tenant's people: all of them, adding somebody, and one.

mod devices;
mod new;
mod person;
mod pin;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tenantry_core::UserId;
use tenantry_core::user::User;
use tenantry_service::Refusal;
use tenantry_service::staff::Acting;

use super::chrome::chrome;
use super::{Asked, asked, page};
use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::context::Ctx;
use crate::pages::field;
use crate::pages::paths;
use crate::pages::staff::{StaffListPage, StaffRow};
use crate::route::{Audience, Route, Routes};

/// How many people a page of the list shows.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::STAFF, Audience::TenantAdmin), get(list))
        .merge(new::routes())
        .merge(person::routes())
        .merge(pin::routes())
        .merge(devices::routes())
}

/// What the address may say.
#[derive(Default, Deserialize)]
struct StaffQuery {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    done: Option<String>,
}

/// A button, and nothing to fill in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// A field's error in words, with the field.
fn words(app: &App, ctx: &Ctx, field: &str, code: &str) -> (String, String) {
    let policy = app.service.settings().passwords;
    let text = field::words(ctx.locale, field, code, policy);
    (field.to_owned(), text)
}

/// What a refusal says about the fields of a form, and the status it is answered with; the refusal
/// itself where it says nothing about them.
fn about_fields(
    app: &App,
    ctx: &Ctx,
    refusal: Refusal,
) -> Result<(StatusCode, Vec<(String, String)>), Refusal> {
    let taken = |field| (StatusCode::CONFLICT, vec![words(app, ctx, field, "taken")]);
    match refusal {
        Refusal::Validation(errors) => {
            let errors = errors
                .iter()
                .map(|error| words(app, ctx, &error.field, error.code));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, errors.collect()))
        }
        Refusal::EmailTaken => Ok(taken("email")),
        Refusal::UsernameTaken => Ok(taken("username")),
        other => Err(other),
    }
}

async fn list(State(app): State<App>, ctx: Ctx, query: Asked<StaffQuery>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let asked = asked(query);
        // A cursor that is none shows the beginning.
        let cursor = asked.cursor.as_deref();
        let after: Option<UserId> = cursor.and_then(|cursor| cursor.parse().ok());
        let own = acting.user_id();
        let listed = app
            .service
            .list_staff(acting.tenant(), after, PAGE + 1)
            .await?;
        let cursor = |user: &User| user.id.to_string();
        let rows = ListBody::page(listed, PAGE, cursor, |user| {
            StaffRow::of(user, Some(user.id) == own)
        });
        let shown = StaffListPage {
            chrome: chrome(&app, &ctx),
            rows: rows.items,
            is_first: after.is_none(),
            next: rows.next_cursor,
            removed: asked.done.as_deref() == Some("removed"),
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}
