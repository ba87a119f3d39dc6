//! `tenantry tenant`

mod adopt;
mod check;
mod credentials;
mod domain;
pub(super) mod progress;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tenantry_core::tenant::Registration;
use tenantry_service::clearing::Cleared;
use tenantry_service::tenants::{Created, NewOwner, NewTenant, TenantView};
use tenantry_service::{Refusal, Service};
use tenantry_store::cluster::AdoptedDatabase;
use tenantry_web::api::wire::{RenewedBody, TenantBody};

use super::cache::{body, summed_up, warn_of_silent};
use crate::args::{OwnerArgs, TenantCommand};
use crate::exit::Exit;
use crate::output::{Output, facts, line_from_stdin, table};

/// How long `create` waits before it leaves the rest to the background.
const WAIT: Duration = Duration::from_mins(1);

/// How many tenants are read at once.
pub(super) const PAGE: i64 = 200;

pub(super) async fn run(
    service: &Service,
    command: TenantCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        TenantCommand::Create {
            name,
            slug,
            owner,
            isolation,
            cluster,
        } => {
            let owner = new_owner(&owner).await?;
            let tenant = NewTenant {
                name,
                slug: slug.parse().map_err(|error| {
                    Exit::refused("validation_failed", format!("slug: {error}"))
                })?,
                owner,
                isolation: isolation
                    .as_deref()
                    .map_or(Ok(tenantry_core::tenant::Isolation::default()), str::parse)
                    .map_err(|error| Exit::Usage(format!("--isolation: {error}")))?,
                cluster,
                registration: Registration::default(),
                verify_email: true,
                colour: None,
                domains: Vec::new(),
                application: None,
                locale: None,
            };
            create(service, tenant, out).await?;
        }
        TenantCommand::Adopt(args) => return adopt::run(service, &args, out).await,
        TenantCommand::List => list(service, out).await?,
        TenantCommand::Show { slug } => show(&named(service, &slug).await?, out)?,
        TenantCommand::Suspend { slug } => {
            let id = named(service, &slug).await?.tenant.id;
            show(&service.suspend_tenant(id).await?, out)?;
        }
        TenantCommand::Resume { slug } => {
            let id = named(service, &slug).await?.tenant.id;
            show(&service.resume_tenant(id).await?, out)?;
        }
        TenantCommand::Restore { slug } => {
            service.expect_shared_sessions().await?;
            let id = named(service, &slug).await?.tenant.id;
            let (view, cleared) = service.restore_tenant(id).await?;
            warn_of_silent(&cleared, out);
            out.show(&RenewedBody::new(&view, &cleared), || {
                format!("{}\n{}", described(&view), summed_up(&cleared))
            })?;
        }
        TenantCommand::Delete { slug, purge, force } => {
            delete(service, &slug, purge, force, out).await?;
        }
        TenantCommand::Recreate { slug, owner, force } => {
            service.expect_shared_sessions().await?;
            let view = named(service, &slug).await?;
            let owner = match owner.named() {
                Some(owner) => Some(new_owner(&owner).await?),
                None => None,
            };
            let name = &view.tenant.name;
            let question = match &view.adopted {
                None => format!(
                    "This drops the database of {name} with everybody and everything in it."
                ),
                Some(database) => format!(
                    "This drops what Tenantry made for {name} in {database}, with everybody in it; the application's own tables there stay."
                ),
            };
            out.confirm(&question, view.tenant.slug.as_str(), force)
                .await?;
            let (view, cleared) = service
                .recreate_tenant(view.tenant.id, owner.as_ref())
                .await?;
            send_mail(service, out).await;
            cleared_answer(&view, &cleared, "made anew", out)?;
        }
        TenantCommand::RotateCredentials { slug, reveal } => {
            credentials::rotate(service, &slug, reveal, out).await?;
        }
        TenantCommand::Domain(command) => return domain::run(service, command, out).await,
        TenantCommand::Check { which } => return check::check(service, &which, out).await,
        TenantCommand::Repair {
            which,
            dry_run,
            prune,
        } => {
            return check::repair(service, &which, dry_run, prune, out).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tenant with this slug or id.
pub(super) async fn named(service: &Service, name: &str) -> Result<TenantView, Exit> {
    service
        .find_tenant(name)
        .await
        .map_err(|refusal| match refusal {
            Refusal::NotFound => {
                Exit::refused("not_found", format!("there is no tenant named {name}"))
            }
            other => other.into(),
        })
}

async fn new_owner(args: &OwnerArgs) -> Result<NewOwner, Exit> {
    let email = args
        .email
        .parse()
        .map_err(|error| Exit::refused("validation_failed", format!("owner.email: {error}")))?;
    let password = if args.password_stdin {
        Some(line_from_stdin("--owner-password-stdin").await?)
    } else {
        None
    };
    Ok(NewOwner {
        email,
        username: None,
        full_name: args.name.clone(),
        password,
    })
}

async fn create(service: &Service, tenant: NewTenant, out: Output) -> Result<(), Exit> {
    let mailed = tenant.owner.password.is_none();
    let owner = tenant.owner.email.clone();
    let created = service.create_tenant(tenant, None, WAIT).await?;
    let view = match created {
        Created::Active(view) => view,
        Created::Later(view, workflow) => {
            let mut body = TenantBody::from(&*view);
            body.workflow_id = Some(workflow.to_string());
            return out.show(&body, || {
                format!("{} is still being made; `tenantry workflow show {workflow}` tells how far it is.", view.tenant.name)
            });
        }
    };
    send_mail(service, out).await;
    out.show(&TenantBody::from(&*view), || {
        let next = if mailed {
            format!("A link to set the password is on its way to {owner}.")
        } else {
            format!("{owner} can sign in there.")
        };
        format!(
            "{} is ready at {}\n{next}\n\n{}",
            view.tenant.name,
            view.url,
            described(&view)
        )
    })
}

/// Where no server runs, the owner's mail leaves from here.
async fn send_mail(service: &Service, out: Output) {
    if let Err(error) = service.send_due_mail().await {
        out.say(&format!("The owner's mail waits in the outbox: {error}"));
    }
}

fn described(view: &TenantView) -> String {
    let tenant = &view.tenant;
    let mut rows = vec![
        ("Name", tenant.name.clone()),
        ("Slug", tenant.slug.to_string()),
        ("Code", view.code.clone()),
        ("Id", tenant.id.to_string()),
        ("Status", tenant.status.to_string()),
        ("Generation", tenant.generation.to_string()),
        ("Isolation", tenant.isolation.to_string()),
        ("Address", view.url.clone()),
    ];
    if let Some(database) = &view.database {
        let name = view
            .adopted
            .as_ref()
            .map_or(database.name.as_str(), AdoptedDatabase::as_str);
        rows.push((
            "Database",
            format!(
                "{} {name} on {}, {}{}",
                database.driver,
                database.cluster,
                database.state,
                if view.adopted.is_some() {
                    ", adopted"
                } else {
                    ""
                }
            ),
        ));
    }
    if let Some(purge_at) = tenant.purge_at {
        rows.push(("Purged at", purge_at.to_string()));
    }
    facts(&rows)
}

fn show(view: &TenantView, out: Output) -> Result<(), Exit> {
    out.show(&TenantBody::from(view), || described(view))
}

/// Every tenant, page by page.
pub(super) async fn every(service: &Service) -> Result<Vec<TenantView>, Exit> {
    let mut all: Vec<TenantView> = Vec::new();
    loop {
        let after = all.last().map_or(0, |view| view.tenant.number);
        let page = service.list_tenants(after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn list(service: &Service, out: Output) -> Result<(), Exit> {
    let views = every(service).await?;
    let items: Vec<TenantBody> = views.iter().map(TenantBody::from).collect();
    out.show(&json!({ "items": items }), || {
        if views.is_empty() {
            return "No tenants yet; `tenantry tenant create NAME --slug … --owner-email …` makes one.".to_owned();
        }
        table(
            ["Slug", "Name", "Code", "Status", "Gen", "Created"],
            views.iter().map(|view| {
                let tenant = &view.tenant;
                [
                    tenant.slug.to_string(),
                    tenant.name.clone(),
                    view.code.clone(),
                    tenant.status.to_string(),
                    tenant.generation.to_string(),
                    tenant.created_at.to_string(),
                ]
            }),
        )
    })
}

async fn delete(
    service: &Service,
    slug: &str,
    purge: bool,
    force: bool,
    out: Output,
) -> Result<(), Exit> {
    service.expect_shared_sessions().await?;
    let view = named(service, slug).await?;
    let name = &view.tenant.name;
    let question = if let Some(database) = view.adopted.as_ref().filter(|_| purge) {
        format!(
            "This removes {name} for good: people, sessions, and what Tenantry made in {database}. That database was there before and stays, with the application's own tables."
        )
    } else if purge {
        format!("This removes {name} for good: database, people, sessions, everything.")
    } else {
        format!("This keeps everybody out of {name}; it can be restored for seven days.")
    };
    out.confirm(&question, view.tenant.slug.as_str(), force)
        .await?;
    let deleted = service.delete_tenant(view.tenant.id, purge).await?;
    let act = match (&deleted.tenant, purge) {
        (None, _) => "purged",
        (Some(_), true) => "on its way out; `tenantry workflow list` tells how far",
        (Some(_), false) => "deleted",
    };
    let after = deleted.tenant.unwrap_or(view);
    cleared_answer(&after, &deleted.cleared, act, out)
}

/// What an act on a tenant ended, in the shape that all of them share.
fn cleared_answer(
    view: &TenantView,
    cleared: &Cleared,
    act: &str,
    out: Output,
) -> Result<(), Exit> {
    warn_of_silent(cleared, out);
    out.show(&body(cleared), || {
        format!("{} is {act}.\n{}", view.tenant.name, summed_up(cleared))
    })
}
