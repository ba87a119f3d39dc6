//! What proxies forward: believed from those that are listed, and from nobody else.

use serde_json::json;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};

use super::{Means, expect, two};

const ME: &str = "/api/v1/auth/me";

#[tokio::test]
async fn a_stranger_forwards_nothing() {
    let app = TestApp::start().await;
    let (acme, globex) = two(&app).await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let call = || app.get(ME).bearer(&token);
    for name in ["x-forwarded-host", "forwarded", "x-original-host", "x-host"] {
        let value = if name == "forwarded" {
            "host=globex.localhost"
        } else {
            &globex.host
        };
        call()
            .host(&acme.host)
            .header(name, value)
            .send()
            .await
            .ok(200);
        call().header(name, value).send().await.ok(200);
        call().header(name, "b a d").send().await.ok(200);
    }
}

#[tokio::test]
async fn a_listed_proxy_says_which_host_was_asked() {
    let app = AppOptions {
        trusted_proxies: &["10.0.0.0/8", "127.0.0.1/32"],
        ..AppOptions::default()
    };
    let app = app.start().await;
    let (acme, globex) = two(&app).await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let malformed = || Means::Refused(400, "malformed_request");
    for (host, forwarded, means) in [
        ("inner:9000", "acme.localhost", Means::Tenant),
        ("inner:9000", "ACME.localhost.:443", Means::Tenant),
        (&*globex.host, "acme.localhost", Means::Tenant),
        (&*acme.host, "localhost", Means::Nobody),
        (
            &*acme.host,
            "globex.localhost",
            Means::Refused(401, "authentication_required"),
        ),
        (
            &*acme.host,
            "nobody.localhost",
            Means::Refused(404, "tenant_not_found"),
        ),
        (&*acme.host, "acme.localhost, globex.localhost", malformed()),
        (&*acme.host, "user@acme.localhost", malformed()),
        (&*acme.host, "", malformed()),
    ] {
        let call = app.get(ME).host(host.split(':').next().unwrap_or_default());
        let answer = call
            .header("x-forwarded-host", forwarded)
            .bearer(&token)
            .send()
            .await;
        expect(&answer, &means, &format!("{host} forwards {forwarded:?}"));
    }
    let call = app.get(ME).header("x-forwarded-host", "acme.localhost");
    let twice = call
        .header("x-forwarded-host", "acme.localhost")
        .bearer(&token);
    twice.send().await.problem(400, "malformed_request");
    // Without a word from the proxy, the host is what it is.
    let answer = app.get(ME).host(&globex.host).bearer(&token).send().await;
    answer.problem(401, "authentication_required");
}

/// How many of sixty wrong tries were not let through.
async fn tries(app: &TestApp, from: impl Fn(usize) -> String) -> usize {
    let mut limited = 0;
    for number in 0..60 {
        let body = json!({ "email": format!("x{number}@acme.example"), "password": PASSWORD });
        let call = app
            .post("/api/v1/auth/login")
            .header("x-forwarded-for", &from(number));
        limited += usize::from(call.json(&body).send().await.status == 429);
    }
    limited
}

/// Fifty wrong tries block a network. Behind a listed proxy the network is the client's; what a
/// client writes there itself never counts.
#[tokio::test]
async fn tries_are_counted_by_the_address_that_is_believed() {
    let options = |proxies| AppOptions {
        trusted_proxies: proxies,
        ..AppOptions::over(Options::sqlite())
    };
    let direct = options(&[]).start().await;
    let limited = tries(&direct, |number| format!("203.0.113.{number}")).await;
    assert_eq!(limited, 10, "a stranger's word is not asked for");

    let proxied = options(&["127.0.0.1/32"]).start().await;
    let limited = tries(&proxied, |number| format!("203.0.113.{number}")).await;
    assert_eq!(limited, 0, "sixty clients");
    let limited = tries(&proxied, |number| format!("198.51.100.{number}, 192.0.2.1")).await;
    assert_eq!(limited, 10, "one client that invents others before itself");
}
