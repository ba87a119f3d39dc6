//! Signing in and out.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Registration;
use tenantry_service::Refusal;
use tenantry_service::sessions::Issued;
use tenantry_service::signin::{Login, Person, SignedIn};

use super::chrome::chrome;
use super::{choose_tenant, local_path, page, see_other};
use crate::App;
use crate::audit::{Audited, typed};
use crate::context::Ctx;
use crate::cookies;
use crate::extract::Form;
use crate::i18n::problem::ProblemCode;
use crate::pages::login::{LoginError, LoginNotice, LoginPage};
use crate::pages::paths;
use crate::problem::{Failure, respond};
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::LOGIN, Audience::Public), get(show))
        .add(
            Route::form(paths::LOGIN, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Session, "session.begin"),
            post(sign_in),
        )
        .add(
            Route::form(paths::LOGOUT, Audience::Public)
                .audited(AuditClass::Session, "session.end")
                .before_password_change(),
            post(sign_out),
        )
}

/// What the address may say.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    return_to: Option<String>,
}

/// The form. `email` takes a username too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginForm {
    email: String,
    password: String,
    #[serde(default)]
    return_to: Option<String>,
}

fn form(app: &App, ctx: &Ctx) -> LoginPage {
    LoginPage {
        chrome: chrome(app, ctx),
        login: String::new(),
        return_to: None,
        notice: None,
        ended: None,
        error: None,
        register: ctx
            .tenant
            .open()
            .is_some_and(|tenant| tenant.tenant().registration == Registration::Open),
    }
}

async fn show(
    State(app): State<App>,
    mut ctx: Ctx,
    headers: HeaderMap,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = query.map(|query| query.0).unwrap_or_default();
    if ctx.principal.is_some() {
        return see_other(local_path(asked.return_to.as_deref()).unwrap_or(paths::DASHBOARD));
    }
    let notice = asked.reason.as_deref().and_then(LoginNotice::from_reason);
    // Whoever comes here by himself with a session that is over is told as whoever was sent here.
    let takes_back = ctx.stale;
    ctx.stale |= notice == Some(LoginNotice::SessionEnded);
    let told = cookies::find(&headers, app.cookies().ended());
    let closed = ctx.tenant.tenant().filter(|_| ctx.tenant.open().is_none());
    let mut response = if let Some(tenant) = closed {
        tracing::debug!(tenant.slug = %tenant.slug, "sign-in at a tenant nobody gets into");
        respond(&app, Some(&ctx), Refusal::TenantUnavailable.into())
    } else {
        let mut login = form(&app, &ctx);
        let ended = ctx.stale.then_some(LoginNotice::SessionEnded);
        login.notice = notice.or(ended);
        login.return_to = local_path(asked.return_to.as_deref()).map(str::to_owned);
        login.ended = ctx.ended.or(told.and_then(|word| word.parse().ok()));
        page(&app, &ctx, StatusCode::OK, &login)
    };
    let cookies = app.cookies();
    let stale = takes_back.then(|| cookies.clear(cookies.session()));
    let told = told.map(|_| cookies.forget_ended());
    for cookie in [stale, told].into_iter().flatten().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// An address where there is an `@`, else a username.
fn parsed(text: &str) -> Option<Login> {
    if text.contains('@') {
        text.parse().ok().map(Login::Email)
    } else {
        text.parse().ok().map(Login::Username)
    }
}

async fn sign_in(State(app): State<App>, ctx: Ctx, Form(sent): Form<LoginForm>) -> Response {
    let outcome = match parsed(&sent.email) {
        Some(login) => {
            app.service
                .sign_in(
                    &ctx.tenant,
                    &login,
                    &sent.password,
                    &ctx.client(SessionKind::Browser),
                )
                .await
        }
        None => Err(Refusal::InvalidCredentials),
    };
    app.metrics.signed_in(&outcome);
    let return_to = local_path(sent.return_to.as_deref()).map(str::to_owned);
    let target = parsed(&sent.email).map(|login| typed(&app, &login));
    let target = target.unwrap_or_default();
    let refusal = match outcome {
        Ok(SignedIn::Yes(signed_in)) => {
            return welcome(&app, &signed_in.0, &signed_in.1, return_to.as_deref());
        }
        Ok(SignedIn::Choose {
            selection_token,
            tenants,
        }) => {
            let offer =
                choose_tenant::offer(&app, &ctx, selection_token.expose().clone(), &tenants);
            let code = ProblemCode::TenantSelectionRequired.as_str();
            return Audited::refused(code).and_target(target).on(offer);
        }
        Err(refusal) => refusal,
    };
    let (status, error) = match refusal {
        Refusal::InvalidCredentials | Refusal::TenantRequired => {
            (StatusCode::UNAUTHORIZED, LoginError::Wrong)
        }
        Refusal::RateLimited(wait) => (StatusCode::TOO_MANY_REQUESTS, LoginError::TooMany(wait)),
        other => return respond(&app, Some(&ctx), Failure::Refused(other)),
    };
    let mut login = form(&app, &ctx);
    login.login = sent.email;
    login.return_to = return_to;
    login.error = Some(error);
    Audited::target(target).on(page(&app, &ctx, status, &login))
}

/// Sets the session's cookie and leads on.
pub(super) fn welcome(
    app: &App,
    person: &Person,
    issued: &Issued,
    return_to: Option<&str>,
) -> Response {
    let next = if person.must_change_password() {
        paths::CHANGE_PASSWORD
    } else {
        return_to.unwrap_or(paths::DASHBOARD)
    };
    let who = Audited::by(&issued.session.subject).and_target(issued.session.id);
    let mut response = who.on(see_other(next));
    if let Some(cookie) = app
        .cookies()
        .set(app.cookies().session(), issued.token.expose())
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn sign_out(State(app): State<App>, ctx: Ctx) -> Response {
    if let Some(principal) = &ctx.principal
        && let Err(refusal) = app.service.sign_out(&principal.session.handle()).await
    {
        return respond(&app, Some(&ctx), refusal.into());
    }
    let ended = ctx
        .principal
        .as_ref()
        .map_or_else(Audited::nothing, |one| Audited::target(one.session.id));
    let mut response = ended.on(see_other("/login?reason=signed_out"));
    if let Some(cookie) = app.cookies().clear(app.cookies().session()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
