//! Databases that were there before, one at a time and by a list.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::cluster::{FORMER_MAP, FormerDatabase, TestCluster};
use tenantry_testkit::process::Installation;

use crate::acts::answered;
use crate::installation;

fn statuses(answer: &Value) -> Vec<(u64, &str, &str)> {
    let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| {
            (
                item["line"].as_u64().unwrap_or_default(),
                item["slug"].as_str().unwrap_or_default(),
                item["status"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

fn adopt_list(installation: &Installation, more: &[&str], code: i32) -> Result<Value> {
    let file = installation.scratch().join("old.csv");
    let file = file.to_str().context("the path is no text")?;
    let mut args = vec!["--json", "tenant", "adopt", "--from", file];
    args.extend(more);
    answered(&installation.run(args)?, code)
}

#[tokio::test]
async fn old_tenants_are_adopted_by_a_list() -> Result<()> {
    let server = TestCluster::start().await?;
    let mut installation = installation()?;
    installation.set("TENANTRY_CLUSTER_URL", server.url());
    let uml = FormerDatabase::start(&server, "tenant_uml").await?;
    let erd = FormerDatabase::start(&server, "Tenant \"ERD\", ").await?;
    let before = (uml.dump().await?, erd.dump().await?);
    let list = format!(
        "slug,name,database,owner_email,users,map\n\
         uml,UML GmbH,{},ada@example.org,users,\"{FORMER_MAP}\"\n\
         gone,Gone,no_such_database,ada@example.org,,\n\
         short,line\n\
         erd,,\"{}\",bob@example.org,,\n",
        uml.name,
        erd.name.replace('"', "\"\"")
    );
    std::fs::write(installation.scratch().join("old.csv"), list)?;

    let looked = adopt_list(&installation, &["--dry-run"], 3)?;
    ensure!(
        statuses(&looked)
            == [
                (2, "uml", "can be adopted"),
                (3, "gone", "failed"),
                (4, "", "failed"),
                (5, "erd", "can be adopted"),
            ],
        "{looked}"
    );
    ensure!(
        before == (uml.dump().await?, erd.dump().await?),
        "a look changed something"
    );
    let tenants = answered(&installation.run(["--json", "tenant", "list"])?, 0)?;
    ensure!(tenants == json!({ "items": [] }), "{tenants}");

    let adopted = adopt_list(&installation, &[], 3)?;
    ensure!(
        adopted["adopted"] == 2 && adopted["failed"] == 2,
        "{adopted}"
    );
    ensure!(adopted["items"][0]["import"]["imported"] == 4, "{adopted}");
    let why = adopted["items"][1]["error"].as_str().unwrap_or_default();
    ensure!(why.contains("no database of this name"), "{adopted}");
    let again = adopt_list(&installation, &[], 3)?;
    ensure!(
        again["adopted"] == 0 && again["unchanged"] == 2 && again["failed"] == 2,
        "{again}"
    );
    let shown = answered(&installation.run(["--json", "tenant", "show", "erd"])?, 0)?;
    ensure!(shown["database"]["name"] == erd.name.as_str(), "{shown}");
    let checked = answered(&installation.run(["--json", "tenant", "check"])?, 0)?;
    ensure!(checked["healthy"] == true, "{checked}");

    // Whoever purges one is told what stays.
    let asked = installation.run(["tenant", "delete", "erd", "--purge"])?;
    ensure!(
        asked.code == Some(3)
            && asked
                .stderr
                .contains("stays, with the application's own tables"),
        "{asked:?}"
    );
    for slug in ["uml", "erd"] {
        let purged = installation.run(["tenant", "delete", slug, "--purge", "--force"])?;
        ensure!(purged.code == Some(0), "{purged:?}");
    }
    ensure!(
        before == (uml.dump().await?, erd.dump().await?),
        "something is not as before"
    );
    uml.drop().await?;
    erd.drop().await
}

#[tokio::test]
async fn an_old_tenant_is_adopted_by_name() -> Result<()> {
    let server = TestCluster::start().await?;
    let mut installation = installation()?;
    installation.set("TENANTRY_CLUSTER_URL", server.url());
    let uml = FormerDatabase::start(&server, "tenant_uml").await?;
    let adopt = |more: &[&str]| {
        let mut args = vec!["tenant", "adopt", "--database", &uml.name, "--slug", "uml"];
        args.extend(["--owner-email", "ada@example.org"]);
        args.extend(more);
        installation.run(args)
    };
    let fit = adopt(&["--dry-run"])?;
    ensure!(
        fit.code == Some(0) && fit.stdout.contains("Nothing lacks"),
        "{fit:?}"
    );
    for (more, code) in [
        (&["--users", "users"][..], 2),
        (&["--from", "old.csv"], 2),
        (&["--users", "users", "--map", "email=nothing"], 3),
        (&["--cluster", "nowhere"], 3),
    ] {
        let refused = adopt(more)?;
        ensure!(refused.code == Some(code), "{more:?}: {refused:?}");
    }
    let adopted = adopt(&["--users", "public.users", "--map", FORMER_MAP])?;
    ensure!(adopted.code == Some(0), "{adopted:?}");
    for told in [
        "uml is ready at",
        "is as it was",
        "With their password",
        "mail address",
    ] {
        ensure!(adopted.stdout.contains(told), "{told}: {adopted:?}");
    }
    let again = adopt(&[])?;
    ensure!(
        again.code == Some(0) && again.stdout.contains("already"),
        "{again:?}"
    );
    let purged = installation.run(["tenant", "delete", "uml", "--purge", "--force"])?;
    ensure!(purged.code == Some(0), "{purged:?}");
    uml.drop().await
}
