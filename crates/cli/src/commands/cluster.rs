//! `tenantry cluster`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::Secret;
use tenantry_core::finding::Severity;
use tenantry_service::clusters::{ClusterReport, ClusterView, NewCluster};
use tenantry_service::{Refusal, Service};
use tenantry_web::api::wire::{ClusterBody, ClusterCheckBody};

use crate::args::ClusterCommand;
use crate::exit::{Exit, FOUND};
use crate::output::{Output, facts, line_from_stdin, table};

pub(super) async fn run(
    service: &Service,
    command: ClusterCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        ClusterCommand::Add {
            name,
            url,
            url_stdin,
            closed,
            capacity,
        } => {
            let url = match (url, url_stdin) {
                (Some(url), _) => url,
                (None, true) => line_from_stdin("--url-stdin").await?,
                (None, false) => {
                    return Err(Exit::Usage(
                        "give the admin's URL with --url or on standard input with --url-stdin"
                            .to_owned(),
                    ));
                }
            };
            let new = NewCluster {
                name,
                url: Secret::new(url),
                accepts: !closed,
                capacity,
            };
            show(&service.add_cluster(new).await?, out)?;
        }
        ClusterCommand::Open { name } => {
            let opened = service.change_cluster(&name, true).await;
            show(&opened.map_err(|refusal| missing(refusal, &name))?, out)?;
        }
        ClusterCommand::Close { name } => {
            let closed = service.change_cluster(&name, false).await;
            show(&closed.map_err(|refusal| missing(refusal, &name))?, out)?;
        }
        ClusterCommand::Remove { name } => {
            let removed = service.remove_cluster(&name).await;
            removed.map_err(|refusal| missing(refusal, &name))?;
            out.show(&json!({ "name": name }), || {
                format!("{name} is forgotten; nothing was changed on the server but that our template is gone.")
            })?;
        }
        ClusterCommand::List => list(&service.list_clusters().await?, out)?,
        ClusterCommand::Check { name } => {
            let reports = service.check_clusters(name.as_deref()).await;
            let reports =
                reports.map_err(|refusal| missing(refusal, name.as_deref().unwrap_or_default()))?;
            return check(&reports, out);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn missing(refusal: Refusal, name: &str) -> Exit {
    match refusal {
        Refusal::NotFound => Exit::refused(
            "not_found",
            format!(
                "there is no cluster named {name}; `tenantry cluster list` shows those there are"
            ),
        ),
        other => other.into(),
    }
}

fn tenants(view: &ClusterView) -> String {
    match view.capacity {
        Some(capacity) => format!("{} of {capacity}", view.tenants),
        None => view.tenants.to_string(),
    }
}

fn connections(view: &ClusterView) -> String {
    match (view.load, &view.unreachable) {
        (Some(load), _) => format!("{} of {}", load.connections_used, load.connections_max),
        (None, why) => why.clone().unwrap_or_default(),
    }
}

const fn new_tenants(view: &ClusterView) -> &'static str {
    if view.accepts { "taken" } else { "not taken" }
}

fn show(view: &ClusterView, out: Output) -> Result<(), Exit> {
    out.show(&ClusterBody::from(view), || {
        facts(&[
            ("Name", view.name.clone()),
            ("Server", format!("{}:{}", view.host, view.port)),
            ("New tenants", new_tenants(view).to_owned()),
            ("Tenants", tenants(view)),
            ("Connections", connections(view)),
        ])
    })
}

fn list(views: &[ClusterView], out: Output) -> Result<(), Exit> {
    let items: Vec<ClusterBody> = views.iter().map(ClusterBody::from).collect();
    out.show(&json!({ "items": items }), || {
        if views.is_empty() {
            return "No PostgreSQL clusters; tenants are kept in files. `tenantry cluster add NAME --url …` adds one.".to_owned();
        }
        table(
            ["Name", "Server", "New tenants", "Tenants", "Connections"],
            views.iter().map(|view| {
                [
                    view.name.clone(),
                    format!("{}:{}", view.host, view.port),
                    new_tenants(view).to_owned(),
                    tenants(view),
                    connections(view),
                ]
            }),
        )
    })
}

fn check(reports: &[ClusterReport], out: Output) -> Result<ExitCode, Exit> {
    let items: Vec<ClusterCheckBody> = reports.iter().map(ClusterCheckBody::from).collect();
    let usable = reports.iter().all(ClusterReport::is_usable);
    out.show(&json!({ "healthy": usable, "clusters": items }), || {
        if reports.is_empty() {
            return "No PostgreSQL clusters to check.".to_owned();
        }
        reports
            .iter()
            .map(described)
            .collect::<Vec<_>>()
            .join("\n\n")
    })?;
    Ok(if usable { ExitCode::SUCCESS } else { FOUND })
}

fn described(report: &ClusterReport) -> String {
    if let Some(why) = &report.unreachable {
        return format!("{}: {why}", report.name);
    }
    if report.remarks.is_empty() {
        return format!("{}: nothing lacks.", report.name);
    }
    let rows = report.remarks.iter().map(|remark| {
        let severity = match remark.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        [
            severity.to_owned(),
            remark.detail.clone(),
            remark.remedy.clone(),
        ]
    });
    format!(
        "{}\n{}",
        report.name,
        table(["Severity", "Found", "What to do"], rows)
    )
}
