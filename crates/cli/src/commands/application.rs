//! `tenantry application`

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tenantry_core::ApplicationId;
use tenantry_service::Service;
use tenantry_service::applications::{ApplicationView, Overrides};
use tenantry_service::tenants::Created;
use tenantry_web::api::wire::{ApplicationBody, TenantBody};

use crate::args::ApplicationCommand;
use crate::exit::Exit;
use crate::output::{Output, table};

/// How long `approve` waits before it leaves the rest to the background.
const WAIT: Duration = Duration::from_mins(1);

fn id(text: &str) -> Result<ApplicationId, Exit> {
    text.parse()
        .map_err(|_| Exit::Usage(format!("{text} is no application's id")))
}

pub(super) async fn run(
    service: &Service,
    command: ApplicationCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        ApplicationCommand::List { state, page } => {
            let state = state.as_deref().map(str::parse).transpose();
            let state = state.map_err(|error| Exit::Usage(format!("--state: {error}")))?;
            let before = page.cursor.as_deref().map(id).transpose()?;
            let limit = i64::from(page.limit);
            let mut views = service.list_applications(state, before, limit + 1).await?;
            let more = views.len() > usize::from(page.limit);
            views.truncate(usize::from(page.limit));
            list(&views, more, out)?;
        }
        ApplicationCommand::Approve {
            id: text,
            slug,
            isolation,
            cluster,
        } => {
            let slug = slug.as_deref().map(str::parse).transpose();
            let isolation = isolation.as_deref().map(str::parse).transpose();
            let otherwise = Overrides {
                slug: slug.map_err(|error| Exit::Usage(format!("--slug: {error}")))?,
                isolation: isolation
                    .map_err(|error| Exit::Usage(format!("--isolation: {error}")))?,
                cluster,
            };
            let created = service
                .approve_application(id(&text)?, otherwise, WAIT)
                .await?;
            approved(service, created, out).await?;
        }
        ApplicationCommand::Reject { id: text, reason } => {
            let view = service
                .reject_application(id(&text)?, reason.as_deref())
                .await?;
            send_mail(service, out).await;
            out.show(&ApplicationBody::from(&view), || {
                format!("The application for {} is declined.", view.slug)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(views: &[ApplicationView], more: bool, out: Output) -> Result<(), Exit> {
    let items: Vec<ApplicationBody> = views.iter().map(ApplicationBody::from).collect();
    let next = views.last().filter(|_| more).map(|view| view.id);
    let next = next.map(|id| id.to_string());
    out.show(&json!({ "items": items, "next_cursor": next }), || {
        if views.is_empty() {
            return "No applications.".to_owned();
        }
        let listed = table(
            ["Id", "State", "Slug", "Name", "Address", "Asked"],
            items.iter().map(|one| {
                [
                    one.id.clone(),
                    one.state.to_string(),
                    one.slug.clone(),
                    one.name.clone(),
                    match &one.email {
                        Some(email) => email.clone(),
                        None if one.damaged => "(damaged)".to_owned(),
                        None => String::new(),
                    },
                    one.created_at.to_string(),
                ]
            }),
        );
        match &next {
            Some(next) => format!("{listed}\nMore with --cursor {next}"),
            None => listed,
        }
    })
}

async fn approved(service: &Service, created: Created, out: Output) -> Result<(), Exit> {
    let (view, workflow) = match created {
        Created::Active(view) => (view, None),
        Created::Later(view, workflow) => (view, Some(workflow.to_string())),
    };
    send_mail(service, out).await;
    let mut body = TenantBody::from(&*view);
    body.workflow_id.clone_from(&workflow);
    out.show(&body, || match &workflow {
        Some(workflow) => format!(
            "{} is still being made; `tenantry workflow show {workflow}` tells how far it is.",
            view.tenant.name
        ),
        None => format!(
            "{} is ready at {}\nA link to set the password is on its way to its owner.",
            view.tenant.name, view.url
        ),
    })
}

/// Where no server runs, the mail leaves from here.
async fn send_mail(service: &Service, out: Output) {
    if let Err(error) = service.send_due_mail().await {
        out.say(&format!("The mail waits in the outbox: {error}"));
    }
}
