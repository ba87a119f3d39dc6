//! One of a tenant's people, and what can be done about the person.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::user::{User, Username};
use tenantry_core::{Role, UserId};
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_service::{FieldError, Refusal};

use crate::App;
use crate::answer::answer;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::i18n::problem::ProblemCode;
use crate::pages::paths;
use crate::pages::staff::{PinTrouble, StaffNotice, StaffPersonPage, StaffRow, StaffTrouble};
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome;
use crate::site::forms::{Done, NoFields, about_fields};
use crate::site::{Asked, asked, page, see_other};

pub(super) fn routes() -> Routes {
    let form =
        |path, action| Route::form(path, Audience::TenantAdmin).audited(AuditClass::Person, action);
    Routes::default()
        .add(Route::page("/staff/{id}", Audience::TenantAdmin), get(show))
        .add(form("/staff/{id}", "user.change"), post(change))
        .add(
            form("/staff/{id}/setup-link", "user.invite"),
            post(send_link),
        )
        .add(
            form("/staff/{id}/sessions", "user.end_sessions"),
            post(end_sessions),
        )
        .add(form("/staff/{id}/unlock", "user.unlock"), post(unlock))
        .add(form("/staff/{id}/disable", "user.disable"), post(disable))
        .add(form("/staff/{id}/enable", "user.enable"), post(enable))
        .add(form("/staff/{id}/remove", "user.remove"), post(remove))
}

/// The form, field for field as the API's; what is left empty is none.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeForm {
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: Option<String>,
    role: Role,
}

/// The page of somebody as the person is.
pub(super) fn filled(app: &App, ctx: &Ctx, acting: &Acting<'_>, user: &User) -> StaffPersonPage {
    StaffPersonPage {
        chrome: chrome(app, ctx),
        row: StaffRow::of(user, Some(user.id) == acting.user_id()),
        email: user.email.to_string(),
        full_name: user.full_name.clone().unwrap_or_default(),
        username: user.username.clone().unwrap_or_default(),
        role: user.role,
        roles: if acting.may_touch(user) {
            acting.may_grant().collect()
        } else {
            Vec::new()
        },
        errors: Vec::new(),
        notice: None,
        trouble: None,
        password: None,
        has_pin: user.has_pin,
        pin_trouble: None,
    }
}

pub(super) fn read(id: &str) -> Result<UserId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

async fn show(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    query: Asked<Done>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let user = app.service.find_staff(acting.tenant(), read(&id)?).await?;
        let mut shown = filled(&app, &ctx, &acting, &user);
        shown.notice = asked(query)
            .done
            .as_deref()
            .and_then(StaffNotice::from_done);
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}

impl ChangeForm {
    /// What differs from how the person is.
    fn into_change(self, user: &User) -> Result<StaffChange, Refusal> {
        let mut errors = Vec::new();
        let mut change = StaffChange {
            full_name: Some(Some(self.full_name)),
            role: (self.role != user.role).then_some(self.role),
            ..StaffChange::default()
        };
        let username = self.username.trim();
        if username != user.username.as_deref().unwrap_or_default() {
            match (username, username.parse::<Username>()) {
                ("", _) => change.username = Some(None),
                (_, Ok(name)) => change.username = Some(Some(name)),
                (_, Err(error)) => errors.push(FieldError::new("username", "invalid", error)),
            }
        }
        if let Some(email) = self.email
            && email.trim() != user.email.as_str()
        {
            match email.parse() {
                Ok(email) => change.email = Some(email),
                Err(error) => errors.push(FieldError::new("email", "invalid", error)),
            }
        }
        if errors.is_empty() {
            Ok(change)
        } else {
            Err(Refusal::Validation(errors))
        }
    }
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(sent): Form<ChangeForm>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let user = app.service.find_staff(acting.tenant(), read(&id)?).await?;
        let typed = sent.clone();
        let changed = async {
            let change = sent.into_change(&user)?;
            app.service.change_staff(&acting, user.id, change).await
        }
        .await;
        let Err(refusal) = changed else {
            return Ok(see_other(&done(user.id, "saved")));
        };
        let mut shown = filled(&app, &ctx, &acting, &user);
        shown.full_name = typed.full_name;
        shown.username = typed.username;
        shown.email = typed.email.unwrap_or(shown.email);
        shown.role = typed.role;
        match about_fields(&app, &ctx, refusal) {
            Ok((status, errors)) => {
                shown.errors = errors;
                Ok(page(&app, &ctx, status, &shown))
            }
            Err(refusal) => troubled(&app, &ctx, shown, refusal),
        }
    }
    .await;
    answer(&app, &ctx, outcome)
}

