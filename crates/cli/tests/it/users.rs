//! `tenantry user`: bringing people along, listing them, giving somebody a new password.

use std::fs;

use anyhow::Result;
use serde_json::json;

use crate::acts::{answered, done, make_tenant};
use crate::installation;

/// `rasmuslerdorf`, from PHP's manual.
const PHP: &str = "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a";

const KEYCLOAK: &str = r#"{"realm": "acme",
  "users": [
    {"username": "kay", "email": "kay@example.org", "firstName": "Kay", "enabled": true, "credentials": [
      {"type": "password",
       "secretData": "{\"value\":\"4375YNS9YZWjOkSSca8vGMcgaeQJp2FL1QhyXildVT4oSSkLryljlt7+BW5BvK9TYoZKYFniLZZt2JG6YAFAKQ==\",\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\"}",
       "credentialData": "{\"hashIterations\":1000,\"algorithm\":\"pbkdf2-sha256\"}"}]},
    {"username": "service-account-x", "serviceAccountClientId": "x"}
  ]}"#;

#[test]
fn people_of_other_systems_come_along() -> Result<()> {
    let installation = installation()?;
    make_tenant(&installation, "acme", "ada@example.org")?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = installation.scratch().join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let keycloak = file("realm.json", KEYCLOAK)?;
    let laravel = file(
        "users.csv",
        &format!(
            "id,name,email,password\n1,Lara,lara@example.org,{PHP}\n2,Ada,ada@example.org,{PHP}\n"
        ),
    )?;
    let auth0 = file(
        "auth0.ndjson",
        &format!("{{\"_id\":1,\"email\":\"otto@example.org\",\"passwordHash\":\"{PHP}\"}}\n"),
    )?;
    let own = file(
        "own.ndjson",
        &format!("{{\"email\":\"olga@example.org\",\"password_hash\":\"{PHP}\"}}\nnonsense\n"),
    )?;
    let import = |file: &str, more: &[&str]| {
        let mut args = vec!["user", "import", "acme", "--file", file, "--json"];
        args.extend(more);
        installation.run(args)
    };
    for (file, counts) in [
        (&keycloak, [1, 1, 0]),
        (&laravel, [1, 1, 0]),
        (&auth0, [1, 0, 0]),
    ] {
        // Looking changes nothing of what then comes.
        for more in [&["--dry-run"][..], &[]] {
            let told = answered(&import(file, more)?, 0)?;
            let seen = json!([told["imported"], told["skipped"], told["failed"]]);
            assert_eq!(seen, json!(counts), "{file}: {told}");
        }
    }
    let told = answered(&import(&own, &[])?, 3)?;
    assert_eq!(told["imported"], 1);
    assert_eq!(told["errors"][0]["line"], 2);
    assert_eq!(told["errors"][0]["code"], "malformed");
    for (file, more) in [
        (own.as_str(), &["--format", "keycloak"][..]),
        ("/nowhere", &[]),
    ] {
        assert_eq!(import(file, more)?.code, Some(3));
    }
    assert_eq!(import(&own, &["--format", "excel"])?.code, Some(2));

    let list = done(&installation, &["user", "list", "acme", "--limit", "3"])?;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
    let cursor = list["next_cursor"].as_str().unwrap_or_default();
    let rest = done(&installation, &["user", "list", "acme", "--cursor", cursor])?;
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(2));
    assert!(rest["next_cursor"].is_null());
    let both = [list["items"].as_array(), rest["items"].as_array()];
    let mut all: Vec<_> = both
        .into_iter()
        .flatten()
        .flatten()
        .map(|one| &one["email"])
        .collect();
    all.sort_by_key(ToString::to_string);
    assert_eq!(
        json!(all),
        json!([
            "ada@example.org",
            "kay@example.org",
            "lara@example.org",
            "olga@example.org",
            "otto@example.org"
        ])
    );
    let table = installation.run(["user", "list", "acme"])?;
    assert!(table.stdout.contains("kay@example.org") && !table.stdout.contains("$2y$"));
    Ok(())
}

#[test]
fn a_new_password_is_printed_once() -> Result<()> {
    let installation = installation()?;
    make_tenant(&installation, "acme", "ada@example.org")?;
    let reset = |email: &str| installation.run(["user", "reset-password", "acme", email, "--json"]);
    let told = answered(&reset("ada@example.org")?, 0)?;
    assert_eq!(told["must_change_password"], true);
    let password = told["password"].as_str().unwrap_or_default();
    assert!(password.len() >= 15, "{told}");
    let list = done(&installation, &["user", "list", "acme"])?;
    assert_eq!(list["items"][0]["must_change_password"], true);
    assert_eq!(reset("nobody@example.org")?.code, Some(3));
    assert_eq!(reset("no address")?.code, Some(2));
    Ok(())
}
