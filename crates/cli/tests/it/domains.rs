//! `tenantry tenant domain` with a real name server, and `tenantry application` beside a running
//! server.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::dns::NameServer;
use tenantry_testkit::process::Installation;
use tenantry_testkit::service::link_token;

use crate::acts::{self, answered, done};
use crate::http::Ask;
use crate::{eventually, installation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_is_proven_on_the_command_line() -> Result<()> {
    let names = NameServer::start().await?;
    let mut installation = installation()?;
    let setting = format!("[domains]\nresolver = \"{}\"\n", names.address());
    installation.configure(&setting)?;
    acts::make_tenant(&installation, "acme", "ada@example.com")?;
    let domain = |args: &[&str], code: i32| -> Result<Value> {
        let mut all = vec!["--json", "tenant", "domain"];
        all.extend(args);
        answered(&installation.run(all)?, code)
    };
    let added = domain(&["add", "acme", "Shop.example"], 0)?;
    let record = &added["publish"]["record"];
    ensure!(record == "_tenantry.shop.example", "{added}");
    let unproven = domain(&["verify", "acme", "shop.example"], 1)?;
    ensure!(unproven["problem"] == "missing", "{unproven}");
    let value = added["publish"]["value"].as_str().context("no value")?;
    names.publish("_tenantry.shop.example", &[value]);
    let proven = domain(&["verify", "acme", "shop.example"], 0)?;
    ensure!(proven["verified"] == true, "{proven}");
    let listed = domain(&["list", "acme"], 0)?;
    ensure!(listed["items"] == json!([proven]), "{listed}");
    let shown = installation.run(["tenant", "domain", "list", "acme"])?;
    ensure!(shown.stdout.contains("shop.example"), "{shown:?}");
    let told = installation.run(["tenant", "domain", "add", "acme", "b.example"])?;
    ensure!(told.stdout.contains("_tenantry.b.example"), "{told:?}");
    for (args, code) in [
        (&["add", "acme", "gmail.com", "--kind", "email"][..], 3),
        (&["add", "acme", "a.example", "--kind", "web"], 2),
        (&["add", "nobody-here", "a.example"], 3),
        (&["remove", "acme", "nothing.example"], 3),
    ] {
        let mut all = vec!["tenant", "domain"];
        all.extend(args);
        let refused = installation.run(all)?;
        ensure!(refused.code == Some(code), "{args:?}: {refused:?}");
    }
    domain(&["remove", "acme", "shop.example"], 0)?;
    let tenant = done(&installation, &["tenant", "show", "acme"])?;
    ensure!(tenant["domains"] == json!([]), "{tenant}");
    ensure!(
        tenant["unproven_domains"] == json!(["b.example"]),
        "{tenant}"
    );
    Ok(())
}

/// The token in the confirmation that the running server mailed to an address.
fn token_for(installation: &Installation, email: &str) -> Result<String> {
    eventually("the mail is there", || {
        for path in acts::mails(installation)? {
            let mail = fs::read_to_string(path)?;
            if mail.contains(email)
                && let Some(token) = link_token(&mail, "/signup/")
            {
                return Ok(Some(token));
            }
        }
        Ok(None)
    })
}

#[test]
fn applications_are_decided_on_the_command_line() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("[tenants]\nsignup = \"apply\"\n")?;
    let server = installation.serve()?;
    let all = "/api/v1/tenant-applications";
    for slug in ["acme", "globex"] {
        let email = format!("owner@{slug}.example");
        let body = json!({ "name": slug, "slug": slug, "email": email });
        let asked = Ask::post(all).json(&body).send(server.address()?)?;
        ensure!(asked.status == 202, "{asked:?}");
        let body = json!({ "token": token_for(&installation, &email)? });
        let confirm = Ask::post(&format!("{all}/confirm")).json(&body);
        let confirmed = confirm.send(server.address()?)?;
        ensure!(confirmed.status == 200, "{confirmed:?}");
    }
    let list = ["application", "list", "--state", "pending"];
    let waiting = done(&installation, &list)?;
    let id = |place: usize| waiting["items"][place]["id"].as_str().unwrap_or_default();
    let approve = ["application", "approve", id(1), "--slug", "acme-two"];
    let made = done(&installation, &approve)?;
    ensure!(made["slug"] == "acme-two", "{made}");
    let reject = ["application", "reject", id(0), "--reason", "no room"];
    let rejected = done(&installation, &reject)?;
    ensure!(rejected["reason"] == "no room", "{rejected}");
    let again = installation.run(["application", "approve", id(0)])?;
    ensure!(again.code == Some(3), "{again:?}");
    let listed = done(&installation, &list)?;
    ensure!(listed["items"] == json!([]), "{listed}");
    Ok(())
}
