//! `tenantry workflow`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::WorkflowId;
use tenantry_core::workflow::WorkflowState;
use tenantry_service::Service;
use tenantry_web::api::wire::WorkflowBody;

use crate::args::WorkflowCommand;
use crate::exit::Exit;
use crate::output::{Output, facts, table};

/// How many runs a listing shows.
const LISTED: i64 = 50;

fn id(text: &str) -> Result<WorkflowId, Exit> {
    text.parse()
        .map_err(|_| Exit::Usage(format!("{text} is no workflow id")))
}

pub(super) async fn run(
    service: &Service,
    command: WorkflowCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        WorkflowCommand::List => {
            let runs = service.list_workflows(None, LISTED).await?;
            let items: Vec<_> = runs.iter().map(|run| WorkflowBody::of(run, None)).collect();
            out.show(&json!({ "items": items }), || {
                table(
                    ["Id", "Kind", "State", "Begun", "Error"],
                    items.iter().map(|run| {
                        [
                            run.id.clone(),
                            run.kind.clone(),
                            run.state.clone(),
                            run.created_at.to_string(),
                            run.error.clone().unwrap_or_default(),
                        ]
                    }),
                )
            })?;
        }
        WorkflowCommand::Show { id: text } => show(service, id(&text)?, out).await?,
        WorkflowCommand::Retry { id: text } => {
            let id = id(&text)?;
            let state = service.retry_workflow(id).await?;
            show(service, id, out).await?;
            if state == WorkflowState::Stuck {
                return Err(Exit::refused(
                    "conflict",
                    "the workflow is stuck again; its error tells why",
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(service: &Service, id: WorkflowId, out: Output) -> Result<(), Exit> {
    let (run, log) = service.find_workflow(id).await?;
    let body = WorkflowBody::of(&run, Some(&log));
    out.show(&body, || {
        let head = facts(&[
            ("Id", body.id.clone()),
            ("Kind", format!("{} version {}", body.kind, body.version)),
            ("State", body.state.clone()),
            ("Tenant", body.tenant_id.clone().unwrap_or_default()),
            ("Error", body.error.clone().unwrap_or_default()),
        ]);
        let steps = table(
            ["#", "Step", "Event", "At", "Detail"],
            log.iter().map(|entry| {
                [
                    entry.seq.to_string(),
                    entry.step.clone(),
                    entry.event.to_string(),
                    entry.at.to_string(),
                    entry.detail.clone().unwrap_or_default(),
                ]
            }),
        );
        format!("{head}\n\n{steps}")
    })
}
