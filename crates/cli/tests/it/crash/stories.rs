//! The acts that are disturbed, and what must come of each.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::process::{Installation, alter_sqlite};

use super::{Door, Ground, Scene, Story, wait_for};
use crate::acts::{self, ADMIN};
use crate::http::Ask;
use crate::{PASSWORD, installation};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// An installation with a platform admin that takes up abandoned work after a second.
pub(super) fn with_admin(toml: &str) -> Result<Installation> {
    let mut installation = installation()?;
    installation
        .configure(&format!("{toml}\n[workflows]\nlease_seconds = 1\n"))?
        .set("TENANTRY_RATE_LIMITS", "off")
        .set("TENANTRY_LOG", "warn");
    acts::make_admin(&installation)?;
    Ok(installation)
}

/// One with its tenants there.
fn on(ground: Ground) -> Result<(Installation, Option<TestCluster>)> {
    let server = match ground {
        Ground::Files => None,
        Ground::Server => Some(wait_for(TestCluster::start())?),
    };
    let mut installation = with_admin("")?;
    if let Some(server) = &server {
        installation.set("TENANTRY_CLUSTER_URL", server.url());
    }
    Ok((installation, server))
}

/// Before everything: the installation, the server its tenants lie on, the platform admin's token.
struct Before {
    installation: Installation,
    server: Option<TestCluster>,
    admin: String,
    ada: String,
}

/// An installation with `acme`, whose owner is Ada, and her access token.
fn with_acme(ground: Ground) -> Result<Before> {
    let (installation, cluster) = on(ground)?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let server = installation.serve()?;
    let admin = acts::token(server.address()?, None, ADMIN)?;
    let ada = acts::token(server.address()?, Some("acme"), ADA)?;
    server.kill()?;
    Ok(Before {
        installation,
        server: cluster,
        admin,
        ada,
    })
}

pub(super) fn admin_token(installation: &Installation) -> Result<String> {
    let server = installation.serve()?;
    let token = acts::token(server.address()?, None, ADMIN)?;
    server.kill()?;
    Ok(token)
}

pub(super) fn provision(ground: Ground) -> Result<Story> {
    let (before, server) = on(ground)?;
    let admin = admin_token(&before)?;
    let body = json!({ "name": "Acme", "slug": "acme", "owner": { "email": ADA } });
    Ok(Story {
        kind: "provision",
        ask: Ask::post("/api/v1/tenants").bearer(&admin).json(&body),
        args: &[
            "tenant",
            "create",
            "Acme",
            "--slug",
            "acme",
            "--owner-email",
            ADA,
        ],
        before,
        admin,
        earlier: None,
        tell: provision,
        own: |_, _| true,
        server,
        visitor: ADA,
        welcome: 401,
        end: |scene| {
            is_active(&scene.tenant()?, 1)?;
            arrives(scene, ADA)?;
            databases(scene, 1)
        },
    })
}

/// A tenant that can't be made: the registry refuses to confirm the owner's directory entry, by a
/// trigger that stands for any damage, and everything is taken back.
fn refused(ground: Ground) -> Result<Story> {
    let (before, server) = on(ground)?;
    acts::make_tenant(&before, "holder", ADA)?;
    alter_sqlite(
        &before.data().join("control.db"),
        "CREATE TRIGGER no_second BEFORE UPDATE OF state ON directory
         WHEN EXISTS (SELECT 1 FROM directory d
                      WHERE d.address_hash = NEW.address_hash AND d.tenant_id <> NEW.tenant_id)
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )?;
    let admin = admin_token(&before)?;
    let body = json!({ "name": "Acme", "slug": "acme", "owner": { "email": ADA } });
    Ok(Story {
        kind: "provision",
        ask: Ask::post("/api/v1/tenants").bearer(&admin).json(&body),
        args: &[
            "tenant",
            "create",
            "Acme",
            "--slug",
            "acme",
            "--owner-email",
            ADA,
        ],
        before,
        admin,
        earlier: None,
        tell: refused,
        own: |_, event| event.starts_with("undo"),
        server,
        visitor: ADA,
        welcome: 200,
        end: |scene| {
            ensure!(
                scene.tenant()?.is_null(),
                "something is left: {}",
                scene.tenant()?
            );
            ensure!(scene.run()?["state"] == "undone", "{}", scene.run()?);
            ensure!(acts::mails(scene.installation)?.is_empty(), "a mail left");
            databases(scene, 1)?;
            is_active(&acts::make_tenant(scene.installation, "acme", GRACE)?, 1)?;
            let answer = acts::sign_in(scene.server, Some("acme"), GRACE)?;
            ensure!(answer.status == 200, "{answer:?}");
            Ok(())
        },
    })
}

fn recreate(ground: Ground) -> Result<Story> {
    let before = with_acme(ground)?;
    let body = json!({ "confirm": "acme", "owner": { "email": GRACE } });
    Ok(Story {
        kind: "recreate",
        ask: Ask::post("/api/v1/tenants/acme/recreate")
            .bearer(&before.admin)
            .json(&body),
        args: &[
            "tenant",
            "recreate",
            "acme",
            "--force",
            "--owner-email",
            GRACE,
        ],
        before: before.installation,
        admin: before.admin,
        earlier: Some(before.ada),
        tell: recreate,
        own: |step, _| step == "remove_previous",
        server: before.server,
        visitor: ADA,
        welcome: 401,
        end: |scene| {
            is_active(&scene.tenant()?, 2)?;
            arrives(scene, GRACE)?;
            databases(scene, 1)
        },
    })
}

