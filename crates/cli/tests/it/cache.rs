//! `tenantry cache clear`, beside a running server.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::{Ended, Installation};

use crate::acts::{self, ADMIN, answered, done};
use crate::http::Ask;
use crate::installation;

const ADA: &str = "ada@example.com";

/// Two tenants with the same owner, and a platform admin.
fn with_two() -> Result<Installation> {
    let installation = installation()?;
    acts::make_admin(&installation)?;
    for slug in ["acme", "globex"] {
        acts::make_tenant(&installation, slug, ADA)?;
    }
    Ok(installation)
}

fn me(server: SocketAddr, token: &str) -> Result<u16> {
    Ok(Ask::get("/api/v1/auth/me")
        .bearer(token)
        .send(server)?
        .status)
}

fn tenant<'a>(body: &'a Value, slug: &str) -> Result<&'a Value> {
    let tenants = body["tenants"].as_array().context("no tenants")?;
    let found = tenants.iter().find(|tenant| tenant["slug"] == slug);
    found.with_context(|| format!("no {slug}: {body}"))
}

#[test]
fn what_a_running_server_keeps_is_cleared_and_counted() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    let acme = acts::token(server, Some("acme"), ADA)?;
    let globex = acts::token(server, Some("globex"), ADA)?;
    let root = acts::token(server, None, ADMIN)?;
    for token in [&acme, &globex, &root] {
        ensure!(me(server, token)? == 200);
    }
    let clear = |args: &[&str]| done(&installation, &[&["cache", "clear"], args].concat());

    // By id too; nobody is signed out.
    let id = done(&installation, &["tenant", "show", "acme"])?["id"].clone();
    let body = clear(&["--tenant", id.as_str().context("no id")?, "--force"])?;
    ensure!(body["tenants_processed"] == 1 && body["sessions_cleared"] == 0);
    ensure!(body["cache_keys_cleared"].as_u64() > Some(0), "{body}");
    let of_acme = tenant(&body, "acme")?;
    ensure!(of_acme["id"] == id && of_acme["cache_keys_cleared"] == body["cache_keys_cleared"]);
    ensure!(body["nodes_silent"] == 0, "{body}");
    for token in [&acme, &globex, &root] {
        ensure!(me(server, token)? == 200);
    }

    // One tenant's sessions, and no other's.
    let body = clear(&["--tenant", "acme", "--sessions", "--force"])?;
    ensure!(body["sessions_cleared"] == 1 && tenant(&body, "acme")?["sessions_cleared"] == 1);
    ensure!(me(server, &acme)? == 401 && me(server, &globex)? == 200 && me(server, &root)? == 200);

    // Everything: the platform admins' sessions are counted too.
    let acme = acts::token(server, Some("acme"), ADA)?;
    ensure!(me(server, &acme)? == 200);
    let body = clear(&["--all", "--sessions", "--force"])?;
    ensure!(body["tenants_processed"] == 2, "{body}");
    ensure!(body["sessions_cleared"] == 3, "{body}");
    ensure!(body["platform"]["sessions_cleared"] == 1, "{body}");
    for slug in ["acme", "globex"] {
        let of = tenant(&body, slug)?;
        ensure!(of["sessions_cleared"] == 1, "{body}");
        ensure!(of["cache_keys_cleared"].as_u64() > Some(0), "{body}");
    }
    for token in [&acme, &globex, &root] {
        ensure!(me(server, token)? == 401);
    }

    // Deleting tells the same numbers.
    let acme = acts::token(server, Some("acme"), ADA)?;
    ensure!(me(server, &acme)? == 200);
    let body = done(&installation, &["tenant", "delete", "acme", "--force"])?;
    ensure!(body["cache_keys_cleared"].as_u64() > Some(0), "{body}");
    ensure!(body["sessions_cleared"] == 1 && tenant(&body, "acme")?["sessions_cleared"] == 1);
    told(&installation)
}

/// What the audit says of the clearings.
fn told(installation: &Installation) -> Result<()> {
    let list = done(installation, &["audit", "list", "--limit", "50"])?;
    let entries = list["items"].as_array().context("no entries")?;
    let of: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "cache.clear")
        .map(|entry| (entry["outcome"].clone(), entry["detail"]["all"].clone()))
        .collect();
    ensure!(of.len() == 3, "{list}");
    ensure!(of.iter().all(|(outcome, _)| outcome == "done"), "{list}");
    ensure!(of.iter().filter(|(_, all)| *all == json!(true)).count() == 1);
    Ok(())
}

