//! `/api/v1/tenant`: what owners and admins do about the look of their own tenant.

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_core::logo::LOGO_OCTETS;
use tenantry_testkit::app::{Answer, TestApp, TestTenant};

use crate::shape::has_fields;

const TENANT: &str = "/api/v1/tenant";
const LOGO: &str = "/api/v1/tenant/logo";

/// A PNG of 40 by 20 with something of its own.
pub(crate) fn png(mark: u8) -> Vec<u8> {
    let mut body = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x28\0\0\0\x14\x08\x06\0\0\0".to_vec();
    body.push(mark);
    body
}

/// The path of a logo's address.
pub(crate) fn path(logo_url: &Value) -> String {
    let url = url::Url::parse(logo_url.as_str().unwrap()).unwrap();
    assert_eq!(url.host_str(), Some("acme.localhost"));
    url.path().to_owned()
}

struct Admin<'a> {
    app: &'a TestApp,
    token: String,
}

impl Admin<'_> {
    async fn call(&self, verb: &str, path: &str, body: Option<(&str, &[u8])>) -> Answer {
        let mut call = self.app.call(verb, path).bearer(&self.token);
        if let Some((kind, body)) = body {
            call = call.body(kind, body);
        }
        call.send().await
    }

    async fn patch(&self, body: Value) -> Answer {
        let text = body.to_string();
        let body = Some(("application/json", text.as_bytes()));
        self.call("PATCH", TENANT, body).await
    }
}

async fn admin<'a>(app: &'a TestApp, acme: &TestTenant) -> Admin<'a> {
    app.person(acme, "admin@acme.example", Role::Admin, false)
        .await;
    let token = app.sign_in(&acme.host, "admin@acme.example").await.access;
    Admin { app, token }
}

#[tokio::test]
async fn admins_set_the_colour_of_their_own_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.tenant("globex").await;
    let admin = admin(&app, &acme).await;
    let seen = admin.call("GET", TENANT, None).await.ok(200);
    has_fields(
        &seen,
        &["id", "slug", "code", "name", "url", "colour", "logo_url"],
    );
    assert_eq!(seen["id"], acme.id);
    assert_eq!(seen["colour"], Value::Null);
    let set = admin.patch(json!({ "colour": "#FFD400" })).await.ok(200);
    assert_eq!(set["colour"], "#ffd400");
    // What is not named stays.
    assert_eq!(admin.patch(json!({})).await.ok(200), set);
    for bad in ["ffd400", "#fff", "red", "#ffd40g", ""] {
        let refused = admin.patch(json!({ "colour": bad })).await;
        refused.invalid(&["colour:invalid"]);
    }
    let renamed = admin.patch(json!({ "name": "Mine" })).await;
    renamed.invalid(&["name:unknown_field"]);
    let none = admin.patch(json!({ "colour": null })).await.ok(200);
    assert_eq!(none["colour"], Value::Null);

    // A member may not, a platform admin has no tenant of his own, and nobody changes another's.
    app.person(&acme, "member@acme.example", Role::Member, false)
        .await;
    for (host, email) in [
        (acme.host.as_str(), "member@acme.example"),
        ("localhost", "root@platform.example"),
    ] {
        if host == "localhost" {
            app.platform_admin(email).await;
        }
        let token = app.sign_in(host, email).await.access;
        let call = app.call("PATCH", TENANT).bearer(&token);
        let refused = call.json(&json!({ "colour": null })).send().await;
        refused.problem(403, "forbidden");
    }
    let elsewhere = app.call("PATCH", TENANT).host("globex.localhost");
    let elsewhere = elsewhere.bearer(&admin.token).json(&json!({}));
    elsewhere
        .send()
        .await
        .problem(401, "authentication_required");
}

#[tokio::test]
async fn a_logo_is_known_by_its_octets_and_served_for_good() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let admin = admin(&app, &acme).await;
    // Whatever it is called, it is what it is.
    let set = admin
        .call("PUT", LOGO, Some(("text/html", &png(1))))
        .await
        .ok(200);
    let path = path(&set["logo_url"]);
    for host in [acme.host.as_str(), "localhost"] {
        let served = app.get(&path).host(host).send().await;
        assert_eq!((served.status, &served.body), (200, &png(1)));
        assert_eq!(served.header("content-type"), Some("image/png"));
        let kept = served.header("cache-control").unwrap();
        assert!(kept.contains("immutable"), "{kept}");
        let policy = served.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox"), "{policy}");
        let etag = served.header("etag").unwrap().to_owned();
        let again = app.get(&path).host(host).header("if-none-match", &etag);
        let again = again.send().await;
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
    let page = app.get("/login").host(&acme.host).send().await.text();
    assert!(page.contains(&format!("<img src=\"{path}\"")), "{page}");

    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>";
    let tiny = png(1).into_iter().take(16).chain([0, 0, 0, 1, 0, 0, 0, 1]);
    for (kind, bad, code) in [
        ("image/png", &b""[..], "logo:required"),
        ("image/png", svg, "logo:invalid"),
        ("image/png", &tiny.collect::<Vec<_>>(), "logo:size"),
    ] {
        admin
            .call("PUT", LOGO, Some((kind, bad)))
            .await
            .invalid(&[code]);
    }
    let mut large = png(1);
    large.resize(LOGO_OCTETS + 1, 0);
    admin
        .call("PUT", LOGO, Some(("image/png", &large)))
        .await
        .problem(413, "payload_too_large");
    assert_eq!(admin.call("GET", TENANT, None).await.ok(200), set);

    let next = admin.call("PUT", LOGO, Some(("image/png", &png(2)))).await;
    assert_ne!(next.ok(200)["logo_url"], set["logo_url"]);
    app.get(&path).send().await.problem(404, "not_found");
    let gone = admin.call("DELETE", LOGO, None).await;
    assert_eq!(gone.status, 204);
    let gone = admin.call("DELETE", LOGO, None).await;
    gone.problem(404, "not_found");
    for none in ["/assets/tenant/logo/x", "/assets/tenant/logo/"] {
        app.get(none).send().await.problem(404, "not_found");
    }
}
