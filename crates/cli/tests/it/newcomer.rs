//! The whole path of somebody who has just installed the program, beside a running server.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::Installation;

use crate::acts::{self, all_is_well, answered, done, owner_arrives, setup_token, token};
use crate::http::Ask;
use crate::installation;

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

#[test]
fn a_newcomer_gets_everywhere() -> Result<()> {
    walk(&installation()?)
}

/// Everything in a row; each step stands on the ones before it.
pub(crate) fn walk(installation: &Installation) -> Result<()> {
    let running = installation.serve()?;
    let server = running.address()?;
    let root = an_admin_arrives(installation, server)?;
    let made = a_tenant_is_made(installation, server, &root)?;
    let ada = token(server, Some("acme"), ADA)?;
    it_is_suspended_and_resumed(installation, server, &ada)?;
    it_is_deleted_and_restored(installation, server, &ada)?;
    let ada = token(server, None, ADA)?;
    it_is_made_anew(installation, server, &ada)?;
    it_is_purged(installation, server, &made)?;
    workflows_tell_what_happened(installation)?;
    all_is_well(installation)
}

/// The platform admin follows the link that the command prints.
fn an_admin_arrives(installation: &Installation, server: SocketAddr) -> Result<String> {
    let ready = Ask::get("/readyz").send(server)?;
    ensure!(
        ready.status == 200 && ready.json()["status"] == "ready",
        "{ready:?}"
    );
    ensure!(
        Ask::get("/healthz").send(server)?.status == 200,
        "not alive"
    );
    let admin = done(
        installation,
        &["admin", "create", "--email", "root@example.com"],
    )?;
    let link = admin["setup_link"].as_str().context("no link")?;
    let set = acts::set_password(server, None, &setup_token(link)?)?;
    ensure!(set.status == 303, "{set:?}");
    let again = Ask::get(&format!("/setup/password/{}", setup_token(link)?)).send(server)?;
    ensure!(again.status == 400, "a used link opens: {again:?}");
    let root = token(server, None, "root@example.com")?;
    let admins = done(installation, &["admin", "list"])?;
    ensure!(admins["items"][0]["has_password"] == true, "{admins}");
    Ok(root)
}

/// A tenant, whose owner follows the link in the mail.
fn a_tenant_is_made(installation: &Installation, server: SocketAddr, root: &str) -> Result<Value> {
    let made = done(
        installation,
        &[
            "tenant",
            "create",
            "Acme Bakery",
            "--slug",
            "acme",
            "--owner-email",
            ADA,
        ],
    )?;
    ensure!(
        is_tenant(&made) && made["status"] == "active" && made["code"] == "TEN00001",
        "{made}"
    );
    owner_arrives(installation, server, "acme", ADA)?;
    let list = done(installation, &["tenant", "list"])?;
    ensure!(list["items"] == json!([made]), "{list}");
    ensure!(
        done(installation, &["tenant", "show", "acme"])? == made,
        "show differs from create"
    );
    let seen = Ask::get("/api/v1/tenants/acme")
        .bearer(root)
        .send(server)?
        .json();
    ensure!(seen == made, "the API shows {seen}");
    Ok(made)
}

/// The running server knows at once.
fn it_is_suspended_and_resumed(
    installation: &Installation,
    server: SocketAddr,
    ada: &str,
) -> Result<()> {
    let suspended = done(installation, &["tenant", "suspend", "acme"])?;
    ensure!(suspended["status"] == "suspended", "{suspended}");
    refused(
        &acts::sign_in(server, Some("acme"), ADA)?,
        503,
        "tenant_unavailable",
    )?;
    refused(
        &acts::sign_in(server, None, ADA)?,
        401,
        "invalid_credentials",
    )?;
    refused(&me(server, ada)?, 401, "session_stale")?;
    done(installation, &["tenant", "resume", "acme"])?;
    ensure!(me(server, ada)?.status == 200, "suspending lost something");
    Ok(())
}

/// It comes back under the next generation: what was handed out before stays void.
fn it_is_deleted_and_restored(
    installation: &Installation,
    server: SocketAddr,
    ada: &str,
) -> Result<()> {
    let deleted = done(installation, &["tenant", "delete", "acme", "--force"])?;
    // One session of following the link, one of signing in afterwards.
    ensure!(is_cleared(&deleted, 2), "{deleted}");
    refused(
        &acts::sign_in(server, Some("acme"), ADA)?,
        503,
        "tenant_unavailable",
    )?;
    refused(&me(server, ada)?, 401, "session_stale")?;
    let restored = done(installation, &["tenant", "restore", "acme"])?;
    ensure!(
        restored["generation"] == 2 && restored["status"] == "active",
        "{restored}"
    );
    let counts = restored["cache_keys_cleared"].is_u64() && restored["sessions_cleared"] == 0;
    ensure!(counts, "{restored}");
    refused(&me(server, ada)?, 401, "session_stale")
}

/// With nobody in it but its new owner.
fn it_is_made_anew(installation: &Installation, server: SocketAddr, ada: &str) -> Result<()> {
    for mail in acts::mails(installation)? {
        fs::remove_file(mail)?;
    }
    let anew = done(
        installation,
        &[
            "tenant",
            "recreate",
            "acme",
            "--force",
            "--owner-email",
            GRACE,
        ],
    )?;
    ensure!(is_cleared(&anew, 1), "{anew}");
    refused(&me(server, ada)?, 401, "session_stale")?;
    refused(
        &acts::sign_in(server, Some("acme"), ADA)?,
        401,
        "invalid_credentials",
    )?;
    crate::eventually("the mail is there", || Ok(acts::mails(installation)?.pop()))?;
    owner_arrives(installation, server, "acme", GRACE)?;
    ensure!(done(installation, &["tenant", "show", "acme"])?["generation"] == 3);
    all_is_well(installation)
}

