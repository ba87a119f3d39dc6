//! `tenantry tenant check` and `tenantry tenant repair`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::finding::Finding;
use tenantry_service::Service;
use tenantry_service::check::{Fleet, Report};

use super::named;
use super::progress::Progress;
use crate::args::Which;
use crate::exit::{Exit, FOUND};
use crate::output::{Output, table};

/// What was looked at. Sound tenants are named only where one was asked for by name: of all of
/// them, their number says as much.
struct Looked {
    checked: usize,
    reports: Vec<Report>,
    loose: Vec<Finding>,
}

impl From<Fleet> for Looked {
    fn from(fleet: Fleet) -> Self {
        Self {
            checked: fleet.checked,
            reports: fleet.unsound,
            loose: fleet.loose,
        }
    }
}

/// What lies about and belongs to nobody is looked for where every tenant is.
async fn look(service: &Service, which: &Which, out: Output) -> Result<Looked, Exit> {
    if let Some(slug) = &which.slug {
        let view = named(service, slug).await?;
        return Ok(Looked {
            checked: 1,
            reports: vec![service.check_tenant(view.tenant).await?],
            loose: Vec::new(),
        });
    }
    let progress = Progress::start("Checking tenants", out);
    let fleet = service
        .check_all(|done, total| progress.show(done, total))
        .await;
    progress.end();
    Ok(fleet?.into())
}

pub(super) async fn check(service: &Service, which: &Which, out: Output) -> Result<ExitCode, Exit> {
    answer(&look(service, which, out).await?, out)
}

pub(super) async fn repair(
    service: &Service,
    which: &Which,
    dry_run: bool,
    prune: bool,
    out: Output,
) -> Result<ExitCode, Exit> {
    let mut looked = look(service, which, out).await?;
    if dry_run {
        out.say("Nothing is changed (--dry-run).");
        return answer(&looked, out);
    }
    let mut mended = 0_usize;
    let progress = Progress::start("Repairing tenants", out);
    let total = looked.reports.len();
    for (place, report) in looked.reports.iter_mut().enumerate() {
        progress.show(place, total);
        if report.findings.iter().any(|finding| finding.repairable) {
            let after = service.repair_tenant(report.tenant.clone()).await?;
            mended += report.findings.len().saturating_sub(after.findings.len());
            *report = after;
        }
    }
    progress.end();
    if which.slug.is_none() {
        looked.reports.retain(|report| !report.findings.is_empty());
        if prune {
            mended += service.prune_orphans().await?;
            looked.loose = service.check_orphans().await?;
        }
    }
    out.say(&format!("{mended} mended."));
    answer(&looked, out)
}

fn answer(looked: &Looked, out: Output) -> Result<ExitCode, Exit> {
    let Looked {
        checked,
        reports,
        loose,
    } = looked;
    let of_tenants: usize = reports.iter().map(|report| report.findings.len()).sum();
    let found = of_tenants + loose.len();
    let tenants: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "id": report.tenant.id.to_string(),
                "slug": report.tenant.slug.to_string(),
                "healthy": report.findings.is_empty(),
                "findings": report.findings,
            })
        })
        .collect();
    let body = json!({ "healthy": found == 0, "tenants_checked": checked, "tenants": tenants, "findings": loose });
    out.show(&body, || {
        let count = match checked {
            1 => "1 tenant".to_owned(),
            many => format!("{many} tenants"),
        };
        if found == 0 {
            return format!("{count} checked; nothing is wrong.");
        }
        let things = if found == 1 {
            "1 thing is".to_owned()
        } else {
            format!("{found} things are")
        };
        format!(
            "{}\n{count} checked; {things} wrong.",
            listed(reports, loose)
        )
    })?;
    Ok(if found == 0 { ExitCode::SUCCESS } else { FOUND })
}

fn listed(reports: &[Report], loose: &[Finding]) -> String {
    let row = |slug: &str, finding: &Finding| {
        [
            slug.to_owned(),
            finding.code.to_string(),
            finding.severity.to_string(),
            if finding.repairable { "yes" } else { "no" }.to_owned(),
            finding.detail.clone(),
        ]
    };
    let of_tenants = reports.iter().flat_map(|report| {
        let slug = report.tenant.slug.as_str();
        report
            .findings
            .iter()
            .map(move |finding| row(slug, finding))
    });
    let rows = of_tenants.chain(loose.iter().map(|finding| row("-", finding)));
    table(
        ["Tenant", "Finding", "Severity", "Repairable", "Detail"],
        rows,
    )
}
