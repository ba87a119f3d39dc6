//! What the forms of pages have in common.

use axum::http::StatusCode;
use serde::Deserialize;
use tenantry_service::Refusal;

use crate::App;
use crate::context::Ctx;
use crate::pages::field;

/// A button, and nothing to fill in; also what stands beside a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFields {}

/// What the address says after something was done.
#[derive(Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) done: Option<String>,
}

/// Which part of a list the address asks for, and what was done.
#[derive(Default, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) done: Option<String>,
}

/// A field with what is wrong with it, in words.
pub(crate) type Wrong = (String, String);

/// A field's error in words, with the field.
pub(crate) fn words(app: &App, ctx: &Ctx, field: &str, code: &str) -> Wrong {
    let policy = app.service.settings().passwords;
    let text = field::words(ctx.locale, field, code, policy);
    (field.to_owned(), text)
}

/// What a refusal says about the fields of a form, and the status it is answered with; the refusal
/// itself where it says nothing about them.
pub(crate) fn about_fields(
    app: &App,
    ctx: &Ctx,
    refusal: Refusal,
) -> Result<(StatusCode, Vec<Wrong>), Refusal> {
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
