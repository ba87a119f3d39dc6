//! `tenantry user`

mod import;

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::{Email, UserId};
use tenantry_service::Service;
use tenantry_web::api::wire::{ListBody, StaffBody};

use crate::args::{PageArgs, UserCommand};
use crate::exit::Exit;
use crate::output::{Output, table};

pub(super) async fn run(
    service: &Service,
    command: UserCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        UserCommand::Import(args) => return import::run(service, &args, out).await,
        UserCommand::List { slug, page } => list(service, &slug, &page, out).await?,
        UserCommand::ResetPassword { slug, email } => {
            reset_password(service, &slug, &email, out).await?;
        }
        UserCommand::Unlock { slug, email } => unlock(service, &slug, &email, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn address(text: &str) -> Result<Email, Exit> {
    text.parse()
        .map_err(|error| Exit::Usage(format!("EMAIL: {error}")))
}

async fn list(service: &Service, slug: &str, page: &PageArgs, out: Output) -> Result<(), Exit> {
    let after: Option<UserId> = page
        .cursor
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Exit::Usage("--cursor comes from an earlier answer".to_owned()))?;
    let tenant = super::tenant::named(service, slug).await?;
    let ctx = service.enter_as_operator(tenant.tenant.id).await?;
    let limit = i64::from(page.limit);
    let people = service.list_staff(&ctx, after, limit + 1).await?;
    let body = ListBody::page(
        people,
        limit,
        |user| user.id.to_string(),
        |user| StaffBody::from(user),
    );
    out.show(&body, || {
        let people = table(
            [
                "Address",
                "Username",
                "Name",
                "Role",
                "State",
                "Last sign-in",
            ],
            body.items.iter().map(|person| {
                [
                    person.email.clone(),
                    person.username.clone().unwrap_or_default(),
                    person.full_name.clone().unwrap_or_default(),
                    person.role.clone(),
                    state(person).to_owned(),
                    person
                        .last_login_at
                        .map(|at| at.to_string())
                        .unwrap_or_default(),
                ]
            }),
        );
        match &body.next_cursor {
            Some(cursor) => format!("{people}\n\nThere are more: --cursor {cursor}"),
            None => people,
        }
    })
}

const fn state(person: &StaffBody) -> &'static str {
    match (person.disabled, person.must_change_password) {
        (true, _) => "disabled",
        (false, true) => "must change password",
        (false, false) => "active",
    }
}

async fn reset_password(
    service: &Service,
    slug: &str,
    email: &str,
    out: Output,
) -> Result<(), Exit> {
    let email = address(email)?;
    let tenant = super::tenant::named(service, slug).await?;
    let ctx = service.enter_as_operator(tenant.tenant.id).await?;
    let password = service.reset_password_of(&ctx, &email).await?;
    let body = json!({
        "tenant": tenant.tenant.slug.to_string(),
        "email": email.to_string(),
        "password": password.expose(),
        "must_change_password": true,
    });
    out.show(&body, || {
        format!(
            "{email} signs in with this password once, and then has to choose another one:\n\n{}\n\nIt is told here and never again. All sessions have ended.",
            password.expose()
        )
    })
}

async fn unlock(service: &Service, slug: &str, email: &str, out: Output) -> Result<(), Exit> {
    let email = address(email)?;
    let tenant = super::tenant::named(service, slug).await?;
    service.unlock_user(tenant.tenant.id, &email).await?;
    out.show(
        &json!({ "tenant": tenant.tenant.slug.to_string(), "email": email.to_string() }),
        || format!("{email} can try again at once."),
    )
}
