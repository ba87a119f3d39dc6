//! `tenantry cache`

use std::process::ExitCode;

use serde_json::{Value, json};
use tenantry_service::Service;
use tenantry_service::clearing::Cleared;

use super::tenant::named;
use super::tenant::progress::Progress;
use crate::args::{CacheCommand, ClearArgs};
use crate::exit::Exit;
use crate::output::{Output, table};

/// What is typed where everything is meant.
const ALL: &str = "all";

pub(super) async fn run(
    service: &Service,
    command: CacheCommand,
    out: Output,
) -> Result<ExitCode, Exit> {
    match command {
        CacheCommand::Clear(args) => clear(service, &args, out).await,
    }
}

async fn clear(service: &Service, args: &ClearArgs, out: Output) -> Result<ExitCode, Exit> {
    let cleared = if let Some(name) = &args.tenant {
        let tenant = named(service, name).await?.tenant;
        let slug = tenant.slug.as_str();
        out.confirm(&question(&tenant.name, args.sessions), slug, args.force)
            .await?;
        let progress = Progress::start("Clearing tenants", out);
        progress.show(0, 1);
        let cleared = service.clear_tenant(tenant.id, args.sessions).await;
        progress.end();
        cleared?
    } else {
        let question = question("every tenant and of the platform", args.sessions);
        out.confirm(&question, ALL, args.force).await?;
        let progress = Progress::start("Clearing tenants", out);
        let cleared = service
            .clear_everything(args.sessions, |done, total| progress.show(done, total))
            .await;
        progress.end();
        cleared?
    };
    warn_of_silent(&cleared, out);
    out.show(&body(&cleared), || described(&cleared, args.all))?;
    Ok(ExitCode::SUCCESS)
}

/// Says that nodes which serve did not answer, where some did not: the numbers are too low then.
pub(super) fn warn_of_silent(cleared: &Cleared, out: Output) {
    let nodes = match cleared.silent {
        0 => return,
        1 => "1 node that serves".to_owned(),
        many => format!("{many} nodes that serve"),
    };
    out.warn(&format!(
        "{nodes} did not answer in time, so that what they kept is not counted; it counts for less than a second in any case."
    ));
}

fn question(of: &str, sessions: bool) -> String {
    if sessions {
        format!("This clears what is kept in memory of {of}, and signs everybody there out.")
    } else {
        format!("This clears what is kept in memory of {of}; nobody is signed out.")
    }
}

/// What was cleared, in the shape that all acts which clear share.
pub(super) fn body(cleared: &Cleared) -> Value {
    let tenants: Vec<Value> = cleared
        .tenants
        .iter()
        .map(|tenant| {
            json!({
                "id": tenant.id.to_string(),
                "slug": tenant.slug.to_string(),
                "cache_keys_cleared": tenant.cache_keys,
                "sessions_cleared": tenant.sessions,
            })
        })
        .collect();
    json!({
        "tenants_processed": cleared.tenants.len(),
        "cache_keys_cleared": cleared.cache_keys(),
        "sessions_cleared": cleared.sessions(),
        "tenants": tenants,
        "platform": {
            "cache_keys_cleared": cleared.platform_cache_keys,
            "sessions_cleared": cleared.platform_sessions,
        },
        "nodes_silent": cleared.silent,
    })
}

/// What it comes to in all, in one line of a table.
pub(super) fn summed_up(cleared: &Cleared) -> String {
    table(
        [
            "Tenants processed",
            "Cache keys cleared",
            "Sessions cleared",
        ],
        [[
            cleared.tenants.len().to_string(),
            cleared.cache_keys().to_string(),
            cleared.sessions().to_string(),
        ]],
    )
}

/// A line for each tenant of which there was something, and what it comes to.
fn described(cleared: &Cleared, all: bool) -> String {
    let row = |name: &str, cache_keys: u64, sessions: u64| {
        [
            name.to_owned(),
            cache_keys.to_string(),
            sessions.to_string(),
        ]
    };
    let mut rows: Vec<[String; 3]> = cleared
        .tenants
        .iter()
        .filter(|tenant| !all || tenant.cache_keys + tenant.sessions > 0)
        .map(|tenant| row(tenant.slug.as_str(), tenant.cache_keys, tenant.sessions))
        .collect();
    if all {
        let (keys, sessions) = (cleared.platform_cache_keys, cleared.platform_sessions);
        rows.push(row("(platform)", keys, sessions));
    }
    let each = table(["Tenant", "Cache keys cleared", "Sessions cleared"], rows);
    let summary = summed_up(cleared);
    format!("{each}\n\n{summary}")
}

#[cfg(test)]
mod tests {
    use tenantry_service::clearing::TenantCleared;

    use super::*;

    fn cleared() -> Result<Cleared, Box<dyn std::error::Error>> {
        let tenant = |id: &str, slug: &str, cache_keys, sessions| {
            Ok::<_, Box<dyn std::error::Error>>(TenantCleared {
                id: id.parse()?,
                slug: slug.parse()?,
                cache_keys,
                sessions,
            })
        };
        Ok(Cleared {
            tenants: vec![
                tenant("01890000-0000-7000-8000-000000000001", "acme", 3, 2)?,
                tenant("01890000-0000-7000-8000-000000000002", "globex", 0, 0)?,
            ],
            platform_cache_keys: 4,
            platform_sessions: 1,
            silent: 1,
        })
    }

    #[test]
    fn sums_hold_what_is_listed_and_the_platform() -> Result<(), Box<dyn std::error::Error>> {
        let body = body(&cleared()?);
        assert_eq!(body["tenants_processed"], 2);
        assert_eq!(body["cache_keys_cleared"], 7);
        assert_eq!(body["sessions_cleared"], 3);
        assert_eq!(body["tenants"][0]["slug"], "acme");
        assert_eq!(body["tenants"][0]["cache_keys_cleared"], 3);
        assert_eq!(body["tenants"][1]["sessions_cleared"], 0);
        assert_eq!(body["platform"]["sessions_cleared"], 1);
        assert_eq!(body["nodes_silent"], 1);
        Ok(())
    }

    #[test]
    fn of_all_those_are_listed_of_whom_there_was_something()
    -> Result<(), Box<dyn std::error::Error>> {
        let text = described(&cleared()?, true);
        assert!(
            text.contains("acme") && text.contains("(platform)"),
            "{text}"
        );
        assert!(!text.contains("globex"), "{text}");
        let one = described(&cleared()?, false);
        assert!(
            one.contains("globex") && !one.contains("(platform)"),
            "{one}"
        );
        Ok(())
    }
}
