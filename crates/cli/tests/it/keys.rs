//! `tenantry key` beside a running server: what was issued goes on, and what was revoked does not;
//! a command that is killed while it seals anew is finished by whoever comes next.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_core::keys::JWKS_MAX_AGE;
use tenantry_testkit::process::{Installation, alter_sqlite};

use crate::acts::{answered, done, mails, make_admin, make_tenant, owner_arrives, token};
use crate::http::{Answer, Ask};
use crate::{eventually, installation};

const ADA: &str = "ada@example.com";

fn me(server: SocketAddr, token: &str) -> Result<Answer> {
    Ok(Ask::get("/api/v1/auth/me").bearer(token).send(server)?)
}

/// The names of the keys that are published.
fn published(server: SocketAddr) -> Result<Vec<String>> {
    let answer = Ask::get("/.well-known/jwks.json").send(server)?;
    // What the times of an exchange stand on.
    let kept = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    ensure!(answer.header("cache-control") == Some(&kept), "{answer:?}");
    let keys = answer.json()["keys"].as_array().cloned();
    let keys = keys.context("no keys")?;
    let kid = |key: &Value| key["kid"].as_str().unwrap_or_default().to_owned();
    Ok(keys.iter().map(kid).collect())
}

/// The states of the keys of one kind, the oldest first.
fn states(installation: &Installation, kind: &str) -> Result<Vec<String>> {
    let list = done(installation, &["key", "list"])?;
    let items = list["items"].as_array().context("no list")?;
    let state = |item: &Value| item["state"].as_str().unwrap_or_default().to_owned();
    let kind = items.iter().filter(|item| item["kind"] == kind);
    Ok(kind.map(state).collect())
}

#[test]
fn tokens_outlive_an_exchange_and_not_a_revocation() -> Result<()> {
    let installation = installation()?;
    make_admin(&installation)?;
    make_tenant(&installation, "acme", ADA)?;
    let server = installation.serve()?;
    let server = server.address()?;
    let ada = token(server, Some("acme"), ADA)?;
    let before = published(server)?;
    ensure!(before.len() == 1, "{before:?}");

    let rotated = done(&installation, &["key", "rotate"])?;
    ensure!(rotated["signing"]["state"] == "next", "{rotated}");
    ensure!(rotated["sealing"]["made"] == true, "{rotated}");
    ensure!(rotated["sealing"]["damaged"] == 0, "{rotated}");
    let next = rotated["signing"]["kid"].as_str().context("no kid")?;
    let both = [before[0].clone(), next.to_owned()];
    // A command ends when it is so everywhere.
    ensure!(published(server)? == both);
    ensure!(me(server, &ada)?.status == 200);
    ensure!(states(&installation, "signing")? == ["active", "next"]);
    ensure!(states(&installation, "sealing")? == ["retiring", "active"]);
    // The server seals and opens with the new key.
    make_tenant(&installation, "globex", ADA)?;
    token(server, Some("globex"), ADA)?;

    let replaced = done(&installation, &["key", "rotate", "--signing", "--now"])?;
    ensure!(replaced["signing"]["revoked"] == 2, "{replaced}");
    ensure!(replaced["sealing"].is_null(), "{replaced}");
    let answer = me(server, &ada)?;
    ensure!(answer.status == 401, "{answer:?}");
    ensure!(answer.code() == "authentication_required", "{answer:?}");
    let active = replaced["signing"]["kid"].as_str().context("no kid")?;
    ensure!(published(server)? == [active]);
    let ada = token(server, Some("acme"), ADA)?;
    ensure!(me(server, &ada)?.status == 200);
    ensure!(states(&installation, "signing")? == ["retired", "retired", "active"]);

    let told = done(&installation, &["audit", "list"])?;
    let told = told["items"].as_array().context("no list")?;
    let acts = told.iter().filter(|entry| entry["action"] == "key.rotate");
    ensure!(acts.count() == 2, "{told:?}");
    Ok(())
}

#[test]
fn now_is_about_the_signing_key() -> Result<()> {
    let installation = installation()?;
    let ended = installation.run(["key", "rotate", "--sealing", "--now", "--json"])?;
    ensure!(ended.code == Some(2), "{ended:?}");
    Ok(())
}

/// Has an exchange of the sealing key killed in the middle.
fn kill_halfway(installation: &mut Installation) -> Result<()> {
    installation.set("TENANTRY_FAULT", "key/signing_keys/succeeded");
    let command = installation.start(["key", "rotate", "--sealing"])?;
    command.says("fault reached: key/signing_keys/succeeded")?;
    command.kill()?;
    installation.unset("TENANTRY_FAULT");
    Ok(())
}

