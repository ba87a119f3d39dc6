//! Secrets that are planted, and looked for wherever they must not be.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tenantry_testkit::process::Installation;

use crate::acts::{self, ADMIN, done, setup_token};
use crate::http::Ask;
use crate::{PASSWORD, eventually, installation};

const ADA: &str = "ada@example.com";
const KEY: &str = "c2VjcmV0LW1hc3Rlci1rZXktb2YtMzItb2N0ZXRzISE=";
const SMTP: &str = "planted-smtp-password";
const DATABASE: &str = "planted-database-password";

/// None of the secrets is in the text.
fn clean(place: &str, text: &str, secrets: &[&str]) -> Result<()> {
    for secret in secrets {
        ensure!(!secret.is_empty(), "an empty secret is in everything");
        if let Some(at) = text.find(secret) {
            let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
            anyhow::bail!(
                "{place} tells {secret}: {}",
                &text[start..at + secret.len()]
            );
        }
    }
    Ok(())
}

/// Every file below a folder, as text; what is no text is good enough to search in.
fn clean_files(folder: &Path, look: &impl Fn(&str, &str) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            clean_files(&path, look)?;
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            look(&path.display().to_string(), &text)?;
        }
    }
    Ok(())
}

/// What devices, PINs and one-time codes were used with.
struct StaffsSecrets {
    device: String,
    /// Six digits each, which are no secret as a part of a longer number or of a time.
    digits: Vec<String>,
}

impl StaffsSecrets {
    fn clean(&self, place: &str, text: &str) -> Result<()> {
        clean(place, text, &[&self.device])?;
        let in_a_number =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        for digits in &self.digits {
            for (at, _) in text.match_indices(digits.as_str()) {
                let before = in_a_number(text[..at].chars().next_back());
                let after = in_a_number(text[at + digits.len()..].chars().next());
                ensure!(before || after, "{place} tells {digits}");
            }
        }
        Ok(())
    }
}

const PIN: &str = "480216";
const GUESSED_PIN: &str = "739152";

/// Signs in with a PIN on a device and shows a one-time code; what it was done with.
fn staffs_secrets(
    installation: &Installation,
    address: SocketAddr,
    admin: &str,
) -> Result<StaffsSecrets> {
    // Platform admins have no devices: the owner enrols one.
    let refused = Ask::post("/api/v1/devices").bearer(admin);
    let refused = refused.json(&json!({ "name": "Till" })).send(address)?;
    ensure!(refused.status == 403, "{refused:?}");
    let owner = acts::sign_in(address, Some("acme"), ADA)?.json();
    let (access, id) = (&owner["access_token"], &owner["user"]["id"]);
    let access = access.as_str().context("no token")?;
    let id = id.as_str().context("no id")?;
    let enrolled = Ask::post("/api/v1/devices")
        .bearer(access)
        .header("Idempotency-Key", "till-1")
        .json(&json!({ "name": "Till" }))
        .send(address)?;
    ensure!(enrolled.status == 201, "{enrolled:?}");
    let device = enrolled.json()["device_token"].as_str().map(str::to_owned);
    let device = device.context("no device's token")?;
    let set = Ask::post(&format!("/api/v1/users/{id}/pin"))
        .bearer(access)
        .json(&json!({ "pin": PIN }))
        .send(address)?;
    ensure!(set.status == 200, "{set:?}");
    for (pin, status) in [(GUESSED_PIN, 401), (PIN, 200)] {
        let body = json!({ "email": ADA, "pin": pin, "device_token": device });
        let signed_in = Ask::post("/api/v1/auth/login/pin").json(&body);
        let signed_in = signed_in.send(address)?;
        ensure!(signed_in.status == status, "{signed_in:?}");
    }
    let before = acts::mails(installation)?.len();
    let asked = Ask::post("/api/v1/auth/password-reset/request-otp").at("acme");
    let asked = asked.json(&json!({ "email": ADA })).send(address)?;
    ensure!(asked.status == 200, "{asked:?}");
    let code = eventually("the code is mailed", || {
        let mails = acts::mails(installation)?;
        if mails.len() == before {
            return Ok(None);
        }
        let mut codes = Vec::new();
        for mail in mails {
            codes.extend(code_in(&fs::read_to_string(mail)?));
        }
        Ok(codes.pop())
    })?;
    let shown = Ask::post("/api/v1/auth/password-reset/verify-otp").at("acme");
    let shown = shown.json(&json!({ "email": ADA, "otp": code }));
    let shown = shown.send(address)?;
    ensure!(shown.status == 200, "{shown:?}");
    Ok(StaffsSecrets {
        device,
        digits: vec![PIN.to_owned(), GUESSED_PIN.to_owned(), code],
    })
}

/// The code in a mail: six digits at the end of a line that names the tenant's host.
fn code_in(mail: &str) -> Option<String> {
    mail.lines().find_map(|line| {
        let (_, code) = line.trim_end().rsplit_once("): ")?;
        let is_code = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
        is_code.then(|| code.to_owned())
    })
}