/// Gone for good, and the slug is free again.
fn it_is_purged(installation: &Installation, server: SocketAddr, made: &Value) -> Result<()> {
    let purged = done(
        installation,
        &["tenant", "delete", "acme", "--purge", "--force"],
    )?;
    ensure!(is_cleared(&purged, 1), "{purged}");
    let gone = installation.run(["tenant", "show", "acme"])?;
    ensure!(gone.code == Some(3), "{gone:?}");
    refused(
        &acts::sign_in(server, Some("acme"), GRACE)?,
        404,
        "tenant_not_found",
    )?;
    let second = acts::make_tenant(installation, "acme", ADA)?;
    ensure!(
        second["code"] == "TEN00002" && second["id"] != made["id"],
        "{second}"
    );
    token(server, Some("acme"), ADA)?;
    Ok(())
}

fn me(server: SocketAddr, token: &str) -> Result<crate::http::Answer> {
    Ok(Ask::get("/api/v1/auth/me").bearer(token).send(server)?)
}

/// Whether an answer is this refusal, as problem details.
fn refused(answer: &crate::http::Answer, status: u16, code: &str) -> Result<()> {
    let problem = answer.header("content-type") == Some("application/problem+json");
    ensure!(
        answer.status == status && answer.code() == code && problem,
        "expected {status} {code}: {answer:?}"
    );
    Ok(())
}

fn workflows_tell_what_happened(installation: &Installation) -> Result<()> {
    let list = done(installation, &["workflow", "list"])?;
    let items = list["items"].as_array().context("no list")?;
    let kinds: Vec<&str> = items
        .iter()
        .filter_map(|run| run["kind"].as_str())
        .collect();
    ensure!(
        kinds == ["provision", "purge", "recreate", "restore", "provision"],
        "{kinds:?}"
    );
    for run in items {
        ensure!(run["state"] == "succeeded", "{run}");
        let id = run["id"].as_str().context("no id")?;
        let shown = done(installation, &["workflow", "show", id])?;
        let steps = shown["steps"].as_array().context("no steps")?;
        ensure!(
            steps.len() >= 8 && steps[0]["event"] == "started",
            "{shown}"
        );
        let retried = installation.run(["workflow", "retry", id, "--json"])?;
        ensure!(
            retried.code == Some(3) && retried.stderr.contains("\"conflict\""),
            "{retried:?}"
        );
    }
    Ok(())
}

/// Whether it has a tenant's fields.
fn is_tenant(value: &Value) -> bool {
    let database = &value["database"];
    [
        "id",
        "slug",
        "code",
        "name",
        "status",
        "isolation",
        "cluster",
        "created_at",
        "url",
    ]
    .iter()
    .all(|field| value[field].is_string())
        && value["generation"].is_i64()
        && value["domains"].is_array()
        && database["driver"].is_string()
        && database["name"].is_string()
        && ["host", "port"]
            .iter()
            .all(|field| database.get(field).is_some())
}

/// Whether it tells what was ended, in the shape that all such acts share.
fn is_cleared(value: &Value, sessions: i64) -> bool {
    value["tenants_processed"] == 1
        && value["cache_keys_cleared"].is_i64()
        && value["sessions_cleared"] == sessions
        && value["tenants"][0]["slug"] == "acme"
        && value["tenants"][0]["sessions_cleared"] == sessions
}

/// Without a server the commands do the same, and the mail leaves from the command.
#[test]
fn no_server_is_needed_to_make_tenants() -> Result<()> {
    let installation = installation()?;
    let args = [
        "tenant",
        "create",
        "Acme",
        "--slug",
        "acme",
        "--owner-email",
        ADA,
        "--json",
    ];
    answered(&installation.run(args)?, 0)?;
    ensure!(acts::mails(&installation)?.len() == 1, "no mail");
    let recreate = [
        "tenant",
        "recreate",
        "acme",
        "--force",
        "--owner-email",
        GRACE,
        "--json",
    ];
    answered(&installation.run(recreate)?, 0)?;
    ensure!(acts::mails(&installation)?.len() == 2, "no second mail");
    all_is_well(&installation)?;
    for file in ["control.db", "master.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(installation.data().join(file))?
            .permissions()
            .mode();
        ensure!(mode & 0o777 == 0o600, "{file} has mode {mode:o}");
    }
    Ok(())
}

/// Processes that start on an empty folder at the same moment agree on one set of keys and tables.
#[test]
fn several_may_begin_at_once() -> Result<()> {
    for _ in 0..4 {
        let installation = installation()?;
        let mut begun = Vec::new();
        for number in 0..6 {
            let email = format!("root{number}@example.com");
            begun.push(installation.start(["admin", "create", "--email", &email])?);
        }
        for process in begun {
            let ended = process.ended()?;
            ensure!(ended.code == Some(0), "{ended:?}");
        }
        let admins = done(&installation, &["admin", "list"])?;
        ensure!(
            admins["items"]
                .as_array()
                .is_some_and(|items| items.len() == 6),
            "{admins}"
        );
        ensure!(!installation.data().join("master.key.unfinished").exists());
    }
    Ok(())
}
