//! Adding somebody to a tenant.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::Role;
use tenantry_core::user::Username;
use tenantry_service::staff::{Acting, CreatedStaff, FirstPassword, NewStaff};
use tenantry_service::{FieldError, Refusal};

use super::person;
use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::paths;
use crate::pages::staff::{StaffNewPage, StaffNotice};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome;
use crate::site::forms::{Wrong, about_fields};
use crate::site::{page, see_other};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(paths::STAFF_NEW, Audience::TenantAdmin),
            get(show),
        )
        .add(
            Route::form(paths::STAFF_NEW, Audience::TenantAdmin)
                .audited(AuditClass::Person, "user.create"),
            post(create),
        )
}

/// The form, field for field as the API's; what is left empty is none.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewForm {
    email: String,
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    username: String,
    role: Role,
    #[serde(default)]
    generate_password: bool,
}

fn form(
    app: &App,
    ctx: &Ctx,
    acting: &Acting<'_>,
    typed: Option<(StatusCode, NewForm, Vec<Wrong>)>,
) -> Response {
    let mut shown = StaffNewPage {
        chrome: chrome(app, ctx),
        email: String::new(),
        full_name: String::new(),
        username: String::new(),
        role: Role::Member,
        generate: false,
        roles: acting.may_grant().collect(),
        errors: Vec::new(),
    };
    let mut status = StatusCode::OK;
    if let Some((because, typed, errors)) = typed {
        status = because;
        shown.email = typed.email;
        shown.full_name = typed.full_name;
        shown.username = typed.username;
        shown.role = typed.role;
        shown.generate = typed.generate_password;
        shown.errors = errors;
    }
    page(app, ctx, status, &shown)
}

async fn show(State(app): State<App>, ctx: Ctx) -> Response {
    match ctx.principal().and_then(Acting::of) {
        Ok(acting) => form(&app, &ctx, &acting, None),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

impl NewForm {
    fn into_staff(self, ctx: &Ctx) -> Result<NewStaff, Refusal> {
        let mut errors = Vec::new();
        let email = self.email.parse();
        let email = email.map_err(|error| errors.push(FieldError::new("email", "invalid", error)));
        let username = Some(self.username.trim()).filter(|name| !name.is_empty());
        let username = username.map(str::parse::<Username>).transpose();
        let username =
            username.map_err(|error| errors.push(FieldError::new("username", "invalid", error)));
        match (email, username) {
            (Ok(email), Ok(username)) => Ok(NewStaff {
                email,
                username,
                full_name: Some(self.full_name),
                role: self.role,
                password: if self.generate_password {
                    FirstPassword::Generated
                } else {
                    FirstPassword::Link
                },
                must_change_password: false,
                locale: ctx.locale,
            }),
            _ => Err(Refusal::Validation(errors)),
        }
    }
}

async fn create(State(app): State<App>, ctx: Ctx, Form(sent): Form<NewForm>) -> Response {
    let acting = match ctx.principal().and_then(Acting::of) {
        Ok(acting) => acting,
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    let created = async {
        let new = sent.clone().into_staff(&ctx)?;
        app.service.create_staff(&acting, new).await
    }
    .await;
    match created {
        Ok(CreatedStaff {
            user,
            password: Some(password),
        }) => {
            let mut shown = person::filled(&app, &ctx, &acting, &user);
            shown.notice = Some(StaffNotice::Created);
            shown.password = Some(password.expose().clone());
            Audited::target(user.id).on(page(&app, &ctx, StatusCode::CREATED, &shown))
        }
        Ok(CreatedStaff { user, .. }) => {
            let next = format!("{}/{}?done=invited", paths::STAFF, user.id);
            Audited::target(user.id).on(see_other(&next))
        }
        Err(refusal) => match about_fields(&app, &ctx, refusal) {
            Ok((status, errors)) => form(&app, &ctx, &acting, Some((status, sent, errors))),
            Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
        },
    }
}