#[test]
fn no_log_tells_a_secret_however_much_it_tells() -> Result<()> {
    let mut installation = installation()?;
    // Read from the mail files first; afterwards the server is begun anew with a mail server that
    // is not there, so that every path with a password in it is walked.
    installation
        .set("TENANTRY_MASTER_KEY", KEY)
        .set("TENANTRY_LOG", "trace");
    let mut told = String::new();
    let args = ["admin", "create", "--email", ADMIN, "--password-stdin"];
    told += &installation
        .run_with_input(args, &format!("{PASSWORD}\n"))?
        .stderr;
    let server = installation.serve()?;
    let address = server.address()?;
    let admin = acts::token(address, None, ADMIN)?;
    let body = json!({ "name": "Acme", "slug": "acme", "owner": { "email": ADA } });
    let made = Ask::post("/api/v1/tenants")
        .bearer(&admin)
        .json(&body)
        .send(address)?;
    ensure!(made.status == 201, "{made:?}");
    let mail = eventually("the mail is written", || {
        Ok(acts::mails(&installation)?.pop())
    })?;
    let setup = setup_token(&fs::read_to_string(&mail)?)?;
    acts::owner_arrives(&installation, address, "acme", ADA)?;
    let login = acts::sign_in(address, Some("acme"), ADA)?.json();
    let access = login["access_token"].as_str().context("no token")?;
    let refresh = login["refresh_token"].as_str().context("no token")?;
    let wrong = acts::sign_in_with(address, Some("acme"), ADA, "planted-wrong-password")?;
    ensure!(wrong.status == 401, "{wrong:?}");
    let renewed = Ask::post("/api/v1/auth/refresh")
        .json(&json!({ "refresh_token": refresh }))
        .send(address)?;
    ensure!(renewed.status == 200, "{renewed:?}");
    let staffs = staffs_secrets(&installation, address, &admin)?;
    let ended = server.kill()?;
    told += &ended.stderr;
    told += &ended.stdout;

    installation.set(
        "TENANTRY_SMTP_URL",
        format!("smtp://mailer:{SMTP}@127.0.0.1:1"),
    );
    let server = installation.serve()?;
    let address = server.address()?;
    let body = json!({ "name": "Bell", "slug": "bell", "owner": { "email": ADA } });
    let made = Ask::post("/api/v1/tenants")
        .bearer(&admin)
        .json(&body)
        .send(address)?;
    ensure!(made.status == 201, "{made:?}");
    server.says("a mail could not be handed over")?;
    Ask::get("/readyz").send(address)?;
    told += &installation.run(["doctor"])?.stdout;
    told += &installation.run(["tenant", "check"])?.stderr;
    told += &server.kill()?.stderr;

    ensure!(
        told.contains("INSERT INTO"),
        "the log does not even tell statements"
    );
    let secrets = [
        KEY,
        SMTP,
        PASSWORD,
        "planted-wrong-password",
        &setup,
        access,
        refresh,
        &admin,
        "$argon2",
    ];
    clean("the log", &told, &secrets)?;
    staffs.clean("the log", &told)?;

    // On the disk a hash is kept, and mails hold links; nothing else tells anything.
    for mail in acts::mails(&installation)? {
        fs::remove_file(mail)?;
    }
    let kept = [
        KEY,
        SMTP,
        PASSWORD,
        "planted-wrong-password",
        &setup,
        access,
        refresh,
    ];
    clean_files(&installation.data(), &|place, text| {
        clean(place, text, &kept)?;
        staffs.clean(place, text)
    })?;
    // The control database knows no address of anybody in a tenant, only keyed hashes.
    for name in ["control.db", "control.db-wal"] {
        let control = fs::read(installation.data().join(name))?;
        clean(name, &String::from_utf8_lossy(&control), &[ADA])?;
    }
    Ok(())
}

#[test]
fn settings_are_shown_without_secrets() -> Result<()> {
    let mut installation = installation()?;
    installation.set("TENANTRY_MASTER_KEY", KEY).set(
        "TENANTRY_SMTP_URL",
        format!("smtp://mailer:{SMTP}@mail.example"),
    );
    for control in [
        format!("postgres://tenantry:{DATABASE}@db.example/control"),
        format!("postgres://db.example/control?user=tenantry&password={DATABASE}"),
        format!("postgres://tenantry:{DATABASE} with a space@db.example:port/control"),
        format!("postgresql://tenantry:{DATABASE}@[::1/control"),
    ] {
        installation.set("TENANTRY_CONTROL_URL", &control);
        for args in [
            &["config"][..],
            &["config", "--json"],
            &["config", "--help"],
        ] {
            let ended = installation.run(args)?;
            ensure!(ended.code == Some(0), "{ended:?}");
            let said = ended.stdout + &ended.stderr;
            clean(&format!("{args:?}"), &said, &[KEY, SMTP, DATABASE])?;
        }
    }
    let config = done(&installation, &["config"])?;
    ensure!(
        config["smtp_url"] == "smtp://mailer:********@mail.example",
        "{config}"
    );
    ensure!(config["master_key"] == "********", "{config}");
    Ok(())
}

#[test]
fn a_database_that_refuses_is_told_without_its_password() -> Result<()> {
    let mut installation = installation()?;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    installation.set("TENANTRY_LOG", "trace");
    for control in [
        format!("postgres://tenantry:{DATABASE}@{nobody}/control"),
        format!("postgres://tenantry:{DATABASE} with a space@db.example:port/control"),
    ] {
        installation.set("TENANTRY_CONTROL_URL", &control);
        for args in [&["tenant", "list"][..], &["doctor"]] {
            let ended = installation.run(args)?;
            ensure!(matches!(ended.code, Some(1 | 3)), "{ended:?}");
            let said = ended.stdout + &ended.stderr;
            ensure!(said.contains("TENANTRY_CONTROL_URL"), "{said}");
            clean(&format!("{args:?}"), &said, &[DATABASE])?;
        }
    }
    Ok(())
}
