//! Files that are gone, damaged, nobody's, or have no room left.

mod full_disk;
mod server;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::{Installation, alter_sqlite};

use crate::acts::{self, all_is_well, answered, done};
use crate::http::Ask;
use crate::installation;

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// Two tenants, so that one can be seen to go on without the other.
fn with_two() -> Result<Installation> {
    with_two_in(installation()?)
}

fn with_two_in(installation: Installation) -> Result<Installation> {
    acts::make_tenant(&installation, "acme", ADA)?;
    acts::make_tenant(&installation, "globex", GRACE)?;
    Ok(installation)
}

fn file_of(installation: &Installation, slug: &str) -> Result<PathBuf> {
    let tenant = done(installation, &["tenant", "show", slug])?;
    let name = tenant["database"]["name"].as_str().context("no database")?;
    Ok(installation
        .data()
        .join("tenants")
        .join(format!("{name}.db")))
}

/// The codes of all findings, which there must be.
fn found(installation: &Installation, args: &[&str]) -> Result<Vec<String>> {
    let report = answered(&installation.run(args.iter().chain(&["--json"]))?, 1)?;
    ensure!(report["healthy"] == false, "{report}");
    let tenants = report["tenants"].as_array().context("no tenants")?;
    let lists = tenants.iter().map(|tenant| &tenant["findings"]);
    let codes: Vec<String> = lists
        .chain([&report["findings"]])
        .filter_map(Value::as_array)
        .flatten()
        .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
        .collect();
    ensure!(!codes.is_empty(), "{report}");
    Ok(codes)
}

/// A tenant's damage is its own: it answers 503, the other goes on.
fn only_acme_suffers(server: std::net::SocketAddr) -> Result<()> {
    let answer = acts::sign_in(server, Some("acme"), ADA)?;
    ensure!(
        answer.status == 503 && answer.code() == "tenant_unavailable",
        "{answer:?}"
    );
    ensure!(
        !answer.body.contains(".db"),
        "an answer shows a path: {answer:?}"
    );
    // The directory leads there; without a hint it is a wrong password like any other.
    let answer = acts::sign_in(server, None, ADA)?;
    ensure!(answer.status == 401, "{answer:?}");
    let answer = acts::sign_in(server, Some("globex"), GRACE)?;
    ensure!(answer.status == 200, "{answer:?}");
    let ready = Ask::get("/readyz").send(server)?;
    ensure!(ready.status == 200, "{ready:?}");
    Ok(())
}

#[test]
fn a_database_that_is_gone_is_found_and_not_invented() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    acts::token(server, Some("acme"), ADA)?;
    let file = file_of(&installation, "acme")?;
    let away = installation.scratch().join("away.db");
    fs::rename(&file, &away)?;
    only_acme_suffers(server)?;
    ensure!(found(&installation, &["tenant", "check"])? == ["database_missing"]);
    ensure!(found(&installation, &["tenant", "check", "acme"])? == ["database_missing"]);
    all_is_well_for(&installation, "globex")?;
    ensure!(found(&installation, &["tenant", "repair"])? == ["database_missing"]);
    ensure!(!file.exists(), "a database was made out of nothing");
    fs::rename(&away, &file)?;
    all_is_well(&installation)?;
    acts::token(server, Some("acme"), ADA)?;
    Ok(())
}

fn all_is_well_for(installation: &Installation, slug: &str) -> Result<()> {
    let report = done(installation, &["tenant", "check", slug])?;
    ensure!(report["healthy"] == true, "{report}");
    Ok(())
}

#[test]
fn a_database_that_is_damaged_while_serving_harms_nobody_else() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    acts::token(server, Some("acme"), ADA)?;
    let file = file_of(&installation, "acme")?;
    let good = fs::read(&file)?;
    // Another file under the name, as a failed restore would leave it.
    let garbage = installation.scratch().join("garbage");
    fs::write(&garbage, vec![0xa5; good.len()])?;
    fs::rename(&garbage, &file)?;
    only_acme_suffers(server)?;
    ensure!(found(&installation, &["tenant", "check"])? == ["database_unreadable"]);
    // Put back, it is good again without a restart.
    let back = installation.scratch().join("back");
    fs::write(&back, &good)?;
    fs::rename(&back, &file)?;
    acts::token(server, Some("acme"), ADA)?;

    // Half of it lost under the open handles. What a cache still knows may be told, never a 500.
    let open = fs::File::options().write(true).open(&file)?;
    open.write_all_at(&vec![0; good.len() - 4096], 4096)?;
    for _ in 0..3 {
        let answer = acts::sign_in(server, Some("acme"), ADA)?;
        ensure!(matches!(answer.status, 200 | 503), "{answer:?}");
    }
    running.kill()?;
    let running = installation.serve()?;
    only_acme_suffers(running.address()?)
}

