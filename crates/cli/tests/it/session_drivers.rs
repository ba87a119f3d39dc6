//! Sessions in files and in Redis, as whoever runs the server sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tenantry_testkit::process::{Installation, Running, Signal};
use tenantry_testkit::services::RedisServer;

use crate::acts::{self, answered};
use crate::http::Ask;
use crate::{PASSWORD, eventually, installation};

const ADA: &str = "ada@example.com";

/// What is said where the driver is another than before.
const SAID: &str = "everybody is signed out";

fn stop(server: Running) -> Result<String> {
    server.signal(Signal::TERM)?;
    let ended = server.ended()?;
    Ok(ended.stderr)
}

/// The status of somebody's own record by an access token.
fn asked(server: &Running, token: &str) -> Result<u16> {
    let ask = Ask::get("/api/v1/auth/me").bearer(token);
    Ok(ask.send(server.address()?)?.status)
}

fn signed_in(installation: &Installation) -> Result<(Running, String)> {
    let server = installation.serve()?;
    let token = acts::token(server.address()?, Some("acme"), ADA)?;
    ensure!(asked(&server, &token)? == 200, "a fresh session counts");
    Ok((server, token))
}

#[test]
fn another_driver_is_said_once_and_sessions_in_files_outlive_a_restart() -> Result<()> {
    let mut installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let (server, token) = signed_in(&installation)?;
    let said = stop(server)?;
    ensure!(!said.contains(SAID), "nothing has changed: {said}");
    installation.set("TENANTRY_SESSIONS", "file");
    let server = installation.serve()?;
    ensure!(asked(&server, &token)? == 401, "it lies elsewhere");
    let token = acts::token(server.address()?, Some("acme"), ADA)?;
    let said = stop(server)?;
    ensure!(said.contains(SAID), "{said}");
    let server = installation.serve()?;
    ensure!(asked(&server, &token)? == 200, "it is in a file");
    // A command beside the running server ends it.
    let ended = installation.run(["tenant", "delete", "acme", "--force", "--json"])?;
    let ended = answered(&ended, 0)?;
    ensure!(ended["sessions_cleared"] == 1, "{ended}");
    eventually("it has ended", || {
        Ok((asked(&server, &token)? == 401).then_some(()))
    })?;
    // One that would look elsewhere says so, and does nothing.
    installation.set("TENANTRY_SESSIONS", "database");
    let clear = ["cache", "clear", "--all", "--sessions", "--force", "--json"];
    let refused = installation.run(clear)?;
    let names_it = refused.stderr.contains("TENANTRY_SESSIONS");
    ensure!(refused.code == Some(3) && names_it, "{refused:?}");
    let doctor = answered(&installation.run(["doctor", "--json"])?, 1)?;
    ensure!(doctor.to_string().contains("TENANTRY_SESSIONS"), "{doctor}");
    installation.set("TENANTRY_SESSIONS", "file");
    let said = stop(server)?;
    ensure!(!said.contains(SAID), "it was said before: {said}");
    Ok(())
}

#[test]
fn without_redis_it_is_degraded_and_lets_nobody_in_until_it_is_back() -> Result<()> {
    let mut redis = RedisServer::start()?;
    let mut installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    installation.set("TENANTRY_REDIS_URL", redis.url());
    installation.set("TENANTRY_SESSIONS", "redis");
    let doctor = answered(&installation.run(["doctor", "--json"])?, 0)?;
    ensure!(doctor["healthy"] == true, "{doctor}");
    redis.kill()?;
    // Redis being away keeps nobody from starting.
    let server = installation.serve()?;
    let address = server.address()?;
    let ready = Ask::get("/readyz").send(address)?;
    let degraded = ready.status == 200 && ready.json()["status"] == "degraded";
    ensure!(
        degraded && ready.json()["parts"]["redis"] == "degraded",
        "{ready:?}"
    );
    let refused = acts::sign_in(address, Some("acme"), ADA)?;
    ensure!(refused.status == 503, "{refused:?}");
    ensure!(refused.header("retry-after").is_some(), "{refused:?}");
    let doctor = answered(&installation.run(["doctor", "--json"])?, 1)?;
    let parts = doctor["parts"].as_array().context("no parts")?;
    let part = parts.iter().find(|part| part["part"] == "redis");
    let part = part.context("no Redis")?;
    ensure!(part["ok"] == false, "{part}");
    ensure!(!part.to_string().contains("of-one-test"), "{part}");
    redis.restart()?;
    let token = eventually("it lets people in again", || {
        Ok(acts::token(address, Some("acme"), ADA).ok())
    })?;
    ensure!(asked(&server, &token)? == 200, "it counts");
    // What was seen is told again for a second.
    eventually("it is ready again", || {
        let ready = Ask::get("/readyz").send(address)?;
        Ok((ready.json()["parts"]["redis"] == "up").then_some(()))
    })?;
    let said = stop(server)?;
    ensure!(!said.contains("of-one-test"), "the password is in the log");
    Ok(())
}

