//! One's own place: the dashboard, names and address, sessions, and changing the password.

mod profile;
mod sessions;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::tenant::tenant_code;
use tenantry_service::Refusal;
use tenantry_service::signin::Person;

use super::chrome::{chrome, shown, tenant_host};
use super::{page, see_other};
use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::dashboard::{DashboardPage, DashboardTenant};
use crate::pages::password::{ChangePasswordPage, PasswordIssue};
use crate::pages::paths;
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(paths::DASHBOARD, Audience::SignedIn),
            get(dashboard),
        )
        .add(
            Route::page(paths::CHANGE_PASSWORD, Audience::SignedIn).before_password_change(),
            get(show_change),
        )
        .add(
            Route::form(paths::CHANGE_PASSWORD, Audience::SignedIn)
                .takes_secret()
                .audited(AuditClass::Person, "user.change_password")
                .before_password_change(),
            post(change),
        )
        .merge(profile::routes())
        .merge(sessions::routes())
}

async fn dashboard(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let sessions = app.service.sessions_of(&principal.person).await?.len();
        let (username, last_login) = match &principal.person {
            Person::User { user, .. } => (user.username.clone(), user.last_login_at),
            Person::Admin(admin) => (None, admin.last_login_at),
        };
        let tenant = principal.person.tenant().map(|tenant| DashboardTenant {
            name: tenant.name.clone(),
            code: tenant_code(&app.service.settings().code_prefix, tenant.number),
            host: tenant_host(&app, &ctx, tenant),
        });
        Ok::<_, Refusal>(DashboardPage {
            chrome: chrome(&app, &ctx),
            person: shown(principal),
            username,
            tenant,
            last_login,
            sessions: u64::try_from(sessions).unwrap_or(u64::MAX),
        })
    }
    .await;
    match outcome {
        Ok(shown) => page(&app, &ctx, StatusCode::OK, &shown),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

/// The form, field for field as the API's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeForm {
    current_password: String,
    new_password: String,
}

fn change_form(
    app: &App,
    ctx: &Ctx,
    current: Option<PasswordIssue>,
    new: Option<PasswordIssue>,
) -> Response {
    let principal = match ctx.principal() {
        Ok(principal) => principal,
        Err(refusal) => return respond(app, Some(ctx), refusal.into()),
    };
    let status = if current.is_some() || new.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let form = ChangePasswordPage {
        chrome: chrome(app, ctx),
        email: shown(principal).email,
        forced: principal.person.must_change_password(),
        policy: app.service.password_policy(principal.person.tenant()),
        current_error: current,
        new_error: new,
    };
    page(app, ctx, status, &form)
}

async fn show_change(State(app): State<App>, ctx: Ctx) -> Response {
    change_form(&app, &ctx, None, None)
}

async fn change(State(app): State<App>, ctx: Ctx, Form(sent): Form<ChangeForm>) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        app.service
            .change_password(
                principal,
                &sent.current_password,
                &sent.new_password,
                ctx.client_ip,
            )
            .await
    }
    .await;
    match outcome {
        Ok(()) => see_other(paths::DASHBOARD),
        Err(Refusal::Validation(errors)) => {
            let issue = |field: &str| {
                errors
                    .iter()
                    .find(|error| error.field == field)
                    .map(|error| PasswordIssue::from_code(error.code))
            };
            let (current, new) = (issue("current_password"), issue("new_password"));
            let form = change_form(&app, &ctx, current, new);
            Audited::of_errors(&errors).on(form)
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
