//! Running a tenant's people: all of them, adding somebody, and one.

mod devices;
mod new;
mod person;
mod pin;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use tenantry_core::UserId;
use tenantry_core::user::User;
use tenantry_service::Refusal;
use tenantry_service::staff::Acting;

use super::chrome::chrome;
use super::forms::ListQuery;
use super::{Asked, asked, page};
use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::context::Ctx;
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

async fn list(State(app): State<App>, ctx: Ctx, query: Asked<ListQuery>) -> Response {
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