#[test]
fn whoever_was_signed_out_by_another_driver_stays_so_with_the_first() -> Result<()> {
    let mut installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let (server, token) = signed_in(&installation)?;
    stop(server)?;
    installation.set("TENANTRY_SESSIONS", "file");
    let server = installation.serve()?;
    ensure!(asked(&server, &token)? == 401, "it lies elsewhere");
    let meanwhile = acts::token(server.address()?, Some("acme"), ADA)?;
    stop(server)?;
    installation.set("TENANTRY_SESSIONS", "database");
    let server = installation.serve()?;
    for token in [&token, &meanwhile] {
        ensure!(asked(&server, token)? == 401, "somebody is back");
    }
    let fresh = acts::token(server.address()?, Some("acme"), ADA)?;
    ensure!(asked(&server, &fresh)? == 200, "a fresh session counts");
    let said = stop(server)?;
    ensure!(said.contains(SAID), "{said}");
    installation.set("TENANTRY_SESSIONS", "file");
    let server = installation.serve()?;
    ensure!(asked(&server, &meanwhile)? == 401, "the other way round");
    Ok(())
}

#[test]
fn commands_that_would_look_elsewhere_do_nothing() -> Result<()> {
    let mut installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let (server, token) = signed_in(&installation)?;
    installation.set("TENANTRY_SESSIONS", "file");
    let tenant = ["delete", "recreate", "restore"].map(|act| vec!["tenant", act, "acme"]);
    let purge = vec!["tenant", "delete", "acme", "--purge"];
    let clear = vec!["cache", "clear", "--tenant", "acme", "--sessions"];
    let mut words = Vec::new();
    for mut args in tenant.into_iter().chain([purge, clear]) {
        if args[1] != "restore" {
            args.push("--force");
        }
        args.push("--json");
        let refused = installation.run(&args)?;
        let is_refused = refused.code == Some(3) && refused.stdout.is_empty();
        ensure!(is_refused, "{args:?}: {refused:?}");
        words.push(refused.stderr);
    }
    ensure!(words[0].contains("TENANTRY_SESSIONS"), "{words:?}");
    ensure!(words.iter().all(|said| *said == words[0]), "{words:?}");
    installation.set("TENANTRY_SESSIONS", "database");
    let shown = acts::done(&installation, &["tenant", "show", "acme"])?;
    ensure!(
        shown["status"] == "active" && shown["generation"] == 1,
        "{shown}"
    );
    ensure!(asked(&server, &token)? == 200, "somebody was signed out");
    let deleted = acts::done(&installation, &["tenant", "delete", "acme", "--force"])?;
    ensure!(deleted["sessions_cleared"] == 1, "{deleted}");
    ensure!(deleted["nodes_silent"] == 0, "{deleted}");
    Ok(())
}

/// What lies in the files of a tenant's sessions.
fn stored(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(stored(&path)?);
        } else {
            found.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(found)
}

#[test]
fn another_tenants_files_stay_byte_for_byte_by_command_and_api() -> Result<()> {
    let mut installation = installation()?;
    installation.set("TENANTRY_SESSIONS", "file");
    acts::make_admin(&installation)?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let globex = acts::make_tenant(&installation, "globex", ADA)?;
    let server = installation.serve()?;
    let address = server.address()?;
    let admin = acts::token(address, None, acts::ADMIN)?;
    let token = acts::token(address, Some("globex"), ADA)?;
    let id = globex["id"].as_str().context("no id")?;
    let folder = installation.data().join("sessions").join(id);
    let before = stored(&folder)?;
    ensure!(before.len() == 3, "{before:?}");
    let owner = json!({ "email": ADA, "password": PASSWORD });
    let confirmed = json!({ "confirm": "acme", "owner": owner });
    let recreate = Ask::post("/api/v1/tenants/acme/recreate").json(&confirmed);
    let by_api = [
        Ask::delete("/api/v1/tenants/acme/sessions"),
        Ask::delete("/api/v1/tenants/acme/cache"),
        recreate,
        Ask::delete("/api/v1/tenants/acme?confirm=acme"),
        Ask::post("/api/v1/tenants/acme/restore"),
    ];
    for ask in by_api {
        let answer = ask.clone().bearer(&admin).send(address)?;
        ensure!(answer.status == 200, "{ask:?}: {answer:?}");
        ensure!(stored(&folder)? == before, "{ask:?}");
    }
    let by_command: [&[&str]; 4] = [
        &[
            "cache",
            "clear",
            "--tenant",
            "acme",
            "--sessions",
            "--force",
        ],
        &["tenant", "recreate", "acme", "--force"],
        &["tenant", "delete", "acme", "--force"],
        &["tenant", "delete", "acme", "--purge", "--force"],
    ];
    for args in by_command {
        acts::done(&installation, args)?;
        ensure!(stored(&folder)? == before, "{args:?}");
    }
    ensure!(asked(&server, &token)? == 200, "it counts all the while");
    Ok(())
}