#[test]
fn another_tenants_database_is_never_served() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    let (acme, globex) = (
        file_of(&installation, "acme")?,
        file_of(&installation, "globex")?,
    );
    let copy = installation.scratch().join("copy");
    fs::copy(&globex, &copy)?;
    fs::rename(&copy, &acme)?;
    only_acme_suffers(server)?;
    let answer = acts::sign_in(server, Some("acme"), GRACE)?;
    ensure!(answer.status == 503, "globex is served as acme: {answer:?}");
    ensure!(found(&installation, &["tenant", "check"])? == ["stamp_foreign"]);
    Ok(())
}

#[test]
fn a_damaged_directory_is_repaired() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    let control = installation.data().join("control.db");
    let lost = alter_sqlite(&control, "DELETE FROM directory")?;
    ensure!(lost == 2, "{lost} entries were there");
    ensure!(
        acts::sign_in(server, None, ADA)?.status == 401,
        "there is no directory"
    );
    let both = ["directory_missing", "directory_missing"];
    ensure!(found(&installation, &["tenant", "check"])? == both);
    ensure!(found(&installation, &["tenant", "repair", "--dry-run"])? == both);
    ensure!(
        found(&installation, &["tenant", "check"])? == both,
        "a dry run changed something"
    );
    let report = done(&installation, &["tenant", "repair", "acme"])?;
    ensure!(report["healthy"] == true, "{report}");
    ensure!(found(&installation, &["tenant", "check"])? == both[..1]);
    done(&installation, &["tenant", "repair"])?;
    all_is_well(&installation)?;
    acts::token(server, None, ADA)?;
    acts::token(server, None, GRACE)?;
    Ok(())
}

#[test]
fn only_orphans_that_are_surely_ours_are_pruned() -> Result<()> {
    let installation = with_two()?;
    let file = file_of(&installation, "acme")?;
    let kept = installation.scratch().join("kept.db");
    fs::copy(&file, &kept)?;
    done(
        &installation,
        &["tenant", "delete", "acme", "--purge", "--force"],
    )?;
    ensure!(!file.exists(), "a purged tenant's file is still there");
    fs::copy(&kept, &file)?;
    let stranger = installation.data().join("tenants").join("accounts.db");
    fs::write(&stranger, "somebody's own")?;
    let both = ["database_orphaned", "database_orphaned"];
    ensure!(found(&installation, &["tenant", "check"])? == both);
    ensure!(found(&installation, &["tenant", "repair"])? == both);
    ensure!(found(&installation, &["tenant", "repair", "--prune", "--dry-run"])? == both);
    ensure!(file.exists() && stranger.exists(), "pruned without --prune");
    ensure!(found(&installation, &["tenant", "repair", "--prune"])? == both[..1]);
    ensure!(!file.exists(), "the orphan is still there");
    ensure!(fs::read_to_string(&stranger)? == "somebody's own");
    fs::remove_file(stranger)?;
    all_is_well(&installation)
}

#[test]
fn a_damaged_control_database_is_refused_and_left_alone() -> Result<()> {
    let installation = with_two()?;
    let control = installation.data().join("control.db");
    let garbage = b"this is no database".repeat(1000);
    fs::write(&control, &garbage)?;
    for args in [&["serve"][..], &["tenant", "list"], &["tenant", "check"]] {
        let ended = installation.run(args)?;
        ensure!(
            ended.code == Some(3) && ended.stdout.is_empty(),
            "{ended:?}"
        );
        ensure!(
            ended.stderr.lines().count() == 1 && ended.stderr.contains("TENANTRY_CONTROL_URL"),
            "{ended:?}"
        );
    }
    ensure!(
        fs::read(&control)? == garbage,
        "the damaged file was written to"
    );
    let doctor = answered(&installation.run(["doctor", "--json"])?, 1)?;
    ensure!(doctor["healthy"] == json!(false), "{doctor}");
    Ok(())
}