/// The path of a person's page, with what was done.
fn done(id: UserId, what: &str) -> String {
    format!("{}/{id}?done={what}", paths::STAFF)
}

/// The page with why something was not done; the refusal itself where the page has no words for it.
fn troubled(
    app: &App,
    ctx: &Ctx,
    mut shown: StaffPersonPage,
    refusal: Refusal,
) -> Result<Response, Refusal> {
    shown.trouble = Some(match refusal {
        // Nothing but a PIN is typed where fields are not shown again one by one.
        Refusal::Validation(errors) => {
            let code = errors.first().map_or("", |error| error.code);
            shown.pin_trouble = Some(PinTrouble::from_code(code));
            return Ok(page(app, ctx, StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
        Refusal::LastOwner => StaffTrouble::LastOwner,
        Refusal::Conflict(_) if shown.row.is_self => StaffTrouble::Oneself,
        Refusal::Conflict(_) => StaffTrouble::HasPassword,
        other => return Err(other),
    });
    let code = ProblemCode::Conflict.as_str();
    Ok(Audited::refused(code).on(page(app, ctx, StatusCode::CONFLICT, &shown)))
}

/// Does something about a person and leads back to the page, or shows there why not.
pub(super) async fn act(
    app: &App,
    ctx: &Ctx,
    id: &str,
    what: &str,
    doing: impl AsyncFnOnce(&Acting<'_>, UserId) -> Result<(), Refusal>,
) -> Response {
    act_and_go(app, ctx, id, |id| done(id, what), doing).await
}

/// Does something about a person and leads on, or shows the person's page with why not.
async fn act_and_go(
    app: &App,
    ctx: &Ctx,
    id: &str,
    next: impl FnOnce(UserId) -> String,
    doing: impl AsyncFnOnce(&Acting<'_>, UserId) -> Result<(), Refusal>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        match doing(&acting, id).await {
            Ok(()) => Ok(see_other(&next(id))),
            Err(refusal) => {
                let user = app.service.find_staff(acting.tenant(), id).await?;
                troubled(app, ctx, filled(app, ctx, &acting, &user), refusal)
            }
        }
    }
    .await;
    answer(app, ctx, outcome)
}

async fn send_link(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "linked", async |acting, id| {
        app.service.send_setup_link(acting, id, ctx.locale).await
    })
    .await
}

async fn end_sessions(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "sessions", async |acting, id| {
        app.service.end_staff_sessions(acting, id).await.map(drop)
    })
    .await
}

async fn unlock(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "unlocked", async |acting, id| {
        app.service.unlock_staff(acting, id).await.map(drop)
    })
    .await
}

async fn disable(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "disabled", async |acting, id| {
        let change = kept_out(true);
        app.service.change_staff(acting, id, change).await.map(drop)
    })
    .await
}

async fn enable(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "enabled", async |acting, id| {
        let change = kept_out(false);
        app.service.change_staff(acting, id, change).await.map(drop)
    })
    .await
}

fn kept_out(disabled: bool) -> StaffChange {
    StaffChange {
        disabled: Some(disabled),
        ..StaffChange::default()
    }
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    // Whoever removed themselves is signed out with it.
    let next = |_| format!("{}?done=removed", paths::STAFF);
    act_and_go(&app, &ctx, &id, next, async |acting, id| {
        app.service.remove_staff(acting, id).await
    })
    .await
}
