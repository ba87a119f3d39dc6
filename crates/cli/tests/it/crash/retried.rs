//! What people do after a crash: ask again, or take up what stands still.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tenantry_testkit::process::{Installation, Running};

use super::stories::{admin_token, provision, with_admin};
use super::{Ground, free_mail};
use crate::acts::{self, all_is_well, answered, done};
use crate::http::Ask;

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// A client whose server died under its request sends it again under the same key, and gets the
/// tenant that the first one began.
#[test]
fn the_same_request_again_makes_no_second_tenant() -> Result<()> {
    let story = provision(Ground::Files)?;
    for fault in ["reserve/started", "owner/started", "activate/succeeded"] {
        let mut installation = story.before.copy()?;
        let ask = story.ask.clone().header("Idempotency-Key", "order-4711");
        let server = installation
            .set("TENANTRY_FAULT", format!("provision/{fault}"))
            .serve()?;
        installation.unset("TENANTRY_FAULT");
        let address = server.address()?;
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask.send(address));
            server.says("fault reached")?;
            server.kill()?;
            asking.join().map(drop).ok();
            Ok::<_, anyhow::Error>(())
        })?;
        free_mail(&installation)?;
        let server = installation.serve()?;
        let address = server.address()?;
        let first = ask.send(address)?;
        let second = ask.send(address)?;
        ensure!(
            first.status == 201 && first.json()["status"] == "active",
            "{fault}: {first:?}"
        );
        ensure!(
            first.json()["id"] == second.json()["id"],
            "{fault}: {first:?} {second:?}"
        );
        let tenants = done(&installation, &["tenant", "list"])?;
        ensure!(
            tenants["items"]
                .as_array()
                .is_some_and(|items| items.len() == 1),
            "{tenants}"
        );
        crate::eventually("the mail is written", || {
            Ok(acts::mails(&installation)?.pop())
        })?;
        acts::owner_arrives(&installation, address, "acme", ADA)?;
        all_is_well(&installation)?;
    }
    Ok(())
}

/// Where the second database of `acme` is to be; a folder there keeps it from being made.
fn in_the_way(installation: &Installation) -> Result<PathBuf> {
    let tenant = done(installation, &["tenant", "show", "acme"])?;
    let name = tenant["database"]["name"].as_str().context("a database")?;
    let (stem, _) = name.rsplit_once("-g").context("a generation")?;
    let next = format!("{stem}-g2");
    Ok(installation
        .data()
        .join("tenants")
        .join(format!("{next}.db")))
}

/// `acme`, which can't be made anew, since something is in the way of its next database. The
/// work stands still and says why.
fn stuck() -> Result<(Installation, Running, String)> {
    let installation = with_admin("")?;
    acts::make_tenant(&installation, "acme", GRACE)?;
    let root = admin_token(&installation)?;
    let server = installation.serve()?;
    let address = server.address()?;
    fs::create_dir(in_the_way(&installation)?)?;
    let refused = installation.run([
        "tenant",
        "recreate",
        "acme",
        "--force",
        "--owner-email",
        ADA,
        "--json",
    ])?;
    ensure!(refused.code == Some(3), "{refused:?}");

    let report = answered(&installation.run(["tenant", "check", "acme", "--json"])?, 1)?;
    let findings = report["tenants"][0]["findings"].as_array();
    let findings = findings.context("no findings")?;
    ensure!(
        findings
            .iter()
            .any(|found| found["code"] == "workflow_stuck"),
        "{report}"
    );
    for person in [ADA, GRACE] {
        let answer = acts::sign_in(address, Some("acme"), person)?;
        ensure!(
            answer.status == 503 && answer.code() == "tenant_unavailable",
            "{answer:?}"
        );
    }
    let runs = Ask::get("/api/v1/workflows").bearer(&root).send(address)?;
    let run = runs.json()["items"][0].clone();
    ensure!(run["state"] == "stuck", "{run}");
    let id = run["id"].as_str().context("no id")?.to_owned();
    Ok((installation, server, id))
}

/// What can't go on and must not go back goes on once the cause is mended and somebody asks it to.
#[test]
fn a_stuck_run_goes_on_when_its_cause_is_mended() -> Result<()> {
    let (installation, server, id) = stuck()?;
    // Asked to go on too early, it stands still again.
    let early = installation.run(["workflow", "retry", &id, "--json"])?;
    ensure!(early.code == Some(3), "{early:?}");
    let shown = done(&installation, &["workflow", "show", &id])?;
    ensure!(shown["state"] == "stuck", "{shown}");

    fs::remove_dir(in_the_way(&installation)?)?;
    let late = done(&installation, &["workflow", "retry", &id])?;
    ensure!(late["state"] == "succeeded", "{late}");
    let tenant = done(&installation, &["tenant", "show", "acme"])?;
    ensure!(
        tenant["status"] == "active" && tenant["generation"] == 2,
        "{tenant}"
    );
    crate::eventually("the mail is written", || {
        Ok(acts::mails(&installation)?.pop())
    })?;
    let address = server.address()?;
    acts::owner_arrives(&installation, address, "acme", ADA)?;
    let answer = acts::sign_in(address, Some("acme"), GRACE)?;
    ensure!(answer.status == 401, "{answer:?}");
    all_is_well(&installation)
}

/// Nor does it keep anybody from giving the tenant up.
#[test]
fn a_tenant_whose_work_is_stuck_can_be_purged() -> Result<()> {
    let (installation, server, _) = stuck()?;
    fs::remove_dir(in_the_way(&installation)?)?;
    done(
        &installation,
        &["tenant", "delete", "acme", "--purge", "--force"],
    )?;
    let answer = acts::sign_in(server.address()?, Some("acme"), GRACE)?;
    ensure!(answer.code() == "tenant_not_found", "{answer:?}");
    all_is_well(&installation)?;
    acts::make_tenant(&installation, "acme", GRACE)?;
    acts::token(server.address()?, Some("acme"), GRACE)?;
    all_is_well(&installation)
}
