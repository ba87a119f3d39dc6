//! `tenantry tenant domain`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::domain::{DomainKind, ProofProblem};
use tenantry_service::domains::{DomainRecord, Publish};
use tenantry_service::{Refusal, Service};
use tenantry_web::api::wire::DomainBody;

use super::named;
use crate::args::{DomainArgs, DomainCommand};
use crate::exit::Exit;
use crate::output::{Output, facts, table};

fn kind(text: Option<&str>) -> Result<Option<DomainKind>, Exit> {
    let kind = text.map(str::parse).transpose();
    kind.map_err(|error| Exit::Usage(format!("--kind: {error}")))
}

/// The domain that arguments name, where the tenant claims it.
fn unclaimed(args: &DomainArgs) -> impl FnOnce(Refusal) -> Exit + '_ {
    move |refusal| match refusal {
        Refusal::NotFound => Exit::refused(
            "not_found",
            format!("{} does not claim {}", args.slug, args.domain),
        ),
        other => other.into(),
    }
}

pub(super) async fn run(
    service: &Service,
    command: DomainCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        DomainCommand::List { slug } => list(service, &slug, out).await?,
        DomainCommand::Add(args) => {
            let tenant = named(service, &args.slug).await?.tenant.id;
            let kind = kind(args.kind.as_deref())?.unwrap_or(DomainKind::Host);
            let added = service.add_domain(tenant, kind, &args.domain).await?;
            out.show(&DomainBody::from(&added), || {
                format!(
                    "{}\n\nThen: tenantry tenant domain verify {} {} --kind {kind}",
                    published(&added),
                    args.slug,
                    added.name
                )
            })?;
        }
        DomainCommand::Verify(args) => return verify(service, &args, out).await,
        DomainCommand::Remove(args) => {
            let tenant = named(service, &args.slug).await?.tenant.id;
            let kind = kind(args.kind.as_deref())?;
            let removed = service.remove_domain(tenant, kind, &args.domain).await;
            let removed = removed.map_err(unclaimed(&args))?;
            out.show(&DomainBody::from(&removed), || {
                format!("{} is no longer claimed by {}.", removed.name, args.slug)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What to publish.
fn published(claim: &DomainRecord) -> String {
    let publish = Publish::from(claim);
    let mut rows = vec![
        ("TXT record", publish.record),
        ("Value", format!("\"{}\"", publish.value)),
    ];
    if let Some(file) = publish.file {
        rows.push(("Or a file with the value", file));
    }
    format!(
        "Publish this, and leave it there: it is looked for every day.\n\n{}",
        facts(&rows)
    )
}

async fn verify(service: &Service, args: &DomainArgs, out: Output) -> Result<ExitCode, Exit> {
    let tenant = named(service, &args.slug).await?.tenant.id;
    let kind = kind(args.kind.as_deref())?;
    let looked = service.verify_domain(tenant, kind, &args.domain).await;
    let looked = looked.map_err(unclaimed(args))?;
    let domain = &looked.domain;
    out.show(&DomainBody::from(domain), || match looked.problem {
        None => format!("{} is proven to be {}'s.", domain.name, args.slug),
        Some(problem) => {
            let why = match problem {
                ProofProblem::Missing => {
                    "nothing was found there; a new record can take an hour to be seen"
                }
                ProofProblem::Different => "something else is published there",
                ProofProblem::Unanswered => {
                    "nobody could say what is published there; try again later"
                }
            };
            format!(
                "{} is not proven: {why}.\n\n{}",
                domain.name,
                published(domain)
            )
        }
    })?;
    // As `check`: 1 where something was found wrong.
    Ok(match looked.problem {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::from(1),
    })
}

async fn list(service: &Service, slug: &str, out: Output) -> Result<(), Exit> {
    let tenant = named(service, slug).await?.tenant.id;
    let claims = service.list_domains(tenant).await?;
    let items: Vec<DomainBody> = claims.iter().map(DomainBody::from).collect();
    out.show(&json!({ "items": items }), || {
        if claims.is_empty() {
            return format!("{slug} has no domains of its own; `tenantry tenant domain add {slug} DOMAIN` claims one.");
        }
        table(
            ["Domain", "Kind", "Verified", "Checked", "Problem"],
            claims.iter().map(|claim| {
                let time = |at: Option<tenantry_core::Timestamp>| {
                    at.map_or_else(|| "no".to_owned(), |at| at.to_string())
                };
                [
                    claim.name.to_string(),
                    claim.kind.to_string(),
                    time(claim.verified_at),
                    time(claim.checked_at),
                    claim.problem.map(|problem| problem.to_string()).unwrap_or_default(),
                ]
            }),
        )
    })
}
