//! Header and query beside the host.

use super::{Means, by_name, expect, two};
use crate::shape::nobodys_id;
use tenantry_testkit::app::TestApp;

async fn hints_that_agree_are_one_and_hints_that_differ_are_none(app: TestApp) {
    let (acme, globex) = two(&app).await;
    let id = acme.id.clone();
    let upper = acme.id.to_uppercase();
    let nobody = nobodys_id();
    let conflict = || Means::Refused(400, "tenant_conflict");
    let unknown = || Means::Refused(404, "tenant_not_found");
    let (a, g) = (acme.host.as_str(), globex.host.as_str());
    for (host, header, query, means) in [
        ("localhost", None, None, Means::Nobody),
        (a, None, None, Means::Tenant),
        ("localhost", Some(id.as_str()), None, Means::Tenant),
        ("localhost", Some(upper.as_str()), None, Means::Tenant),
        ("localhost", Some("acme"), None, Means::Tenant),
        ("localhost", None, Some(id.as_str()), Means::Tenant),
        ("localhost", None, Some("acme"), Means::Tenant),
        (a, Some(id.as_str()), Some("acme"), Means::Tenant),
        (a, Some("acme"), Some(id.as_str()), Means::Tenant),
        (a, Some("globex"), None, conflict()),
        (a, Some(globex.id.as_str()), None, conflict()),
        (a, None, Some("globex"), conflict()),
        (a, Some("acme"), Some("globex"), conflict()),
        (g, Some("acme"), Some("acme"), conflict()),
        ("localhost", Some("acme"), Some("globex"), conflict()),
        ("localhost", Some("nobody"), None, unknown()),
        ("localhost", Some(nobody.as_str()), None, unknown()),
        ("localhost", None, Some("nobody"), unknown()),
        ("localhost", Some(""), None, unknown()),
        ("localhost", None, Some(""), unknown()),
        ("localhost", Some("www"), None, unknown()),
        ("localhost", Some("ACME"), None, unknown()),
        ("localhost", Some("acme.localhost"), None, unknown()),
        ("localhost", Some("TEN00001"), None, unknown()),
        ("localhost", Some("acme, acme"), None, unknown()),
        ("localhost", Some("*"), None, unknown()),
        ("localhost", None, Some("%00"), unknown()),
        ("localhost", None, Some("acme%00"), unknown()),
        ("localhost", None, Some("%ff%fe"), unknown()),
        ("localhost", None, Some("a'%20OR%20'1'='1"), unknown()),
        (a, Some("nobody"), None, unknown()),
        ("nobody.localhost", Some("acme"), None, unknown()),
    ] {
        let query = query.map_or_else(String::new, |value| format!("?tenant_id={value}"));
        let case = format!("{host} {header:?} {query:?}");
        let owner = app.sign_in(&acme.host, &acme.owner).await.access;
        let mut me = app
            .get(&format!("/api/v1/auth/me{query}"))
            .host(host)
            .bearer(&owner);
        let path = format!("/api/v1/auth/login{query}");
        let mut login = app
            .post(&path)
            .host(host)
            .body("application/json", by_name());
        if let Some(header) = header {
            me = me.header("x-tenant-id", header);
            login = login.header("x-tenant-id", header);
        }
        expect(&me.send().await, &means, &case);
        let answer = login.send().await;
        match means {
            Means::Tenant => assert_eq!(answer.ok(200)["tenant"]["id"], acme.id, "{case}"),
            Means::Nobody => {
                answer.problem(400, "tenant_required");
            }
            Means::Refused(..) => expect(&answer, &means, &case),
        }
    }
}

on_both!(hints_that_agree_are_one_and_hints_that_differ_are_none);

#[tokio::test]
async fn a_hint_given_twice_is_no_hint() {
    let app = tenantry_testkit::app::TestApp::start().await;
    let (acme, _) = two(&app).await;
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let me = |query: &str| app.get(&format!("/api/v1/auth/me{query}")).bearer(&owner);
    for second in ["acme", "globex", "nobody"] {
        let call = me("")
            .header("x-tenant-id", "acme")
            .header("X-Tenant-Id", second);
        call.send().await.problem(400, "malformed_request");
        let call = me(&format!("?tenant_id=acme&tenant_id={second}"));
        call.send().await.problem(400, "malformed_request");
        let call = me(&format!("?tenant_id=acme&x=1&tenant%5Fid={second}"));
        call.send().await.problem(400, "malformed_request");
    }
    let call = me("").header("x-tenant-id", "acme\u{e9}");
    call.send().await.problem(400, "malformed_request");
    // Another name is another parameter.
    me("?TENANT_ID=globex&tenant=globex").send().await.ok(200);
}

/// Refused before any data is read: not even the form of the body matters.
#[tokio::test]
async fn a_conflict_is_told_before_anything_else() {
    let app = tenantry_testkit::app::TestApp::start().await;
    let (acme, _) = two(&app).await;
    let call = || {
        let call = app.post("/api/v1/auth/login").host(&acme.host);
        call.header("x-tenant-id", "globex")
    };
    call().send().await.problem(400, "tenant_conflict");
    call()
        .body("text/plain", "x".repeat(70_000))
        .send()
        .await
        .problem(400, "tenant_conflict");
    call()
        .bearer("garbage")
        .body("application/json", "{")
        .send()
        .await
        .problem(400, "tenant_conflict");
    let sql = "SELECT COUNT(*) FROM throttle";
    assert_eq!(app.control().number(sql).await.unwrap(), 0);
}