fn restore(ground: Ground) -> Result<Story> {
    let before = with_acme(ground)?;
    acts::done(
        &before.installation,
        &["tenant", "delete", "acme", "--force"],
    )?;
    Ok(Story {
        kind: "restore",
        ask: Ask::post("/api/v1/tenants/acme/restore").bearer(&before.admin),
        args: &["tenant", "restore", "acme"],
        before: before.installation,
        admin: before.admin,
        earlier: Some(before.ada),
        tell: restore,
        own: |_, _| true,
        server: before.server,
        visitor: ADA,
        welcome: 200,
        end: |scene| {
            is_active(&scene.tenant()?, 2)?;
            ensure!(acts::mails(scene.installation)?.is_empty(), "a mail left");
            databases(scene, 1)
        },
    })
}

fn purge(ground: Ground) -> Result<Story> {
    let before = with_acme(ground)?;
    Ok(Story {
        kind: "purge",
        ask: Ask::delete("/api/v1/tenants/acme?confirm=acme&purge=true").bearer(&before.admin),
        args: &["tenant", "delete", "acme", "--purge", "--force"],
        before: before.installation,
        admin: before.admin,
        earlier: Some(before.ada),
        tell: purge,
        own: |_, _| true,
        server: before.server,
        visitor: ADA,
        welcome: 200,
        end: |scene| {
            ensure!(
                scene.tenant()?.is_null(),
                "something is left: {}",
                scene.tenant()?
            );
            databases(scene, 0)?;
            let again = acts::make_tenant(scene.installation, "acme", ADA)?;
            is_active(&again, 1)?;
            ensure!(
                again["code"] == "TEN00002",
                "a number is used again: {again}"
            );
            Ok(())
        },
    })
}

fn is_active(tenant: &Value, generation: i64) -> Result<()> {
    ensure!(
        tenant["status"] == "active" && tenant["generation"] == generation,
        "expected an active tenant of generation {generation}: {tenant}"
    );
    Ok(())
}

/// The new owner finds one mail, and gets in with it.
fn arrives(scene: &Scene<'_>, email: &str) -> Result<()> {
    crate::eventually("the mail is written", || {
        Ok((!acts::mails(scene.installation)?.is_empty()).then_some(()))
    })?;
    let token = acts::owner_arrives(scene.installation, scene.server, "acme", email)?;
    let me = Ask::get("/api/v1/auth/me")
        .at("acme")
        .bearer(&token)
        .send(scene.server)?;
    ensure!(me.json()["email"] == email, "{me:?}");
    Ok(())
}

/// So many databases, and each that of the registry's tenant.
fn databases(scene: &Scene<'_>, count: usize) -> Result<()> {
    let Some(server) = &scene.story.server else {
        return files(scene, count);
    };
    files(scene, 0)?;
    let found = wait_for(server.belongings())?;
    let (databases, others): (Vec<&String>, Vec<&String>) = found
        .iter()
        .partition(|thing| thing.starts_with("database "));
    let whole = databases.len() == count && others.iter().all(|thing| thing.starts_with("role "));
    let stem = |database: &str| format!("role {}_", database.trim_start_matches("database "));
    let owned = others.iter().all(|role| {
        databases
            .iter()
            .any(|database| role.starts_with(&stem(database)))
    });
    ensure!(whole && owned, "expected {count} databases: {found:?}");
    Ok(())
}

/// So many database files, and each that of the registry's tenant.
fn files(scene: &Scene<'_>, count: usize) -> Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(scene.installation.data().join("tenants"))? {
        let name = entry?
            .file_name()
            .into_string()
            .ok()
            .context("a strange name")?;
        if Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "db")
        {
            names.push(name);
        }
    }
    ensure!(
        names.len() == count,
        "expected {count} databases: {names:?}"
    );
    if let (Some(name), [file]) = (scene.tenant()?["database"]["name"].as_str(), &*names) {
        ensure!(*file == format!("{name}.db"), "{file} is not {name}");
    }
    Ok(())
}

macro_rules! killed {
    ($($name:ident: $story:ident on $ground:ident by $door:ident;)+) => {
        $(#[test]
        fn $name() -> Result<()> {
            $story(Ground::$ground)?.survives_every_moment(Door::$door)
        })+
    };
}

killed! {
    provisioning_survives_the_server: provision on Files by Server;
    provisioning_survives_the_command: provision on Files by Command;
    undoing_survives_the_server: refused on Files by Server;
    undoing_survives_the_command: refused on Files by Command;
    recreating_survives_the_server: recreate on Files by Server;
    recreating_survives_the_command: recreate on Files by Command;
    restoring_survives_the_server: restore on Files by Server;
    restoring_survives_the_command: restore on Files by Command;
    purging_survives_the_server: purge on Files by Server;
    purging_survives_the_command: purge on Files by Command;
    provisioning_on_a_server_survives_ours: provision on Server by Server;
    undoing_on_a_server_survives_ours: refused on Server by Server;
    recreating_on_a_server_survives_ours: recreate on Server by Server;
    restoring_on_a_server_survives_ours: restore on Server by Server;
    purging_on_a_server_survives_ours: purge on Server by Server;
}

/// A password is never needed where a link is mailed, and the other way round.
#[test]
fn an_owner_with_a_password_gets_no_mail() -> Result<()> {
    let installation = with_admin("")?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let server = installation.serve()?;
    let answer = acts::sign_in_with(server.address()?, Some("acme"), ADA, PASSWORD)?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(acts::mails(&installation)?.is_empty(), "a mail left");
    Ok(())
}
