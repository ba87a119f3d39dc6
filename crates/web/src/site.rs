//! The handlers of the pages: they take a form apart, call one use case and show a page.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod assets;
pub(crate) mod choose_tenant;
mod chrome;
pub(crate) mod credentials;
pub(crate) mod dev_mail;
pub(crate) mod docs;
pub(crate) mod error;
mod forms;
pub(crate) mod home;
pub(crate) mod login;
mod new_address;
pub(crate) mod recovery;
pub(crate) mod registration;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod signup;
pub(crate) mod staff;
pub(crate) mod verify_email;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::App;
use crate::context::Ctx;
use crate::problem::{Failure, respond};
use crate::route::Routes;

/// Every page.
pub(crate) fn routes() -> Routes {
    home::routes()
        .merge(login::routes())
        .merge(choose_tenant::routes())
        .merge(setup::routes())
        .merge(signup::routes())
        .merge(recovery::routes())
        .merge(registration::routes())
        .merge(verify_email::routes())
        .merge(credentials::routes())
        .merge(account::routes())
        .merge(staff::routes())
        .merge(settings::routes())
        .merge(admin::routes())
        .merge(docs::routes())
        .merge(dev_mail::routes())
}

/// What the address of a page may say. A page for people takes what it knows and is shown all the
/// same.
pub(crate) type Asked<T> = Result<Query<T>, QueryRejection>;

/// What the address says, or nothing.
pub(crate) fn asked<T: Default>(query: Asked<T>) -> T {
    query.map(|query| query.0).unwrap_or_default()
}

/// A rendered page.
pub(crate) fn page(
    app: &App,
    ctx: &Ctx,
    status: StatusCode,
    page: &impl askama::Template,
) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            let failure = tenantry_service::Refusal::failed("a page could not be rendered")(error);
            respond(app, Some(ctx), Failure::Refused(failure))
        }
    }
}

/// Sends the browser to a path of this host, by GET (RFC 9110, section 15.4.4).
pub(crate) fn see_other(path: &str) -> Response {
    match HeaderValue::try_from(path) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A path of this host to go to after signing in; anything else is not followed. `//host` and
/// `/\host` are other hosts to a browser.
pub(crate) fn local_path(path: Option<&str>) -> Option<&str> {
    let path = path?;
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 512
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    local.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_paths_of_this_host_are_followed() {
        assert_eq!(
            local_path(Some("/reports?from=2026")),
            Some("/reports?from=2026")
        );
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "reports",
            "/a\r\nSet-Cookie: x=y",
            "/\u{202e}",
        ] {
            assert_eq!(local_path(Some(bad)), None, "{bad}");
        }
    }
}