fn is_refused(ended: &Ended, code: &str) -> Result<()> {
    ensure!(
        ended.code == Some(3) && ended.stdout.is_empty(),
        "{ended:?}"
    );
    let told: Value = serde_json::from_str(&ended.stderr)?;
    ensure!(told["error"]["code"] == code, "{ended:?}");
    Ok(())
}

#[test]
fn it_asks_and_without_an_answer_touches_nothing() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let server = running.address()?;
    let acme = acts::token(server, Some("acme"), ADA)?;
    let (one, all) = (["--tenant", "acme", "--sessions"], ["--all", "--sessions"]);
    for which in [&one[..], &all] {
        let args = [&["cache", "clear"], which].concat();
        let ended = installation.run(args.iter().chain(&["--json"]))?;
        is_refused(&ended, "confirmation_required")?;
        for typed in ["no\n", "\n", "\u{4}"] {
            let ended = installation.run_at_terminal(&args, typed)?;
            ensure!(ended.code == Some(3), "{typed:?}: {ended:?}");
            ensure!(ended.stderr.contains("to go ahead"), "{ended:?}");
        }
    }
    ensure!(me(server, &acme)? == 200, "something was touched");
    let nobody = ["cache", "clear", "--tenant", "nobody", "--force", "--json"];
    is_refused(&installation.run(nobody)?, "not_found")?;
    for args in [
        &["cache", "clear"][..],
        &["cache", "clear", "--force"],
        &["cache", "clear", "--all", "--tenant", "acme"],
    ] {
        let ended = installation.run(args)?;
        ensure!(ended.code == Some(2), "{args:?}: {ended:?}");
    }

    let args = ["cache", "clear", "--tenant", "acme", "--sessions"];
    let ended = installation.run_at_terminal(args, "acme\n")?;
    ensure!(ended.code == Some(0), "{ended:?}");
    for heading in [
        "Tenants processed",
        "Cache keys cleared",
        "Sessions cleared",
    ] {
        ensure!(ended.stdout.contains(heading), "{ended:?}");
    }
    ensure!(me(server, &acme)? == 401);
    let ended = installation.run_at_terminal(["cache", "clear", "--all"], "all\n")?;
    ensure!(
        ended.code == Some(0) && ended.stdout.contains("(platform)"),
        "{ended:?}"
    );
    Ok(())
}

/// Without a server there is nothing in memory, and sessions end all the same.
#[test]
fn no_server_is_needed() -> Result<()> {
    let installation = with_two()?;
    let running = installation.serve()?;
    let acme = acts::token(running.address()?, Some("acme"), ADA)?;
    running.signal(tenantry_testkit::process::Signal::TERM)?;
    running.ended()?;
    let args = ["cache", "clear", "--all", "--sessions", "--force", "--json"];
    let body = answered(&installation.run(args)?, 0)?;
    ensure!(
        body["sessions_cleared"] == 1 && body["tenants_processed"] == 2,
        "{body}"
    );
    ensure!(body["nodes_silent"] == 0, "{body}");
    let running = installation.serve()?;
    ensure!(me(running.address()?, &acme)? == 401);
    Ok(())
}

#[test]
fn a_person_has_as_many_sessions_as_the_settings_allow() -> Result<()> {
    let mut installation = with_two()?;
    installation.configure("[sessions]\ndriver = \"file\"\nper_user = 2\n")?;
    let config = done(&installation, &["config"])?;
    ensure!(
        config["sessions"] == "file" && config["sessions_per_user"] == 2,
        "{config}"
    );
    let running = installation.serve()?;
    let server = running.address()?;
    let tokens = (0..3)
        .map(|_| acts::token(server, Some("acme"), ADA))
        .collect::<Result<Vec<_>>>()?;
    let statuses = tokens
        .iter()
        .map(|token| me(server, token))
        .collect::<Result<Vec<_>>>()?;
    ensure!(statuses == [401, 200, 200], "{statuses:?}");
    for (text, name) in [
        ("[sessions]\nper_user = 100001\n", "sessions.per_user"),
        ("[sessions]\nmember_hours = 0\n", "sessions.member_hours"),
        (
            "[sessions]\nadmin_idle_minutes = 1\n",
            "sessions.admin_idle_minutes",
        ),
        ("[sessions]\nper_person = 1\n", "per_person"),
        ("sessions = 5\n", "sessions"),
    ] {
        installation.configure(text)?;
        let ended = installation.run(["config"])?;
        ensure!(
            ended.code == Some(3) && ended.stderr.contains(name),
            "{text}: {ended:?}"
        );
    }
    installation.configure("sessions = \"file\"\n")?;
    ensure!(done(&installation, &["config"])?["sessions"] == "file");
    Ok(())
}
