//! `tenantry tenant check` and `tenantry tenant repair`

use std::process::ExitCode;

use serde_json::json;
use tenantry_core::finding::Finding;
use tenantry_service::Service;
use tenantry_service::check::Report;
use tenantry_service::tenants::TenantView;

use super::{every, named};
use crate::args::Which;
use crate::exit::{Exit, FOUND};
use crate::output::{Output, table};

async fn chosen(service: &Service, which: &Which) -> Result<Vec<TenantView>, Exit> {
    match &which.slug {
        Some(slug) => Ok(vec![named(service, slug).await?]),
        None => every(service).await,
    }
}

/// What lies about and belongs to nobody is looked for where every tenant is.
async fn orphans(service: &Service, which: &Which) -> Result<Vec<Finding>, Exit> {
    if which.slug.is_some() {
        Ok(Vec::new())
    } else {
        Ok(service.check_orphans().await?)
    }
}

pub(super) async fn check(service: &Service, which: &Which, out: Output) -> Result<ExitCode, Exit> {
    let mut reports = Vec::new();
    for view in chosen(service, which).await? {
        reports.push(service.check_tenant(view.tenant).await?);
    }
    answer(&reports, &orphans(service, which).await?, "checked", out)
}

pub(super) async fn repair(
    service: &Service,
    which: &Which,
    dry_run: bool,
    prune: bool,
    out: Output,
) -> Result<ExitCode, Exit> {
    let mut reports = Vec::new();
    let mut mended = 0_usize;
    for view in chosen(service, which).await? {
        let before = service.check_tenant(view.tenant.clone()).await?;
        let repairable = before
            .findings
            .iter()
            .filter(|finding| finding.repairable)
            .count();
        if dry_run || repairable == 0 {
            reports.push(before);
            continue;
        }
        let after = service.repair_tenant(view.tenant).await?;
        mended += before.findings.len().saturating_sub(after.findings.len());
        reports.push(after);
    }
    if prune && !dry_run && which.slug.is_none() {
        mended += service.prune_orphans().await?;
    }
    if dry_run {
        out.say("Nothing is changed (--dry-run).");
    } else {
        out.say(&format!("{mended} mended."));
    }
    answer(&reports, &orphans(service, which).await?, "checked", out)
}

fn answer(
    reports: &[Report],
    orphans: &[Finding],
    done: &str,
    out: Output,
) -> Result<ExitCode, Exit> {
    let found: usize = reports
        .iter()
        .map(|report| report.findings.len())
        .sum::<usize>()
        + orphans.len();
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
    let body = json!({ "healthy": found == 0, "tenants_checked": reports.len(), "tenants": tenants, "findings": orphans });
    out.show(&body, || {
        let count = match reports.len() {
            1 => "1 tenant".to_owned(),
            many => format!("{many} tenants"),
        };
        if found == 0 {
            return format!("{count} {done}; nothing is wrong.");
        }
        let row = |slug: &str, finding: &Finding| {
            [
                slug.to_owned(),
                finding.code.to_string(),
                finding.severity.to_string(),
                if finding.repairable { "yes" } else { "no" }.to_owned(),
                finding.detail.clone(),
            ]
        };
        let rows = reports
            .iter()
            .flat_map(|report| {
                report
                    .findings
                    .iter()
                    .map(|finding| row(report.tenant.slug.as_str(), finding))
            })
            .chain(orphans.iter().map(|finding| row("-", finding)));
        let listed = table(
            ["Tenant", "Finding", "Severity", "Repairable", "Detail"],
            rows,
        );
        let things = if found == 1 {
            "1 thing is".to_owned()
        } else {
            format!("{found} things are")
        };
        format!("{listed}\n{count} {done}; {things} wrong.")
    })?;
    Ok(if found == 0 { ExitCode::SUCCESS } else { FOUND })
}
