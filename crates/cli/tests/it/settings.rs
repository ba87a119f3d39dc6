//! Settings: where they come from, which one wins, and what a wrong one says.

use std::fs;
use std::net::TcpListener;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tenantry_testkit::process::{Ended, Installation};

use crate::acts::{self, done};
use crate::http::Ask;
use crate::installation;

const ADA: &str = "ada@example.com";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A start that was stopped: code 3, one line, which names the setting.
fn names(ended: &Ended, setting: &str) -> Result<()> {
    ensure!(
        ended.code == Some(3) && ended.stdout.is_empty(),
        "{ended:?}"
    );
    ensure!(
        ended.stderr.lines().count() == 1 && ended.stderr.starts_with("error: "),
        "not one line: {ended:?}"
    );
    ensure!(
        ended.stderr.contains(setting),
        "{setting} is not named: {ended:?}"
    );
    Ok(())
}

#[test]
fn every_name_of_the_environment_works() -> Result<()> {
    let mut installation = installation()?;
    let folder = installation.scratch().join("elsewhere");
    let control = format!("sqlite:{}/x.db", folder.display());
    for (name, value, field, shown) in [
        (
            "TENANTRY_BIND",
            "127.0.0.1:8123",
            "bind",
            json!("127.0.0.1:8123"),
        ),
        (
            "TENANTRY_PUBLIC_URL",
            "https://id.example",
            "public_url",
            json!("https://id.example/"),
        ),
        (
            "TENANTRY_BASE_DOMAIN",
            "id.example",
            "base_domain",
            json!("id.example"),
        ),
        (
            "TENANTRY_CONTROL_URL",
            &control,
            "control_url",
            json!(control),
        ),
        ("TENANTRY_SESSIONS", "file", "sessions", json!("file")),
        (
            "TENANTRY_REDIS_URL",
            "redis://:secret@127.0.0.1:6379/0",
            "redis_url",
            json!("redis://:********@127.0.0.1:6379/0"),
        ),
        (
            "TENANTRY_SMTP_URL",
            "smtp://[::1]:2525",
            "smtp_url",
            json!("smtp://[::1]:2525"),
        ),
        ("TENANTRY_MASTER_KEY", KEY, "master_key", json!("********")),
        (
            "TENANTRY_EMAIL_UNIQUENESS",
            "global",
            "email_uniqueness",
            json!("global"),
        ),
        ("TENANTRY_RATE_LIMITS", "off", "rate_limits", json!(false)),
        (
            "TENANTRY_LOG",
            "warn,tenantry_web=debug",
            "log",
            json!("warn,tenantry_web=debug"),
        ),
        (
            "TENANTRY_DATA_DIR",
            &folder.display().to_string(),
            "data_dir",
            json!(folder.display().to_string()),
        ),
    ] {
        let before = done(&installation, &["config"])?;
        ensure!(before[field] != shown, "{name} shows nothing: {before}");
        let (kept, bind) = (installation.data(), "127.0.0.1:0");
        installation.set(name, value);
        let config = done(&installation, &["config"])?;
        ensure!(
            config[field] == shown,
            "{name}={value} is not seen: {config}"
        );
        installation
            .unset(name)
            .set("TENANTRY_DATA_DIR", kept)
            .set("TENANTRY_BIND", bind);
    }
    ensure!(
        !folder.exists() && !installation.data().exists(),
        "`config` makes something"
    );
    // A server works with all of them at once.
    installation
        .set("TENANTRY_MASTER_KEY", KEY)
        .set("TENANTRY_CONTROL_URL", &control)
        .set("TENANTRY_PUBLIC_URL", "https://id.example")
        .set("TENANTRY_BASE_DOMAIN", "id.example")
        .set("TENANTRY_LOG", "off");
    let server = installation.serve()?;
    let ready = Ask::get("/readyz")
        .header("X-Forwarded-Host", "x")
        .send(server.address()?)?;
    ensure!(ready.status == 200, "{ready:?}");
    let made = acts::make_tenant(&installation, "acme", ADA)?;
    ensure!(made["url"] == "https://acme.id.example/", "{made}");
    ensure!(folder.join("x.db").exists() && !installation.data().join("master.key").exists());
    ensure!(!server.stderr().contains("INFO"), "{}", server.stderr());
    Ok(())
}

