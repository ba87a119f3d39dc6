//! Sessions in files and in Redis, as whoever runs the server sees them.

use anyhow::{Context as _, Result, ensure};
use tenantry_testkit::process::{Installation, Running, Signal};
use tenantry_testkit::services::RedisServer;

use crate::acts::{self, answered};
use crate::http::Ask;
use crate::{eventually, installation};

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
    let ready = Ask::get("/readyz").send(address)?;
    ensure!(ready.json()["parts"]["redis"] == "up", "{ready:?}");
    let said = stop(server)?;
    ensure!(!said.contains("of-one-test"), "the password is in the log");
    Ok(())
}
