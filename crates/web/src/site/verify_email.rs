//! The page behind links that prove an address: of somebody who registers, or of
//! somebody who changes to another one. Which of them it is, the token says.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::{new_address, registration};
use crate::App;
use crate::context::Ctx;
use crate::extract::Form;
use crate::route::{Audience, AuditClass, Route, Routes};

const PATH: &str = "/verify-email/{token}";

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(PATH, Audience::Public).takes_token(), get(show))
        .add(
            Route::form(PATH, Audience::Public)
                .takes_token()
                .audited(AuditClass::Person, "user.verify_email"),
            post(follow),
        )
}

async fn show(State(app): State<App>, ctx: Ctx, Path(token): Path<String>) -> Response {
    if app.service.is_new_address_token(&token) {
        return new_address::show_link(&app, &ctx, &token).await;
    }
    registration::show_link(&app, &ctx, &token).await
}

async fn follow(
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
    Form(sent): Form<registration::VerifyForm>,
) -> Response {
    if app.service.is_new_address_token(&token) {
        return new_address::follow_link(&app, &ctx, &token).await;
    }
    registration::follow_link(&app, &ctx, &token, sent).await
}