/// An installation with a mail that waits, which is sealed.
fn with_mail() -> Result<Installation> {
    let mut installation = installation()?;
    make_admin(&installation)?;
    // A file where the folder should be: the mail can't leave.
    std::fs::write(mail_folder(&installation), "in the way")?;
    let args = [
        "tenant",
        "create",
        "Acme",
        "--slug",
        "acme",
        "--owner-email",
    ];
    let made = installation.run(args.iter().chain(&[ADA, "--json"]))?;
    answered(&made, 0)?;
    installation.set("TENANTRY_RATE_LIMITS", "off");
    Ok(installation)
}

fn mail_folder(installation: &Installation) -> impl AsRef<Path> + use<> {
    installation.data().join("mail")
}

/// The mail leaves, and its link is good.
fn the_mail_opens(installation: &Installation, server: SocketAddr) -> Result<()> {
    eventually("the mail leaves", || {
        Ok((!mails(installation)?.is_empty()).then_some(()))
    })?;
    owner_arrives(installation, server, "acme", ADA).map(drop)
}

#[test]
fn what_a_killed_command_began_the_next_one_finishes() -> Result<()> {
    let mut installation = with_mail()?;
    kill_halfway(&mut installation)?;
    let finished = done(&installation, &["key", "rotate", "--sealing"])?;
    ensure!(finished["sealing"]["made"] == false, "{finished}");
    ensure!(
        finished["sealing"]["resealed"].as_u64() > Some(0),
        "{finished}"
    );
    ensure!(states(&installation, "sealing")? == ["retiring", "active"]);
    free(&installation)?;
    let server = installation.serve()?;
    the_mail_opens(&installation, server.address()?)
}

#[test]
fn what_a_killed_command_began_a_server_finishes() -> Result<()> {
    let mut installation = with_mail()?;
    kill_halfway(&mut installation)?;
    let server = installation.set("TENANTRY_LOG", "debug").serve()?;
    // Nothing is left to do: the next exchange is a new one.
    eventually("the server has sealed the rest anew", || {
        let log = server.stderr();
        Ok(log.contains("what=\"keys\"").then_some(()))
    })?;
    free(&installation)?;
    let next = done(&installation, &["key", "rotate", "--sealing"])?;
    ensure!(next["sealing"]["made"] == true, "{next}");
    the_mail_opens(&installation, server.address()?)
}

/// Somebody else may have the key: a row that is damaged keeps nobody from exchanging it again and again,
/// and what is said of it is true.
#[test]
fn what_does_not_open_is_told_and_stops_no_exchange() -> Result<()> {
    let installation = with_mail()?;
    let file = installation.data().join("control.db");
    let cut = alter_sqlite(&file, "UPDATE outbox SET sealed = substr(sealed, 1, 40)")?;
    ensure!(cut == 1, "{cut} mails were cut");
    let old = listed(&installation, "active")?["id"].clone();
    let mut last = old.clone();
    for turn in 1..3 {
        let rotated = installation.run(["key", "rotate", "--sealing", "--json"])?;
        let rotated = answered(&rotated, 1)?;
        let sealing = &rotated["sealing"];
        ensure!(
            sealing["made"] == true && sealing["id"] != last,
            "{turn}: {rotated}"
        );
        ensure!(sealing["damaged"] == 1, "{rotated}");
        let values = &sealing["damaged_values"][0];
        ensure!(
            values["table"] == "outbox" && values["count"] == 1,
            "{rotated}"
        );
        ensure!(values["remedy"].is_string(), "{rotated}");
        ensure!(sealing["kept"] == json!([old]), "{rotated}");
        ensure!(sealing["old_gone_at"].is_null() == (turn == 1), "{rotated}");
        last = sealing["id"].clone();
    }
    let kept = listed(&installation, "retiring")?;
    ensure!(kept["id"] == old && kept["values"] == 1, "{kept}");
    ensure!(kept["until"].is_null(), "{kept}");
    let shown = installation.run(["key", "list"])?;
    ensure!(
        shown.stdout.contains("no date: 1 values name it"),
        "{shown:?}"
    );
    let told = installation.run(["key", "rotate", "--sealing"])?;
    for said in ["outbox.sealed: 1 - ", "stays for as long as values name it"] {
        ensure!(told.stdout.contains(said), "{told:?}");
    }
    Ok(())
}

/// The oldest sealing key in a state.
fn listed(installation: &Installation, state: &str) -> Result<Value> {
    let list = done(installation, &["key", "list"])?;
    let items = list["items"].as_array().context("no list")?;
    let found = items
        .iter()
        .find(|item| item["kind"] == "sealing" && item["state"] == state);
    found.cloned().context("no such key")
}

/// Lets the mail leave.
fn free(installation: &Installation) -> Result<()> {
    std::fs::remove_file(mail_folder(installation))?;
    crate::crash::free_mail(installation).map(drop)
}
