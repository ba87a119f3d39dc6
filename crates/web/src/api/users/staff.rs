//! A tenant's people, for its owners and admins.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use tenantry_core::user::{User, Username};
use tenantry_core::{Email, Locale, Role, UserId};
use tenantry_service::staff::{Acting, CreatedStaff, FirstPassword, NewStaff, StaffChange};
use tenantry_service::{FieldError, Refusal};

use super::{read_id, staff_route};
use crate::App;
use crate::answer::answer;
use crate::api::fields::{collect, parse_option};
use crate::api::wire::{
    ListBody, ListQuery, SignedOutBody, StaffBody, StaffCreatedBody, StaffPatch, StaffRequest,
};
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, Query};
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let all = Doc::new("The tenant's people", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<StaffBody>>();
    let adding = Doc::new(
        "Add somebody; without a password a setup link is mailed, good for seven days",
        201,
    )
    .takes::<StaffRequest>()
    .gives::<StaffCreatedBody>()
    .refuses(&[
        "validation_failed",
        "forbidden",
        "email_taken",
        "username_taken",
    ]);
    let one = Doc::new("One of the tenant's people", 200)
        .gives::<StaffBody>()
        .refuses(&["not_found"]);
    let changing = Doc::new(
        "Change somebody; another role or address, or being disabled, ends the person's sessions",
        200,
    )
    .takes::<StaffPatch>()
    .gives::<StaffBody>()
    .refuses(&[
        "validation_failed",
        "forbidden",
        "not_found",
        "email_taken",
        "username_taken",
        "conflict",
    ]);
    let removing = Doc::new("Remove somebody; the last owner stays", 204).refuses(&[
        "forbidden",
        "not_found",
        "conflict",
    ]);
    let linking = Doc::new(
        "Mail the setup link again to somebody without a password of their own",
        200,
    )
    .gives::<StaffBody>()
    .refuses(&["forbidden", "not_found", "conflict"]);
    let ending = Doc::new("End somebody's sessions", 200)
        .gives::<SignedOutBody>()
        .refuses(&["forbidden", "not_found"]);
    let unlocking = Doc::new(
        "Let somebody try again who was locked out by wrong tries",
        200,
    )
    .gives::<StaffBody>()
    .refuses(&["forbidden", "not_found"]);
    let person = AuditClass::Person;
    Routes::default()
        .add(staff_route(Verb::Get, "/api/v1/users", all), get(list))
        .add(
            staff_route(Verb::Post, "/api/v1/users", adding)
                .audited(person, "user.create")
                .once_by_key(),
            post(create),
        )
        .add(staff_route(Verb::Get, "/api/v1/users/{id}", one), get(show))
        .add(
            staff_route(Verb::Patch, "/api/v1/users/{id}", changing).audited(person, "user.change"),
            patch(change),
        )
        .add(
            staff_route(Verb::Delete, "/api/v1/users/{id}", removing)
                .audited(person, "user.remove"),
            delete(remove),
        )
        .add(
            staff_route(Verb::Post, "/api/v1/users/{id}/setup-link", linking)
                .audited(person, "user.invite"),
            post(send_link),
        )
        .add(
            staff_route(Verb::Post, "/api/v1/users/{id}/unlock", unlocking)
                .audited(person, "user.unlock"),
            post(unlock),
        )
        .add(
            staff_route(Verb::Delete, "/api/v1/users/{id}/sessions", ending)
                .audited(person, "user.end_sessions"),
            delete(end_sessions),
        )
}

impl StaffRequest {
    /// The person it asks for, or everything that is wrong with it.
    fn into_staff(self, locale: Locale) -> Result<NewStaff, Refusal> {
        let mut errors = Vec::new();
        let email = collect::<Email, _>(&mut errors, "email", self.email.parse());
        let username = parse_option::<Username>(&mut errors, "username", self.username.as_deref());
        let role = collect::<Role, _>(&mut errors, "role", self.role.parse());
        if self.password.is_some() && self.generate_password {
            errors.push(FieldError::new(
                "generate_password",
                "invalid",
                "give a password or have one generated, not both",
            ));
        }
        match (email, role) {
            (Some(email), Some(role)) if errors.is_empty() => Ok(NewStaff {
                email,
                username,
                full_name: self.full_name,
                role,
                password: match self.password {
                    Some(password) => FirstPassword::Given(password),
                    None if self.generate_password => FirstPassword::Generated,
                    None => FirstPassword::Link,
                },
                must_change_password: self.must_change_password,
                locale,
            }),
            _ => Err(Refusal::Validation(errors)),
        }
    }
}

impl StaffPatch {
    /// The change it asks for, or everything that is wrong with it.
    fn into_change(self) -> Result<StaffChange, Refusal> {
        let mut errors = Vec::new();
        let change = StaffChange {
            email: parse_option(&mut errors, "email", self.email.as_deref()),
            username: self
                .username
                .map(|name| parse_option(&mut errors, "username", name.as_deref())),
            full_name: self.full_name,
            role: parse_option(&mut errors, "role", self.role.as_deref()),
            disabled: self.disabled,
            must_change_password: self.must_change_password,
        };
        if errors.is_empty() {
            Ok(change)
        } else {
            Err(Refusal::Validation(errors))
        }
    }
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let after: Option<UserId> = query.cursor()?;
        let acting = Acting::of(ctx.principal()?)?;
        let listed = app
            .service
            .list_staff(acting.tenant(), after, limit + 1)
            .await?;
        let cursor = |user: &User| user.id.to_string();
        let page = ListBody::page(listed, limit, cursor, |user| StaffBody::from(user));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn create(State(app): State<App>, ctx: Ctx, Json(request): Json<StaffRequest>) -> Response {
    let outcome = async {
        let new = request.into_staff(ctx.locale)?;
        let acting = Acting::of(ctx.principal()?)?;
        let CreatedStaff { user, password } = app.service.create_staff(&acting, new).await?;
        let body = StaffCreatedBody {
            user: StaffBody::from(&user),
            password: password.map(|password| password.expose().clone()),
        };
        Ok::<_, Refusal>((
            StatusCode::CREATED,
            Audited::target(user.id),
            axum::Json(body),
        ))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let user = app
            .service
            .find_staff(acting.tenant(), read_id(&id)?)
            .await?;
        Ok::<_, Refusal>(axum::Json(StaffBody::from(&user)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(request): Json<StaffPatch>,
) -> Response {
    let outcome = async {
        let change = request.into_change()?;
        let acting = Acting::of(ctx.principal()?)?;
        let user = app
            .service
            .change_staff(&acting, read_id(&id)?, change)
            .await?;
        Ok::<_, Refusal>(axum::Json(StaffBody::from(&user)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        app.service.remove_staff(&acting, read_id(&id)?).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn send_link(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = read_id(&id)?;
        app.service.send_setup_link(&acting, id, ctx.locale).await?;
        let user = app.service.find_staff(acting.tenant(), id).await?;
        Ok::<_, Refusal>(axum::Json(StaffBody::from(&user)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn unlock(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let user = app.service.unlock_staff(&acting, read_id(&id)?).await?;
        Ok::<_, Refusal>(axum::Json(StaffBody::from(&user)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end_sessions(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let sessions_cleared = app
            .service
            .end_staff_sessions(&acting, read_id(&id)?)
            .await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody { sessions_cleared }))
    }
    .await;
    answer(&app, &ctx, outcome)
}
