//! `tenantry audit`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::audit::Fault;
use tenantry_service::Service;
use tenantry_service::audit::{AuditQuery, Verified};
use tenantry_web::api::wire::{AuditBody, VerifiedBody};

use crate::args::AuditCommand;
use crate::exit::{Exit, FOUND};
use crate::output::{Output, table};

pub(super) async fn run(
    service: &Service,
    command: AuditCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        AuditCommand::Verify => verify(service, out).await,
        AuditCommand::List { tenant, limit } => {
            list(service, tenant, limit, out).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn verify(service: &Service, out: Output) -> Result<ExitCode, Exit> {
    // What another process left is put into its place first.
    if let Err(error) = service.seal_audit().await {
        let chain = tenantry_service::refusal::Chain(&error).to_string();
        out.say(&format!("What is not sealed yet stays so: {chain}"));
    }
    let verified = service.verify_audit().await?;
    out.show(&VerifiedBody::from(&verified), || told(&verified))?;
    Ok(if verified.broken.is_none() {
        ExitCode::SUCCESS
    } else {
        FOUND
    })
}

fn told(verified: &Verified) -> String {
    let Some(broken) = verified.broken else {
        let body = VerifiedBody::from(verified);
        return match verified.begun_at {
            None => "Nothing is in the audit yet.".to_owned(),
            Some(begun) => format!(
                "Intact: {} entries, numbers {} to {}, of a chain begun {begun}.\nThe last one's hash: {}\nKept elsewhere, number and hash show later whether a whole database was put back.",
                verified.entries, verified.first, verified.last, body.last_hash
            ),
        };
    };
    let (entries, seq) = (verified.entries, broken.seq);
    let what = match broken.fault {
        Fault::Missing => format!("entry {seq} is missing"),
        Fault::Altered => {
            format!("entry {seq} is not as it was sealed, or the one before it is not")
        }
        Fault::Foreign => format!("entry {seq} was never sealed here"),
        Fault::Ends => format!(
            "the record of where the chain ends was changed; entries from {seq} on may be gone"
        ),
    };
    format!(
        "Broken: {what}.\n{entries} entries before it are as they were sealed. Compare with a backup."
    )
}

async fn list(
    service: &Service,
    tenant: Option<String>,
    limit: u16,
    out: Output,
) -> Result<(), Exit> {
    let query = AuditQuery {
        tenant,
        ..AuditQuery::default()
    };
    let listed = service.list_audit(&query, None, limit.into()).await?;
    let items: Vec<AuditBody> = listed.iter().map(AuditBody::from).collect();
    out.show(&json!({ "items": items }), || {
        if items.is_empty() {
            return "No entries.".to_owned();
        }
        table(
            ["#", "At", "Who", "What", "Tenant", "To", "Outcome", "From"],
            items.iter().map(|item| {
                let actor = &item.actor;
                let who = actor.name.as_ref().or(actor.id.as_ref());
                let outcome = item.outcome.unwrap_or("going on");
                [
                    item.seq.map(|seq| seq.to_string()).unwrap_or_default(),
                    item.at.to_string(),
                    who.map_or_else(
                        || actor.kind.to_owned(),
                        |who| format!("{} {who}", actor.kind),
                    ),
                    item.action.clone(),
                    item.tenant_slug
                        .clone()
                        .or_else(|| item.tenant_id.clone())
                        .unwrap_or_default(),
                    item.target.clone().unwrap_or_default(),
                    item.code
                        .as_ref()
                        .map_or_else(|| outcome.to_owned(), |code| format!("{outcome} ({code})")),
                    item.ip.clone().unwrap_or_default(),
                ]
            }),
        )
    })
}
