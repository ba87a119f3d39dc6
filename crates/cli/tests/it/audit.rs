//! `tenantry audit`: what commands leave there, and that a change of it shows.

use anyhow::Result;
use serde_json::Value;
use tenantry_testkit::process::alter_sqlite;

use crate::acts::{answered, done, make_admin, make_tenant, sign_in};
use crate::{eventually, installation};

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}

#[test]
fn commands_that_change_something_are_told_and_others_are_not() -> Result<()> {
    let installation = installation()?;
    let listed = || done(&installation, &["audit", "list"]).map(|list| items(&list));
    make_admin(&installation)?;
    let tenant = make_tenant(&installation, "acme", "ada@acme.example")?;
    done(&installation, &["tenant", "suspend", "acme"])?;
    for only_looks in [
        &["tenant", "list"][..],
        &["tenant", "show", "acme"],
        &["tenant", "check"],
        &["tenant", "repair", "--dry-run"],
        &["admin", "list"],
        &["cluster", "list"],
        &["workflow", "list"],
        &["audit", "verify"],
        &["audit", "list"],
    ] {
        installation.run(only_looks)?;
    }
    // Refused before anything happened, and because of how things are.
    for (args, code) in [
        (&["tenant", "suspend", "nobody", "--json"][..], 3),
        (&["tenant", "delete", "acme", "--json"], 3),
        (&["tenant", "suspend", "acme", "--json"], 3),
    ] {
        let ended = installation.run(args)?;
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
    let mut list = listed()?;
    list.sort_by_key(|entry| entry["seq"].as_i64());
    let told: Vec<_> = list
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            (text("action"), text("outcome"), text("code"))
        })
        .collect();
    let expected = [
        ("admin.create", "done", ""),
        ("tenant.create", "done", ""),
        ("tenant.suspend", "done", ""),
        ("tenant.suspend", "refused", "conflict"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(told, expected, "{list:?}");
    for entry in &list {
        assert_eq!(entry["actor"]["kind"], "command");
        assert!(entry["actor"]["name"].is_string(), "{entry}");
        assert!(!entry.to_string().contains('@'), "{entry}");
    }
    let admins = done(&installation, &["admin", "list"])?;
    assert_eq!(list[0]["target"], admins["items"][0]["id"]);
    for entry in &list[1..] {
        assert_eq!(entry["tenant_id"], tenant["id"]);
    }
    let of_tenant = done(
        &installation,
        &["audit", "list", "--tenant", "acme", "--limit", "2"],
    )?;
    assert_eq!(items(&of_tenant).len(), 2);
    let nobody = installation.run(["audit", "list", "--tenant", "nobody", "--json"])?;
    assert_eq!(answered_error(&nobody.stderr)?, "tenant_not_found");
    Ok(())
}

fn answered_error(stderr: &str) -> Result<String> {
    let error: Value = serde_json::from_str(stderr)?;
    Ok(error["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

#[test]
fn verifying_works_beside_a_server_and_finds_what_is_gone() -> Result<()> {
    let installation = installation()?;
    let verify = || installation.run(["audit", "verify", "--json"]);
    let empty = answered(&verify()?, 0)?;
    assert_eq!(
        (&empty["intact"], &empty["entries"]),
        (&true.into(), &0.into())
    );
    make_admin(&installation)?;
    make_tenant(&installation, "acme", "ada@acme.example")?;
    let server = installation.serve()?;
    for _ in 0..3 {
        assert_eq!(
            sign_in(server.address()?, Some("acme"), "ada@acme.example")?.status,
            200
        );
    }
    // The server seals by itself.
    let whole = eventually("everything is sealed", || {
        let seen = answered(&verify()?, 0)?;
        Ok((seen["unsealed"] == 0 && seen["entries"] == 5).then_some(seen))
    })?;
    assert_eq!(whole["last_seq"], 5);
    let text = installation.run(["audit", "verify"])?;
    assert!(text.stdout.starts_with("Intact: 5 entries"), "{text:?}");

    let path = installation.data().join("control.db");
    let removed = alter_sqlite(&path, "DELETE FROM audit WHERE seq = 4")?;
    assert_eq!(removed, 1);
    let broken = answered(&verify()?, 1)?;
    assert_eq!(broken["intact"], false);
    assert_eq!(
        (&broken["broken_seq"], &broken["fault"]),
        (&4.into(), &"missing".into())
    );
    let text = installation.run(["audit", "verify"])?;
    assert_eq!(text.code, Some(1));
    assert!(text.stdout.contains("entry 4 is missing"), "{text:?}");
    Ok(())
}
