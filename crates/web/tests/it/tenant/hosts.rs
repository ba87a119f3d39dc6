//! The host, in every form a client can give it.

use serde_json::json;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::PASSWORD;

use super::{Means, by_name, expect, two};

/// A request with these lines about the host, as octets.
fn request(target: &str, version: &str, lines: &str, token: &str) -> String {
    format!(
        "GET {target} {version}\r\n{lines}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
}

const ME: &str = "/api/v1/auth/me";

async fn a_host_is_read_in_every_spelling_it_has(app: TestApp) {
    let (acme, _) = two(&app).await;
    app.domain(&acme, "host", "shop.example", true).await;
    app.domain(&acme, "host", "unproven.example", false).await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let unknown = || Means::Refused(404, "tenant_not_found");
    let malformed = || Means::Refused(400, "malformed_request");
    for (host, means) in [
        ("acme.localhost", Means::Tenant),
        ("acme.localhost:8000", Means::Tenant),
        ("acme.localhost:1", Means::Tenant),
        ("ACME.LocalHost", Means::Tenant),
        ("acme.localhost.", Means::Tenant),
        ("acme.localhost.:8000", Means::Tenant),
        ("shop.example", Means::Tenant),
        ("SHOP.Example:443", Means::Tenant),
        ("localhost", Means::Nobody),
        ("localhost.", Means::Nobody),
        ("localhost:8000", Means::Nobody),
        ("127.0.0.1", Means::Nobody),
        ("127.0.0.1:8000", Means::Nobody),
        ("192.0.2.7", Means::Nobody),
        ("[::1]", Means::Nobody),
        ("[::1]:8000", Means::Nobody),
        ("[::ffff:127.0.0.1]", Means::Nobody),
        ("[2001:DB8::1]:80", Means::Nobody),
        ("unproven.example", unknown()),
        ("sub.shop.example", unknown()),
        ("shop.example.localhost", unknown()),
        ("nobody.localhost", unknown()),
        ("www.localhost", unknown()),
        ("admin.localhost", unknown()),
        ("x.acme.localhost", unknown()),
        ("acme.localhost.evil.example", unknown()),
        ("evil-acme.localhost", unknown()),
        ("acmelocalhost", unknown()),
        ("xn--acme-9la.localhost", unknown()),
        ("-.localhost", unknown()),
        ("127.1", unknown()),
        ("0x7f000001", unknown()),
        ("evil.example", unknown()),
        ("acme.localhost..", Means::Refused(400, "malformed_request")),
        ("acme..localhost", malformed()),
        (".acme.localhost", malformed()),
        (".", malformed()),
        ("", malformed()),
        ("user@acme.localhost", malformed()),
        ("user:secret@acme.localhost:80", malformed()),
        ("acme.localhost/", malformed()),
        ("acme.localhost/..", malformed()),
        ("acme.localhost?x", malformed()),
        ("acme.localhost#x", malformed()),
        ("acme.localhost,globex.localhost", malformed()),
        ("acme.localhost globex.localhost", malformed()),
        ("acme.localhost:", malformed()),
        ("acme.localhost:http", malformed()),
        ("acme.localhost:65536", malformed()),
        ("acme.localhost:-1", malformed()),
        ("acme.localhost:80:80", malformed()),
        ("acme%2elocalhost", malformed()),
        ("acme\\localhost", malformed()),
        ("\u{430}cme.localhost", malformed()),
        ("::1", malformed()),
        ("[::1", malformed()),
        ("[::1]x", malformed()),
        ("[acme.localhost]", malformed()),
        ("[fe80::1%25eth0]", malformed()),
    ] {
        let lines = format!("Host: {host}\r\n");
        let answer = app.raw(request(ME, "HTTP/1.1", &lines, &token)).await;
        answer.expect_common(host);
        expect(&answer, &means, host);
        // What it means is seen by whether a name without an address is enough.
        let body = by_name();
        let login = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\n{lines}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = app.raw(login).await;
        match means {
            Means::Tenant => assert_eq!(answer.ok(200)["tenant"]["id"], acme.id, "{host}"),
            Means::Nobody => {
                answer.problem(400, "tenant_required");
            }
            Means::Refused(..) => expect(&answer, &means, host),
        }
    }
    let long = format!("Host: {}.localhost\r\n", "a.".repeat(130));
    let answer = app.raw(request(ME, "HTTP/1.1", &long, &token)).await;
    expect(&answer, &malformed(), "a host of 270 characters");
}

on_both!(a_host_is_read_in_every_spelling_it_has);

#[tokio::test]
async fn there_is_one_host_or_none() {
    let app = TestApp::start().await;
    let (acme, _) = two(&app).await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    for (case, version, lines) in [
        ("none", "HTTP/1.1", ""),
        (
            "two that agree",
            "HTTP/1.1",
            "Host: acme.localhost\r\nHost: acme.localhost\r\n",
        ),
        (
            "two that differ",
            "HTTP/1.1",
            "Host: acme.localhost\r\nHost: globex.localhost\r\n",
        ),
        ("none, in an old request", "HTTP/1.0", ""),
    ] {
        let answer = app.raw(request(ME, version, lines, &token)).await;
        answer.expect_common(case);
        answer.problem(400, "malformed_request");
    }
    let answer = app
        .raw(request(ME, "HTTP/1.0", "Host: acme.localhost\r\n", &token))
        .await;
    answer.ok(200);
    // Two hosts are refused also where the host does not matter: what stands before us may believe
    // the other one.
    let twice =
        "GET /healthz HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n";
    app.raw(twice).await.problem(400, "malformed_request");
}

/// RFC 9112, section 3.2.2: an absolute target counts, not the header beside it.
#[tokio::test]
async fn an_absolute_target_overrides_the_header() {
    let app = TestApp::start().await;
    let (acme, globex) = two(&app).await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let ask = async |target: &str, host: &str| {
        let lines = format!("Host: {host}\r\n");
        app.raw(request(target, "HTTP/1.1", &lines, &token)).await
    };
    let own = format!("http://acme.localhost:8000{ME}");
    let other = format!("http://globex.localhost{ME}");
    ask(&own, &acme.host).await.ok(200);
    ask(&own, &globex.host).await.ok(200);
    ask(&other, &acme.host)
        .await
        .problem(401, "authentication_required");
    ask(&format!("http://nobody.localhost{ME}"), &acme.host)
        .await
        .problem(404, "tenant_not_found");
    let user = ask(&format!("http://x@acme.localhost{ME}"), &acme.host).await;
    user.problem(400, "malformed_request");
    // Two headers stay two, whatever the target says.
    let lines = "Host: acme.localhost\r\nHost: acme.localhost\r\n";
    let answer = app.raw(request(&own, "HTTP/1.1", lines, &token)).await;
    answer.problem(400, "malformed_request");
}

#[tokio::test]
async fn a_domain_of_ones_own_is_as_good_as_the_subdomain() {
    let app = TestApp::start().await;
    let (acme, globex) = two(&app).await;
    app.domain(&acme, "host", "shop.example", true).await;
    let owner = app.sign_in("shop.example", &acme.owner).await;
    assert_eq!(owner.body["tenant"]["id"], acme.id);
    app.get(ME)
        .host(&acme.host)
        .bearer(&owner.access)
        .send()
        .await
        .ok(200);
    let call = app
        .get(ME)
        .host("shop.example")
        .header("x-tenant-id", "globex");
    call.bearer(&owner.access)
        .send()
        .await
        .problem(400, "tenant_conflict");
    let call = app
        .get(ME)
        .host("shop.example")
        .header("x-tenant-id", "acme");
    call.bearer(&owner.access).send().await.ok(200);
    let stranger = app.sign_in(&globex.host, &globex.owner).await;
    let call = app.get(ME).host("shop.example").bearer(&stranger.access);
    call.send().await.problem(401, "authentication_required");
    let answer = app
        .try_sign_in("shop.example", &globex.owner, PASSWORD)
        .await;
    answer.problem(401, "invalid_credentials");
    let admin = app.admin().await.access;
    let shown = app
        .get("/api/v1/tenants/acme")
        .bearer(&admin)
        .send()
        .await
        .ok(200);
    assert_eq!(shown["domains"], json!(["shop.example"]));
}

#[tokio::test]
async fn another_base_domain_moves_every_tenant() {
    let app = AppOptions {
        base_domain: "tenants.example.com",
        public_url: "https://id.example.com",
        ..AppOptions::default()
    };
    let app = app.start().await;
    let (acme, _) = two(&app).await;
    assert_eq!(acme.host, "acme.tenants.example.com");
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    for (host, means) in [
        ("acme.tenants.example.com", Means::Tenant),
        ("tenants.example.com", Means::Nobody),
        ("id.example.com", Means::Nobody),
        ("acme.localhost", Means::Refused(404, "tenant_not_found")),
        ("acme.example.com", Means::Refused(404, "tenant_not_found")),
        ("example.com", Means::Refused(404, "tenant_not_found")),
        (
            "globex.tenants.example.com",
            Means::Refused(401, "authentication_required"),
        ),
    ] {
        let answer = app.get(ME).host(host).bearer(&token).send().await;
        expect(&answer, &means, host);
    }
}
