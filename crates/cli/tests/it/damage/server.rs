//! Damage to tenants on a PostgreSQL server, seen and mended by an operator at the command line.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tenantry_testkit::cluster::{TestCluster, in_database, number, superuser};
use tenantry_testkit::process::{Installation, alter_sqlite};

use super::{found, with_two_in};
use crate::acts::{self, all_is_well, done};
use crate::installation;

const ADA: &str = super::ADA;

async fn on_a_server() -> Result<(TestCluster, Installation)> {
    let server = TestCluster::start().await?;
    let mut installation = installation()?;
    installation.set("TENANTRY_CLUSTER_URL", server.url());
    Ok((server, with_two_in(installation)?))
}

/// Changes rows of the registry as somebody would who switched its constraints off.
fn past_constraints(control: &Path, sql: &str) -> Result<u64> {
    alter_sqlite(control, &format!("PRAGMA foreign_keys = OFF; {sql}"))
}

/// The name of a tenant's database.
fn database_of(installation: &Installation, slug: &str) -> Result<String> {
    let tenant: Value = done(installation, &["tenant", "show", slug])?;
    let name = tenant["database"]["name"].as_str().context("no database")?;
    Ok(name.to_owned())
}

#[tokio::test]
async fn an_operator_finds_and_mends_what_happened_on_the_server() -> Result<()> {
    let (_server, installation) = on_a_server().await?;
    let running = installation.serve()?;
    let address = running.address()?;
    all_is_well(&installation)?;
    let name = database_of(&installation, "acme")?;
    let control = installation.data().join("control.db");

    superuser(&format!("ALTER ROLE {name}_s PASSWORD 'another'")).await?;
    ensure!(found(&installation, &["tenant", "check"])? == ["credential_refused"]);
    ensure!(found(&installation, &["tenant", "repair", "--dry-run"])? == ["credential_refused"]);
    done(&installation, &["tenant", "repair"])?;
    all_is_well(&installation)?;
    acts::token(address, Some("acme"), ADA)?;

    // The record went, as in the field, and with it the only password.
    let lost = "DELETE FROM tenant_database_users; DELETE FROM tenant_databases";
    for sql in lost.split("; ") {
        ensure!(past_constraints(&control, sql)? > 0, "{sql}");
    }
    let both = ["record_missing", "record_missing"];
    ensure!(found(&installation, &["tenant", "check"])? == both);
    done(&installation, &["tenant", "repair", "--all"])?;
    all_is_well(&installation)?;
    acts::token(address, Some("acme"), ADA)?;

    in_database(&name, "DROP SCHEMA tenantry CASCADE").await?;
    ensure!(found(&installation, &["tenant", "check"])? == ["schema_missing"]);
    ensure!(found(&installation, &["tenant", "repair"])? == ["schema_missing"]);
    superuser(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    ensure!(found(&installation, &["tenant", "check"])? == ["database_missing"]);
    super::only_acme_suffers(address)
}

#[tokio::test]
async fn only_orphans_with_our_marker_are_dropped() -> Result<()> {
    let (_server, installation) = on_a_server().await?;
    let name = database_of(&installation, "acme")?;
    let control = installation.data().join("control.db");
    for table in [
        "directory",
        "tenant_database_users",
        "tenant_databases",
        "tenants",
    ] {
        let column = if table == "tenants" {
            "id"
        } else {
            "tenant_id"
        };
        let acme = "(SELECT id FROM tenants WHERE slug = 'acme')";
        past_constraints(
            &control,
            &format!("DELETE FROM {table} WHERE {column} = {acme}"),
        )?;
    }
    let left = format!(
        "SELECT (SELECT COUNT(*) FROM pg_database WHERE datname = '{name}')
              + (SELECT COUNT(*) FROM pg_roles WHERE starts_with(rolname, '{name}'))"
    );
    ensure!(found(&installation, &["tenant", "check"])? == ["database_orphaned"]);
    ensure!(found(&installation, &["tenant", "repair"])? == ["database_orphaned"]);
    ensure!(number(&left).await? == 6, "dropped without --prune");
    done(&installation, &["tenant", "repair", "--prune"])?;
    ensure!(number(&left).await? == 0, "something is left");
    all_is_well(&installation)
}

#[tokio::test]
async fn a_server_that_is_away_is_told_as_such() -> Result<()> {
    let (server, mut installation) = on_a_server().await?;
    let refused = server.url().replace(":admin@", ":wrong@");
    installation.set("TENANTRY_CLUSTER_URL", &refused);
    let away = ["cluster_unreachable"; 3];
    ensure!(found(&installation, &["tenant", "check"])? == away);
    ensure!(found(&installation, &["tenant", "repair"])? == away);
    installation.set("TENANTRY_CLUSTER_URL", server.url());
    all_is_well(&installation)
}
