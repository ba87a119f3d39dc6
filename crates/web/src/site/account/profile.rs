//! One's own names and address.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_service::profile::ProfileChange;
use tenantry_service::signin::Person;

use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::account::{AccountNotice, AccountPage};
use crate::pages::paths;
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::{chrome, shown};
use crate::site::forms::{Done, Wrong, about_fields, words};
use crate::site::{Asked, asked, page, see_other};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::ACCOUNT, Audience::SignedIn), get(show))
        .add(
            Route::form(paths::ACCOUNT, Audience::SignedIn)
                .audited(AuditClass::Person, "user.change_profile"),
            post(change),
        )
}

/// The form, field for field as the API's; what is left empty is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileForm {
    full_name: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

/// What was typed, where something is wrong with it.
struct Typed {
    sent: ProfileForm,
    errors: Vec<Wrong>,
}

fn form(
    app: &App,
    ctx: &Ctx,
    status: StatusCode,
    typed: Option<Typed>,
    notice: Option<AccountNotice>,
) -> Response {
    let principal = match ctx.principal() {
        Ok(principal) => principal,
        Err(refusal) => return respond(app, Some(ctx), refusal.into()),
    };
    let (full_name, username) = match &principal.person {
        Person::User { user, .. } => (
            user.full_name.clone(),
            Some(user.username.clone().unwrap_or_default()),
        ),
        Person::Admin(admin) => (admin.full_name.clone(), None),
    };
    let mut shown = AccountPage {
        chrome: chrome(app, ctx),
        full_name: full_name.unwrap_or_default(),
        username,
        email: shown(principal).email,
        errors: Vec::new(),
        notice,
    };
    if let Some(Typed { sent, errors }) = typed {
        shown.full_name = sent.full_name;
        shown.username = shown.username.map(|there| sent.username.unwrap_or(there));
        shown.email = sent.email.unwrap_or(shown.email);
        shown.errors = errors;
    }
    page(app, ctx, status, &shown)
}

async fn show(State(app): State<App>, ctx: Ctx, query: Asked<Done>) -> Response {
    let notice = asked(query)
        .done
        .as_deref()
        .and_then(AccountNotice::from_done);
    form(&app, &ctx, StatusCode::OK, None, notice)
}

impl ProfileForm {
    /// What differs from how the person is; whatever is wrong, each with its field and code.
    fn as_change(
        &self,
        person: &Person,
    ) -> Result<ProfileChange, Vec<(&'static str, &'static str)>> {
        let mut wrong = Vec::new();
        let mut change = ProfileChange {
            full_name: Some(Some(self.full_name.clone()).filter(|name| !name.trim().is_empty())),
            ..ProfileChange::default()
        };
        if let (Person::User { user, .. }, Some(typed)) = (person, self.username.as_deref()) {
            let typed = typed.trim();
            if typed != user.username.as_deref().unwrap_or_default() {
                change.username = match (typed, typed.parse()) {
                    ("", _) => Some(None),
                    (_, Ok(name)) => Some(Some(name)),
                    (_, Err(_)) => {
                        wrong.push(("username", "invalid"));
                        None
                    }
                };
            }
        }
        if let (Person::User { user, .. }, Some(typed)) = (person, self.email.as_deref())
            && typed.trim() != user.email.as_str()
        {
            match typed.parse() {
                Ok(email) => change.email = Some(email),
                Err(_) => wrong.push(("email", "invalid")),
            }
        }
        if wrong.is_empty() {
            Ok(change)
        } else {
            Err(wrong)
        }
    }
}

async fn change(State(app): State<App>, ctx: Ctx, Form(sent): Form<ProfileForm>) -> Response {
    let principal = match ctx.principal() {
        Ok(principal) => principal,
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    let again = |sent, status, errors| {
        let typed = Some(Typed { sent, errors });
        form(&app, &ctx, status, typed, None)
    };
    let change = match sent.as_change(&principal.person) {
        Ok(change) => change,
        Err(wrong) => {
            let wrong = wrong
                .iter()
                .map(|(field, code)| words(&app, &ctx, field, code));
            let unfit = StatusCode::UNPROCESSABLE_ENTITY;
            return Audited::nothing().on(again(sent, unfit, wrong.collect()));
        }
    };
    let changed = app
        .service
        .change_profile(principal, change, ctx.locale)
        .await;
    match changed {
        Ok(changed) => match changed.email_pending {
            None => see_other("/account?done=saved"),
            Some(email) => {
                let mut now = ctx.clone();
                if let Some(principal) = &mut now.principal {
                    Arc::make_mut(principal).person = changed.person;
                }
                let notice = Some(AccountNotice::Pending(email.to_string()));
                form(&app, &now, StatusCode::OK, None, notice)
            }
        },
        Err(refusal) => match about_fields(&app, &ctx, refusal) {
            Ok((status, wrong)) => again(sent, status, wrong),
            Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
        },
    }
}
