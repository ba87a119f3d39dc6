//! Mails of a server without SMTP, to read in the browser.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tenantry_core::OutboxId;
use tenantry_service::Refusal;
use tenantry_service::mailbox::StoredMail;

use super::chrome::chrome_of;
use super::page;
use crate::App;
use crate::assets::MAIL_PART_POLICY;
use crate::context::Ctx;
use crate::pages::dev_mail::{DevMailListPage, DevMailPage, MailHead};
use crate::pages::paths;
use crate::problem::respond;
use crate::route::{Audience, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::DEV_MAIL, Audience::Public), get(list))
        .add(Route::page("/dev/mail/{id}", Audience::Public), get(one))
        .add(
            Route::page("/dev/mail/{id}/html", Audience::Public),
            get(html),
        )
}

/// The mails hold links that let somebody in: they are shown to this machine only.
fn at_home(ctx: &Ctx) -> Result<(), Refusal> {
    if ctx.client_ip.is_some_and(|ip| ip.is_loopback()) {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

async fn list(State(app): State<App>, ctx: Ctx) -> Response {
    let listed = async {
        at_home(&ctx)?;
        app.service.list_mail().await
    };
    match listed.await {
        Ok(mails) => {
            let mails = mails
                .into_iter()
                .map(|mail| MailHead {
                    id: mail.id,
                    at: mail.at,
                    from: None,
                    to: mail.to,
                    subject: mail.subject,
                })
                .collect();
            let shown = DevMailListPage {
                chrome: chrome_of(&app, &ctx, None),
                mails,
            };
            page(&app, &ctx, StatusCode::OK, &shown)
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn find(app: &App, ctx: &Ctx, id: &str) -> Result<StoredMail, Refusal> {
    at_home(ctx)?;
    let id: OutboxId = id.parse().map_err(|_| Refusal::NotFound)?;
    app.service.find_mail(id).await
}

async fn one(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    match find(&app, &ctx, &id).await {
        Ok(mail) => {
            let shown = DevMailPage {
                chrome: chrome_of(&app, &ctx, None),
                head: MailHead {
                    id: mail.id,
                    at: mail.at,
                    from: None,
                    to: mail.to,
                    subject: mail.subject,
                },
                has_html: mail.html.is_some(),
                text: mail.text,
            };
            page(&app, &ctx, StatusCode::OK, &shown)
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

/// The HTML part alone, under a policy that lets it load nothing and run nothing.
async fn html(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    match find(&app, &ctx, &id)
        .await
        .and_then(|mail| mail.html.ok_or(Refusal::NotFound))
    {
        Ok(html) => {
            let headers = [
                (
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("text/html; charset=utf-8"),
                ),
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static(MAIL_PART_POLICY),
                ),
                (
                    header::X_FRAME_OPTIONS,
                    HeaderValue::from_static("SAMEORIGIN"),
                ),
            ];
            (headers, html).into_response()
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
