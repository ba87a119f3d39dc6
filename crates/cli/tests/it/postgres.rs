//! The control database on a server of its own, which several processes share.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use tenantry_testkit::process::{Installation, Running};
use tenantry_testkit::services::{FreshDatabase, fresh_database};

use crate::acts::{all_is_well, answered, done};
use crate::{eventually, installation, newcomer};

/// An installation whose control database is an empty one of this test.
async fn on_postgres() -> Result<(Installation, FreshDatabase)> {
    let database = fresh_database().await?;
    let mut installation = installation()?;
    installation.set("TENANTRY_CONTROL_URL", database.url());
    Ok((installation, database))
}

#[tokio::test]
async fn a_newcomer_gets_everywhere_on_postgres() -> Result<()> {
    let (installation, database) = on_postgres().await?;
    newcomer::walk(&installation)?;
    ensure!(
        !installation.data().join("control.db").exists(),
        "there is a file too"
    );
    database.close().await
}

#[tokio::test]
async fn two_commands_at_once_make_different_tenants() -> Result<()> {
    let (installation, database) = on_postgres().await?;
    let create = |slug: &str| create(&installation, slug);
    let mut codes = BTreeSet::new();
    for round in 0..5 {
        let slugs = [format!("left-{round}"), format!("right-{round}")];
        let both = [create(&slugs[0])?, create(&slugs[1])?];
        for process in both {
            let tenant = answered(&process.ended()?, 0)?;
            ensure!(tenant["status"] == "active", "{tenant}");
            codes.insert(tenant["code"].as_str().context("no code")?.to_owned());
        }
        // The same slug: one gets it.
        let slug = format!("same-{round}");
        let ended = [create(&slug)?.ended()?, create(&slug)?.ended()?];
        let racing = [
            create(&format!("race-{round}"))?,
            create(&format!("race-{round}"))?,
        ];
        let raced = racing.map(Running::ended);
        for pair in [ended.map(Ok), raced] {
            let mut ends = Vec::new();
            for end in pair {
                ends.push(end?);
            }
            ends.sort_by_key(|end| end.code);
            let tenant = answered(&ends[0], 0)?;
            codes.insert(tenant["code"].as_str().context("no code")?.to_owned());
            ensure!(
                ends[1].code == Some(3) && ends[1].stderr.contains("\"slug_taken\""),
                "{ends:?}"
            );
        }
    }
    ensure!(codes.len() == 20, "codes were given twice: {codes:?}");
    all_is_well(&installation)?;
    database.close().await
}

#[tokio::test]
async fn a_killed_commands_work_is_finished_by_the_server() -> Result<()> {
    let (mut installation, database) = on_postgres().await?;
    installation.configure("[workflows]\nlease_seconds = 1\n")?;
    let server = installation.serve()?;
    // A slug more where the server was the faster one to take the run up.
    let mut slugs = (0..5).map(|number| format!("acme-{number}"));
    let slug = loop {
        let slug = slugs.next().context("the fault was never reached")?;
        installation.set("TENANTRY_FAULT", "provision/reserve_directory/succeeded");
        let command = create(&installation, &slug)?;
        installation.unset("TENANTRY_FAULT");
        if command.says("fault reached").is_ok() {
            command.kill()?;
            break slug;
        }
    };
    eventually("the tenant is active", || {
        let tenant = done(&installation, &["tenant", "show", &slug])?;
        Ok((tenant["status"] == "active").then_some(()))
    })?;
    all_is_well(&installation)?;
    drop(server);
    database.close().await
}

fn create(installation: &Installation, slug: &str) -> Result<Running> {
    let owner = format!("owner@{slug}.example");
    installation.start([
        "tenant",
        "create",
        "T",
        "--slug",
        slug,
        "--owner-email",
        &owner,
        "--json",
    ])
}
