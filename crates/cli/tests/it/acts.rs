//! What people do, in the words of the tests: over the command line, the API and the pages.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::{Ended, Installation};

use crate::PASSWORD;
use crate::http::{Answer, Ask};

/// The address of the platform admin.
pub(crate) const ADMIN: &str = "root@example.com";

/// Runs a command that must do what it was asked, and gives its JSON.
pub(crate) fn done(installation: &Installation, args: &[&str]) -> Result<Value> {
    answered(&installation.run(args.iter().chain(&["--json"]))?, 0)
        .with_context(|| format!("tenantry {}", args.join(" ")))
}

/// The JSON document that a command printed, which must have ended with this code.
pub(crate) fn answered(ended: &Ended, code: i32) -> Result<Value> {
    ensure!(ended.code == Some(code), "expected {code}: {ended:?}");
    serde_json::from_str(&ended.stdout).with_context(|| format!("no JSON document: {ended:?}"))
}

/// Makes the platform admin, by the command line.
pub(crate) fn make_admin(installation: &Installation) -> Result<()> {
    let args = ["admin", "create", "--email", ADMIN, "--password-stdin"];
    let made = installation.run_with_input(args, &format!("{PASSWORD}\n"))?;
    ensure!(made.code == Some(0), "{made:?}");
    Ok(())
}

/// Makes a tenant whose owner has the password already, by the command line.
pub(crate) fn make_tenant(installation: &Installation, slug: &str, owner: &str) -> Result<Value> {
    let args = [
        "tenant",
        "create",
        "Acme Bakery",
        "--slug",
        slug,
        "--owner-email",
        owner,
        "--owner-password-stdin",
        "--json",
    ];
    answered(
        &installation.run_with_input(args, &format!("{PASSWORD}\n"))?,
        0,
    )
}

/// Tries to sign in by the API, at a tenant's host or, without one, at the platform's.
pub(crate) fn sign_in(server: SocketAddr, slug: Option<&str>, email: &str) -> Result<Answer> {
    sign_in_with(server, slug, email, PASSWORD)
}

/// The same with this password.
pub(crate) fn sign_in_with(
    server: SocketAddr,
    slug: Option<&str>,
    email: &str,
    password: &str,
) -> Result<Answer> {
    let ask =
        Ask::post("/api/v1/auth/login").json(&json!({ "email": email, "password": password }));
    Ok(slug.map_or(ask.clone(), |slug| ask.at(slug)).send(server)?)
}

/// Signs in by the API, and gives the access token.
pub(crate) fn token(server: SocketAddr, slug: Option<&str>, email: &str) -> Result<String> {
    let answer = sign_in(server, slug, email)?;
    ensure!(answer.status == 200, "{email} can't sign in: {answer:?}");
    let token = answer.json()["access_token"].as_str().map(str::to_owned);
    token.context("no access token")
}

/// The mails that were written to files, in their order.
pub(crate) fn mails(installation: &Installation) -> Result<Vec<PathBuf>> {
    let folder = installation.data().join("mail");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    Ok(files)
}

/// The token of the setup link in a mail.
pub(crate) fn setup_token(mail: &str) -> Result<String> {
    let (_, rest) = mail
        .split_once("/setup/password/")
        .with_context(|| format!("no setup link in {mail}"))?;
    let token: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    Ok(token)
}

/// What a page's form is to be sent back with.
pub(crate) fn csrf_token(page: &Answer) -> Result<&str> {
    let marker = "name=\"csrf_token\" value=\"";
    let (_, rest) = page
        .body
        .split_once(marker)
        .context("a form without a token")?;
    Ok(rest.split('"').next().unwrap_or_default())
}

/// Opens a setup link at a host and sends its form.
pub(crate) fn set_password(server: SocketAddr, slug: Option<&str>, token: &str) -> Result<Answer> {
    let at = |ask: Ask| slug.map_or(ask.clone(), |slug| ask.at(slug));
    let path = format!("/setup/password/{token}");
    let page = at(Ask::get(&path)).send(server)?;
    ensure!(page.status == 200, "the setup page: {page:?}");
    let csrf = csrf_token(&page)?;
    let form = Ask::post(&path)
        .header("Cookie", &page.cookies())
        .form(&[("csrf_token", csrf), ("password", PASSWORD)]);
    Ok(at(form).send(server)?)
}

/// Has the owner of a fresh tenant follow the one mailed link and sign in; the access token.
pub(crate) fn owner_arrives(
    installation: &Installation,
    server: SocketAddr,
    slug: &str,
    email: &str,
) -> Result<String> {
    let mails = mails(installation)?;
    ensure!(mails.len() == 1, "exactly one mail, not {mails:?}");
    let mail = fs::read_to_string(&mails[0])?;
    ensure!(mail.contains(email), "the mail is not to {email}: {mail}");
    let answer = set_password(server, Some(slug), &setup_token(&mail)?)?;
    ensure!(answer.status == 303, "the password is not set: {answer:?}");
    token(server, Some(slug), email)
}

/// Whether a check of everything finds nothing.
pub(crate) fn all_is_well(installation: &Installation) -> Result<()> {
    let report = done(installation, &["tenant", "check"])?;
    ensure!(
        report["healthy"] == true && report["findings"] == json!([]),
        "the check finds {report}"
    );
    Ok(())
}
