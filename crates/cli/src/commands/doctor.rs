//! `tenantry doctor`

use std::process::ExitCode;

use serde_json::json;
use tenantry_service::clusters::ClusterReport;
use tenantry_service::health::PartState;

use crate::config::Config;
use crate::exit::{Exit, FOUND};
use crate::open;
use crate::output::{Output, table};

/// Tests every connection and says what is wrong and how to mend it.
pub(super) async fn run(config: &Config, out: Output) -> Result<ExitCode, Exit> {
    let mut rows: Vec<(String, bool, String)> = Vec::new();
    match open::service(config).await {
        Err(Exit::Refused { message, .. }) => rows.push(("settings".to_owned(), false, message)),
        Err(exit) => return Err(exit),
        Ok(service) => {
            rows.push(("settings".to_owned(), true, "valid".to_owned()));
            rows.push((
                "master key".to_owned(),
                true,
                "opens what is sealed".to_owned(),
            ));
            let shared = match service.expect_shared_sessions().await {
                Ok(()) => (true, format!("in `{}`", service.session_driver())),
                Err(refusal) => (false, Exit::from(refusal).message()),
            };
            rows.push(("place of sessions".to_owned(), shared.0, shared.1));
            for part in service.parts().await {
                if part.name.starts_with("cluster:") {
                    // Looked at more closely below.
                    continue;
                }
                let name = part.name.replace('_', " ");
                let good = part.state == PartState::Up;
                rows.push((
                    name,
                    good,
                    part.detail.unwrap_or_else(|| "answers".to_owned()),
                ));
            }
            for report in service.check_clusters(None).await? {
                rows.push(cluster(&report));
            }
            let admins = service.list_admins().await?;
            let note = match admins.len() {
                0 => "none yet; `tenantry admin create --email …` adds one".to_owned(),
                count => count.to_string(),
            };
            rows.push(("platform admins".to_owned(), true, note));
            service.close().await;
        }
    }
    let healthy = rows.iter().all(|(_, good, _)| *good);
    let items: Vec<_> = rows
        .iter()
        .map(|(part, good, detail)| json!({ "part": part, "ok": good, "detail": detail }))
        .collect();
    out.show(&json!({ "healthy": healthy, "parts": items }), || {
        table(
            ["Part", "State", "Detail"],
            rows.iter().map(|(part, good, detail)| {
                [
                    part.clone(),
                    if *good { "ok" } else { "wrong" }.to_owned(),
                    detail.clone(),
                ]
            }),
        )
    })?;
    Ok(if healthy { ExitCode::SUCCESS } else { FOUND })
}

/// A cluster: whether tenants can be placed there, and what to do where they can't.
fn cluster(report: &ClusterReport) -> (String, bool, String) {
    let detail = match &report.unreachable {
        Some(why) => why.clone(),
        None if report.remarks.is_empty() => "nothing lacks".to_owned(),
        None => {
            let remarks = report.remarks.iter();
            let sentences = remarks.map(|remark| format!("{} {}", remark.detail, remark.remedy));
            sentences.collect::<Vec<_>>().join(" ")
        }
    };
    (
        format!("cluster {}", report.name),
        report.is_usable(),
        detail,
    )
}
