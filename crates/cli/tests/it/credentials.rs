//! New database credentials for a tenant's applications, by the command line.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tenantry_testkit::cluster::{Application, TestCluster};
use tenantry_testkit::process::{Ended, Installation};

use crate::acts::{answered, done, make_tenant};
use crate::{eventually, installation};

const ADA: &str = "ada@example.com";

/// An installation whose tenants lie on a server, with the tenant `acme`.
fn with_acme(server: &TestCluster) -> Result<Installation> {
    let mut installation = installation()?;
    installation
        .configure("[workflows]\nlease_seconds = 1\n[credentials]\ndrain_seconds = 1\n")?
        .set("TENANTRY_CLUSTER_URL", server.url());
    make_tenant(&installation, "acme", ADA)?;
    Ok(installation)
}

fn rotate(installation: &Installation, slug: &str, more: &[&str]) -> Result<Ended> {
    let mut args = vec!["tenant", "rotate-credentials", slug, "--json"];
    args.extend(more);
    installation.run(args)
}

/// Asks for new credentials until those before have drained; the new ones.
fn shown(installation: &Installation) -> Result<Value> {
    eventually("the credentials are changed", || {
        let ended = rotate(installation, "acme", &["--reveal"])?;
        if ended.code == Some(3) && ended.stderr.contains("\"conflict\"") {
            return Ok(None);
        }
        answered(&ended, 0).map(Some)
    })
}

fn url(access: &Value) -> Result<&str> {
    access["url"].as_str().context("no URL")
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_shown_once_or_a_link_is_mailed() -> Result<()> {
    let server = TestCluster::start().await?;
    let mut installation = with_acme(&server)?;
    let access = shown(&installation)?;
    Application::enter(url(&access)?).await?;
    let user = access["user"].as_str().context("no user")?;
    ensure!(
        access["schema"] == "app" && user.ends_with("_a"),
        "{access}"
    );
    let next = shown(&installation)?;
    Application::enter(url(&next)?).await?;
    ensure!(next["user"] != access["user"], "{next}");

    installation.configure("[credentials]\ndrain_seconds = 600\n")?;
    for more in [&["--reveal"] as &[&str], &[]] {
        let ended = rotate(&installation, "acme", more)?;
        ensure!(
            ended.code == Some(3) && ended.stderr.contains("\"conflict\""),
            "{ended:?}"
        );
    }
    make_tenant(&installation, "globex", ADA)?;
    let mailed = done(&installation, &["tenant", "rotate-credentials", "globex"])?;
    ensure!(
        mailed["status"] == "link_sent" && mailed["mailed_to"][0] == ADA,
        "{mailed}"
    );
    let mut links = 0;
    for mail in std::fs::read_dir(installation.data().join("mail"))? {
        let text = std::fs::read_to_string(mail?.path())?;
        links += usize::from(text.contains("/setup/credentials/"));
    }
    ensure!(links == 1, "{links} mails hold a link");
    let told = installation.run(["tenant", "rotate-credentials", "globex"])?;
    ensure!(
        told.code == Some(0) && told.stdout.contains(ADA),
        "{told:?}"
    );
    let args = [
        "--cluster",
        "local",
        "--owner-email",
        ADA,
        "--slug",
        "files",
    ];
    done(
        &installation,
        &[&["tenant", "create", "Files"] as &[&str], &args].concat(),
    )?;
    for slug in ["files", "nobody"] {
        let ended = rotate(&installation, slug, &["--reveal"])?;
        ensure!(ended.code == Some(3), "{ended:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_rotation_leaves_what_worked() -> Result<()> {
    let server = TestCluster::start().await?;
    let mut installation = with_acme(&server)?;
    let mut known = shown(&installation)?;
    for step in ["prepare", "set_password", "try_sign_in", "switch"] {
        for event in ["started", "succeeded"] {
            let fault = format!("rotate/{step}/{event}");
            let dies = eventually("a rotation can begin", || {
                installation.set("TENANTRY_FAULT", &fault);
                let dying =
                    installation.start(["tenant", "rotate-credentials", "acme", "--reveal"])?;
                installation.unset("TENANTRY_FAULT");
                // One that is refused, as an earlier one drains, ends without coming there.
                Ok(dying.says("fault reached").is_ok().then_some(dying))
            })?;
            dies.kill()?;
            Application::enter(url(&known)?)
                .await
                .with_context(|| format!("killed at {fault}"))?;
            known = shown(&installation)?;
            Application::enter(url(&known)?)
                .await
                .with_context(|| format!("after it was killed at {fault}"))?;
        }
    }
    Ok(())
}
