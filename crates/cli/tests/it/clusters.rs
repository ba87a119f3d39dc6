//! PostgreSQL servers that tenants are placed on.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tenantry_testkit::cluster::{TestCluster, number, superuser};
use tenantry_testkit::process::Installation;
use url::Url;

use crate::acts::{answered, done};
use crate::{installation, newcomer};

/// The URL with another part.
fn otherwise(url: &str, change: impl FnOnce(&mut Url) -> Result<(), ()>) -> Result<String> {
    let mut url = Url::parse(url)?;
    change(&mut url).map_err(|()| anyhow::anyhow!("{url} can't be changed so"))?;
    Ok(url.into())
}

fn create(installation: &Installation, slug: &str, more: &[&str]) -> Result<serde_json::Value> {
    let mut args = vec![
        "--json",
        "tenant",
        "create",
        slug,
        "--slug",
        slug,
        "--owner-email",
        "ada@example.com",
    ];
    args.extend(more);
    answered(&installation.run(args)?, 0)
}

/// What the registry says of a tenant's whereabouts.
fn whereabouts(tenant: &serde_json::Value) -> (&str, &str) {
    (
        tenant["cluster"].as_str().unwrap_or_default(),
        tenant["database"]["driver"].as_str().unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_newcomer_gets_everywhere_with_tenants_on_a_server() -> Result<()> {
    let server = TestCluster::start().await?;
    let mut installation = installation()?;
    installation.set("TENANTRY_CLUSTER_URL", server.url());
    newcomer::walk(&installation)?;
    let files = std::fs::read_dir(installation.data().join("tenants"))?.count();
    ensure!(files == 0, "{files} tenants are in files");
    // The password is nowhere to be read.
    let shown = installation.run(["config"])?;
    let admin = server.admin();
    ensure!(shown.stdout.contains(admin), "{shown:?}");
    ensure!(
        !shown.stdout.contains(&format!("{admin}:admin@")),
        "{shown:?}"
    );
    Ok(())
}

#[tokio::test]
async fn clusters_are_added_filled_closed_and_removed() -> Result<()> {
    // One server under two names, which serves as well as two.
    let east = TestCluster::start().await?;
    let west = otherwise(east.url(), |url| {
        url.set_host(Some("localhost")).map_err(|_| ())
    })?;
    let installation = installation()?;
    let add = |name: &str, url: &str, more: &[&str]| {
        let mut args = vec!["--json", "cluster", "add", name, "--url", url];
        args.extend(more);
        installation.run(args)
    };
    let none = answered(&installation.run(["--json", "cluster", "list"])?, 0)?;
    ensure!(none == json!({ "items": [] }), "{none}");
    let added = answered(&add("east", east.url(), &["--capacity", "1"])?, 0)?;
    ensure!(
        added["open"] == true && added["tenants"] == 0 && added["reachable"] == true,
        "{added}"
    );
    ensure!(!added.to_string().contains("admin"), "{added}");
    let again = add("east", east.url(), &[])?;
    ensure!(
        again.code == Some(3) && again.stderr.contains("\"conflict\""),
        "{again:?}"
    );
    let piped = installation.run_with_input(
        [
            "--json",
            "cluster",
            "add",
            "west",
            "--url-stdin",
            "--closed",
        ],
        &west,
    )?;
    ensure!(answered(&piped, 0)?["open"] == false, "{piped:?}");

    // Placed where there is room; where there is none, it says so and leaves nothing.
    let first = create(&installation, "first", &[])?;
    ensure!(whereabouts(&first) == ("east", "postgres"), "{first}");
    let full = installation.run([
        "--json",
        "tenant",
        "create",
        "second",
        "--slug",
        "second",
        "--owner-email",
        "ada@example.com",
    ])?;
    ensure!(
        full.code == Some(3) && full.stderr.contains("\"conflict\""),
        "{full:?}"
    );
    for cluster in ["east", "west", "north"] {
        let refused = installation.run([
            "--json",
            "tenant",
            "create",
            "second",
            "--slug",
            "second",
            "--owner-email",
            "ada@example.com",
            "--cluster",
            cluster,
        ])?;
        ensure!(
            refused.code == Some(3) && refused.stderr.contains("cluster"),
            "{cluster}: {refused:?}"
        );
    }
    done(&installation, &["cluster", "open", "west"])?;
    let second = create(&installation, "second", &[])?;
    ensure!(whereabouts(&second) == ("west", "postgres"), "{second}");
    let local = create(&installation, "third", &["--cluster", "local"])?;
    ensure!(whereabouts(&local) == ("local", "sqlite"), "{local}");

    let held = installation.run(["--json", "cluster", "remove", "west"])?;
    ensure!(
        held.code == Some(3) && held.stderr.contains("\"conflict\""),
        "{held:?}"
    );
    done(
        &installation,
        &["tenant", "delete", "second", "--purge", "--force"],
    )?;
    done(&installation, &["cluster", "remove", "west"])?;
    let left = format!(
        "SELECT COUNT(*) FROM pg_database WHERE pg_get_userbyid(datdba) = '{}'",
        east.admin()
    );
    ensure!(number(&left).await? == 0, "the template is left");
    let list = answered(&installation.run(["--json", "cluster", "list"])?, 0)?;
    ensure!(
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1),
        "{list}"
    );
    ensure!(list["items"][0]["tenants"] == 1, "{list}");
    Ok(())
}

#[tokio::test]
async fn what_lacks_on_a_server_is_named() -> Result<()> {
    let installation = installation()?;
    let weak = TestCluster::with("CREATEDB").await?;
    let nobody = otherwise(weak.url(), |url| url.set_password(Some("wrong")))?;
    let nowhere = otherwise(weak.url(), |url| url.set_port(Some(1)))?;
    let absent = otherwise(weak.url(), |url| {
        url.set_path("/no_such_database");
        Ok(())
    })?;
    for (name, url, word) in [
        ("weak", weak.url(), "CREATEROLE"),
        ("nobody", nobody.as_str(), "password"),
        ("nowhere", nowhere.as_str(), "reached"),
        ("absent", absent.as_str(), "database"),
        ("mysql", "mysql://a:b@localhost/x", "PostgreSQL"),
        ("nothing", "postgres://", "url"),
        ("local", weak.url(), "name"),
        ("No Slug", weak.url(), "name"),
    ] {
        let ended = installation.run(["--json", "cluster", "add", name, "--url", url])?;
        ensure!(ended.code == Some(3), "{name}: {ended:?}");
        ensure!(
            ended.stderr.contains("validation_failed"),
            "{name}: {ended:?}"
        );
        ensure!(ended.stderr.contains(word), "{name}: {ended:?}");
        ensure!(!ended.stderr.contains("admin:admin"), "{name}: {ended:?}");
    }
    let list = answered(&installation.run(["--json", "cluster", "list"])?, 0)?;
    ensure!(list == json!({ "items": [] }), "{list}");

    // Sound at first, then not any more.
    let server = TestCluster::start().await?;
    done(
        &installation,
        &["cluster", "add", "east", "--url", server.url()],
    )?;
    answered(&installation.run(["--json", "cluster", "check"])?, 0)?;
    superuser(&format!("ALTER ROLE {} NOCREATEDB", server.admin())).await?;
    let checked = answered(
        &installation.run(["--json", "cluster", "check", "east"])?,
        1,
    )?;
    let codes = checked["clusters"][0]["findings"].to_string();
    ensure!(codes.contains("createdb"), "{checked}");
    superuser(&format!("ALTER ROLE {} CREATEDB", server.admin())).await?;
    let unknown = installation.run(["cluster", "check", "west"])?;
    ensure!(unknown.code == Some(3), "{unknown:?}");
    Ok(())
}

#[test]
fn a_wrong_cluster_url_stops_the_start() -> Result<()> {
    let mut installation = installation()?;
    for url in [
        "mysql://a:secret@localhost/x",
        "postgres://localhost/x",
        "nonsense",
    ] {
        installation.set("TENANTRY_CLUSTER_URL", url);
        let ended = installation.run(["tenant", "list"])?;
        ensure!(ended.code == Some(3), "{url}: {ended:?}");
        let line = ended.stderr.lines().next().context("nothing is said")?;
        ensure!(line.contains("TENANTRY_CLUSTER_URL"), "{url}: {line}");
        ensure!(!line.contains("secret"), "{url}: {line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_doctor_looks_at_each_cluster() -> Result<()> {
    let installation = installation()?;
    let server = TestCluster::start().await?;
    done(
        &installation,
        &["cluster", "add", "east", "--url", server.url()],
    )?;
    let part = |told: &serde_json::Value| -> Result<serde_json::Value> {
        let parts = told["parts"].as_array().context("no parts")?;
        let east = parts.iter().find(|part| part["part"] == "cluster east");
        Ok(east.with_context(|| format!("no cluster: {told}"))?.clone())
    };
    let told = answered(&installation.run(["--json", "doctor"])?, 0)?;
    ensure!(part(&told)?["ok"] == true, "{told}");
    superuser(&format!("ALTER ROLE {} NOCREATEDB", server.admin())).await?;
    let told = answered(&installation.run(["--json", "doctor"])?, 1)?;
    ensure!(part(&told)?["ok"] == false, "{told}");
    ensure!(told["healthy"] == false, "{told}");
    let detail = part(&told)?["detail"].to_string();
    ensure!(
        detail.contains("CREATEDB"),
        "what to do is not told: {detail}"
    );
    ensure!(!detail.contains("admin:admin"), "{detail}");
    Ok(())
}