#[test]
fn the_defaults_are_the_contracts() -> Result<()> {
    let mut installation = installation()?;
    installation
        .unset("TENANTRY_BIND")
        .unset("TENANTRY_DATA_DIR");
    let config = done(&installation, &["config"])?;
    for (field, value) in [
        ("bind", json!("127.0.0.1:8000")),
        ("public_url", json!("http://localhost:8000/")),
        ("base_domain", json!("localhost")),
        ("data_dir", json!("./data")),
        ("sessions", json!("database")),
        ("smtp_url", Value::Null),
        ("email_uniqueness", json!("per_tenant")),
        ("rate_limits", json!(true)),
        ("log", json!("info")),
        ("code_prefix", json!("TEN")),
        ("sessions_per_user", json!(0)),
        ("sessions_member_hours", json!(168)),
        ("sessions_admin_idle_minutes", json!(60)),
        ("sessions_platform_admin_idle_minutes", json!(15)),
    ] {
        ensure!(config[field] == value, "{field}: {config}");
    }
    Ok(())
}

/// Whoever tries it out has receivers of notices beside it; one that serves others keeps them apart
/// from what lies inside.
#[test]
fn receivers_may_be_at_home_where_the_server_is() -> Result<()> {
    let mut installation = installation()?;
    let allowed = |installation: &Installation| -> Result<(Value, Value)> {
        let config = done(installation, &["config"])?;
        let field = |name: &str| config[name].clone();
        Ok((
            field("webhooks_allow_http"),
            field("webhooks_allow_private"),
        ))
    };
    ensure!(allowed(&installation)? == (json!(true), json!(true)));
    for (url, home) in [
        ("http://id.localhost:8000", true),
        ("http://127.0.0.1:8000", true),
        ("https://id.example", false),
        ("http://10.0.0.1", false),
    ] {
        installation.set("TENANTRY_PUBLIC_URL", url);
        ensure!(
            allowed(&installation)? == (json!(home), json!(home)),
            "{url}"
        );
    }
    installation.configure("[webhooks]\nallow_http = true\n")?;
    ensure!(allowed(&installation)? == (json!(true), json!(false)));
    installation.configure("[webhooks]\nallow_private = true\n")?;
    ensure!(allowed(&installation)? == (json!(false), json!(true)));
    Ok(())
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() -> Result<()> {
    let mut installation = installation()?;
    installation.configure("base_domain = \"file.example\"\nrate_limits = \"off\"\n")?;
    let domain = |installation: &Installation, flags: &[&str]| -> Result<Value> {
        let args = [flags, &["config"]].concat();
        Ok(done(installation, &args)?["base_domain"].clone())
    };
    ensure!(domain(&installation, &[])? == "file.example");
    installation.set("TENANTRY_BASE_DOMAIN", "environment.example");
    ensure!(domain(&installation, &[])? == "environment.example");
    ensure!(domain(&installation, &["--base-domain", "flag.example"])? == "flag.example");
    ensure!(
        done(&installation, &["config"])?["rate_limits"] == false,
        "the file is not read"
    );
    // A flag for the file itself wins over its variable too.
    let other = installation.scratch().join("other.toml");
    fs::write(&other, "rate_limits = \"on\"\n")?;
    let other = other.display().to_string();
    let config = done(&installation, &["config", "--config", &other])?;
    ensure!(config["rate_limits"] == true, "{config}");
    Ok(())
}

#[test]
fn a_wrong_value_stops_the_start_and_makes_nothing() -> Result<()> {
    let mut installation = installation()?;
    for (name, values) in [
        (
            "TENANTRY_BIND",
            &["here", "127.0.0.1", "127.0.0.1:99999", ""][..],
        ),
        (
            "TENANTRY_PUBLIC_URL",
            &[
                "here",
                "ftp://x",
                "http://",
                "http://x/y",
                "http://u:p@x",
                "http://x?y",
            ],
        ),
        (
            "TENANTRY_BASE_DOMAIN",
            &["Upper.example", "a..b", "a b", "http://x", ""],
        ),
        (
            "TENANTRY_CONTROL_URL",
            &["mysql://x/y", "control.db", "sqlite:", ""],
        ),
        // Sessions in Redis need one.
        ("TENANTRY_SESSIONS", &["cookies", "redis", "Database", ""]),
        (
            "TENANTRY_REDIS_URL",
            &[
                "127.0.0.1:6379",
                "http://x",
                "redis://",
                "redis://x/#insecure",
            ],
        ),
        (
            "TENANTRY_SMTP_URL",
            &["mail.example", "http://x", "smtp://x?y=z", "smtp://u@x"],
        ),
        ("TENANTRY_MASTER_KEY", &["short", "!", "QUJD"]),
        ("TENANTRY_EMAIL_UNIQUENESS", &["everywhere", "Global"]),
        ("TENANTRY_RATE_LIMITS", &["yes", "ON"]),
        ("TENANTRY_LOG", &["a=b=c", "tenantry=loud"]),
        ("TENANTRY_CONFIG", &["/nowhere/tenantry.toml", "/"]),
    ] {
        for value in values {
            installation.set(name, value);
            for args in [&["serve"][..], &["tenant", "list"], &["config"]] {
                names(&installation.run(args)?, name)
                    .with_context(|| format!("{name}={value:?} {args:?}"))?;
            }
        }
        installation.unset(name);
        if name == "TENANTRY_BIND" {
            installation.set(name, "127.0.0.1:0");
        }
    }
    ensure!(
        !installation.data().exists(),
        "a refused start made the data folder"
    );
    Ok(())
}

#[test]
fn a_wrong_file_is_told_with_line_and_key() -> Result<()> {
    let mut installation = installation()?;
    for (toml, told) in [
        ("colour = \"red\"", "line 1, colour"),
        ("\n\n[workflows]\nlease_secs = 4", "line 4, lease_secs"),
        (
            "[workflows]\nlease_seconds = \"long\"",
            "line 2, lease_seconds",
        ),
        ("[hashing]\nthreads = -1", "line 2, threads"),
        ("[webhooks]\nallow_private = 1", "line 2, allow_private"),
        (
            "[http]\ntrusted_proxies = [\"proxy\"]",
            "line 2, trusted_proxies",
        ),
        ("[mail]\nlocale = \"fr\"", "line 2, locale"),
        ("log_format = \"xml\"", "line 1, log_format"),
        ("bind = \"here\"", "TENANTRY_BIND"),
        ("bind = ", "line 1, bind"),
        ("[mail]\nfrom = \"nobody\"", "mail.from"),
        ("[tenants]\ncode_prefix = \"ten\"", "tenants.code_prefix"),
        ("[tenants]\ncode_prefix = \"\"", "tenants.code_prefix"),
        ("[passwords]\nmin = 1", "passwords.min"),
        ("[passwords]\nmin = 100\nmax = 64", "passwords.max"),
        ("[hashing]\nthreads = 0", "hashing.threads"),
        ("[hashing]\nthreads = 99999999", "hashing.threads"),
        ("[databases]\nopen = 0", "databases.open"),
        (
            "[credentials]\ndrain_seconds = 0",
            "credentials.drain_seconds",
        ),
        (
            "[credentials]\nrotate_days = 4000",
            "credentials.rotate_days",
        ),
        (
            "[credentials]\nservice_rotate_days = 9000000000000000000",
            "credentials.service_rotate_days",
        ),
        ("[workflows]\nlease_seconds = 0", "workflows.lease_seconds"),
        (
            "[workflows]\nlease_seconds = 9000000000000000000",
            "workflows.lease_seconds",
        ),
        ("master_key = \"secret in a file\"", "line 1, master_key"),
    ] {
        installation.configure(toml)?.unset("TENANTRY_BIND");
        let ended = installation.run(["config"])?;
        names(&ended, told).with_context(|| toml.to_owned())?;
        ensure!(!ended.stderr.contains("secret in a file"), "{ended:?}");
    }
    ensure!(
        !installation.data().exists(),
        "a refused start made the data folder"
    );
    Ok(())
}

#[test]
fn data_that_is_sealed_opens_with_its_own_key_alone() -> Result<()> {
    let mut installation = installation()?;
    acts::make_tenant(&installation, "acme", ADA)?;
    let path = installation.data().join("master.key");
    let key = fs::read_to_string(&path)?;
    for damaged in ["", "garbage\n", &key[..20], KEY] {
        fs::write(&path, damaged)?;
        for args in [&["serve"][..], &["tenant", "list"]] {
            names(&installation.run(args)?, "TENANTRY_MASTER_KEY")
                .with_context(|| format!("{damaged:?}"))?;
        }
        ensure!(
            fs::read_to_string(&path)? == damaged,
            "the key file was written to"
        );
    }
    fs::remove_file(&path)?;
    names(&installation.run(["serve"])?, "TENANTRY_MASTER_KEY")?;
    ensure!(!path.exists(), "a new key was made over sealed data");
    let doctor = installation.run(["doctor", "--json"])?;
    let told = acts::answered(&doctor, 1)?;
    ensure!(
        told["healthy"] == false && doctor.stdout.contains("TENANTRY_MASTER_KEY"),
        "{told}"
    );

    installation.set("TENANTRY_MASTER_KEY", KEY);
    names(&installation.run(["serve"])?, "TENANTRY_MASTER_KEY")?;
    installation.set("TENANTRY_MASTER_KEY", key.trim());
    let server = installation.serve()?;
    acts::token(server.address()?, Some("acme"), ADA)?;
    ensure!(
        !path.exists(),
        "a key from the environment was written to a file"
    );
    installation.set("TENANTRY_EMAIL_UNIQUENESS", "global");
    names(
        &installation.run(["tenant", "list"])?,
        "TENANTRY_EMAIL_UNIQUENESS",
    )
}

#[test]
fn a_folder_that_cannot_be_used_is_named() -> Result<()> {
    let mut installation = installation()?;
    let file = installation.scratch().join("file");
    fs::write(&file, "not a folder")?;
    for folder in [
        file.clone(),
        file.join("below"),
        "/proc/tenantry".into(),
        "/dev/null/x".into(),
    ] {
        installation.set("TENANTRY_DATA_DIR", &folder);
        for args in [&["serve"][..], &["tenant", "list"]] {
            names(&installation.run(args)?, "TENANTRY_DATA_DIR")
                .with_context(|| folder.display().to_string())?;
        }
    }
    ensure!(fs::read_to_string(&file)? == "not a folder");
    Ok(())
}

#[test]
fn a_busy_port_is_named_and_nothing_begun() -> Result<()> {
    let mut installation = installation()?;
    let busy = TcpListener::bind("127.0.0.1:0")?;
    installation.set("TENANTRY_BIND", busy.local_addr()?.to_string());
    names(&installation.run(["serve"])?, "TENANTRY_BIND")?;
    ensure!(
        !installation.data().join("master.key").exists(),
        "a refused start made keys"
    );
    installation.set("TENANTRY_BIND", "192.0.2.1:8000");
    names(&installation.run(["serve"])?, "TENANTRY_BIND")
}

#[test]
fn a_folder_has_one_server() -> Result<()> {
    let installation = installation()?;
    let first = installation.serve()?;
    names(&installation.run(["serve"])?, "TENANTRY_DATA_DIR")?;
    ensure!(
        Ask::get("/readyz").send(first.address()?)?.status == 200,
        "the first one suffered"
    );
    first.kill()?;
    let next = installation.serve()?;
    ensure!(Ask::get("/readyz").send(next.address()?)?.status == 200);
    Ok(())
}
