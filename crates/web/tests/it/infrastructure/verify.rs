//! `GET /auth/verify`: what a proxy asks before it lets a request through.

use tenantry_core::Role;
use tenantry_testkit::app::{Answer, AppOptions, TestApp};

const VERIFY: &str = "/auth/verify";
const HEADERS: [&str; 6] = [
    "x-tenant-id",
    "x-tenant-slug",
    "x-tenant-generation",
    "x-user-id",
    "x-user-role",
    "x-user-email",
];

#[track_caller]
fn told(answer: &Answer) -> Vec<Option<&str>> {
    HEADERS.iter().map(|name| answer.header(name)).collect()
}

async fn says_who_sends_a_request(app: TestApp) {
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    let id = owner.body["user"]["id"].as_str();
    let expected = vec![
        Some(acme.id.as_str()),
        Some("acme"),
        Some("1"),
        id,
        Some("owner"),
        Some(acme.owner.as_str()),
    ];
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    for call in [
        app.get(VERIFY).bearer(&owner.access),
        app.get(VERIFY).host(&acme.host).bearer(&owner.access),
        app.get(VERIFY).host(&acme.host).cookie(&cookie),
    ] {
        let answer = call.send().await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("no-store"))
        );
        assert_eq!(told(&answer), expected);
    }
    let admin = app.admin().await;
    let answer = app.get(VERIFY).bearer(&admin.access).send().await;
    let id = admin.body["user"]["id"].as_str();
    assert_eq!(
        told(&answer),
        [
            None,
            None,
            None,
            id,
            Some("platform_admin"),
            Some("root@platform.example")
        ]
    );
    // What a client sends by these names is not repeated.
    let call = app
        .get(VERIFY)
        .header("x-user-role", "platform_admin")
        .header("x-user-id", "1");
    let answer = call.bearer(&owner.access).send().await;
    assert_eq!(told(&answer), expected);
    let answer = app.get(VERIFY).header("x-user-role", "owner").send().await;
    answer.problem(401, "authentication_required");
    assert_eq!(told(&answer), [None; 6]);
}

on_both!(says_who_sends_a_request);

#[tokio::test]
async fn judges_by_the_host_that_the_proxy_forwards() {
    let app = AppOptions {
        trusted_proxies: &["127.0.0.1/32"],
        ..AppOptions::default()
    };
    let app = app.start().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    let ask = |forwarded: &str| {
        let call = app.get(VERIFY).host("auth.internal");
        call.header("x-forwarded-host", forwarded)
    };
    assert_eq!(ask(&acme.host).bearer(&owner).send().await.status, 200);
    assert_eq!(ask(&acme.host).cookie(&cookie).send().await.status, 200);
    let answer = ask(&globex.host).bearer(&owner).send().await;
    answer.problem(401, "authentication_required");
    let answer = ask(&globex.host).cookie(&cookie).send().await;
    answer.problem(401, "authentication_required");
}

/// An application behind a proxy that nobody listed asks for yes or no all the same, and its visitors
/// are no other tenant's.
#[tokio::test]
async fn what_an_unlisted_proxy_forwards_only_narrows() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    let ask = |host: &str, forwarded: &str| {
        let call = app.get(VERIFY).host(host);
        call.header("x-forwarded-host", forwarded)
    };
    for (host, forwarded, status) in [
        ("127.0.0.1", acme.host.as_str(), 200),
        ("127.0.0.1", "localhost", 200),
        (&acme.host, &acme.host, 200),
        ("127.0.0.1", &globex.host, 401),
        (&acme.host, &globex.host, 401),
        (&globex.host, &acme.host, 401),
        ("127.0.0.1", "b a d", 401),
    ] {
        for call in [
            ask(host, forwarded).bearer(&owner),
            ask(host, forwarded).cookie(&cookie),
        ] {
            assert_eq!(call.send().await.status, status, "{host} for {forwarded}");
        }
    }
}

/// A proxy knows yes and no. Whatever is wrong with a request, the answer is no; what it is, is said
/// beside it, for whoever sets up the proxy.
#[tokio::test]
async fn whatever_is_wrong_is_told_as_401() {
    let app = AppOptions {
        trusted_proxies: &["127.0.0.1/32"],
        ..AppOptions::default()
    };
    let app = app.start().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    app.person(&acme, "new@acme.example", Role::Member, true)
        .await;
    let forced = app.sign_in(&acme.host, "new@acme.example").await.access;
    let at = |host: &str| app.get(VERIFY).header("x-forwarded-host", host);
    let twice = format!("{VERIFY}?tenant_id=acme&tenant_id=acme");
    for (case, call) in [
        ("nobody", at(&acme.host)),
        ("garbage", at(&acme.host).bearer("garbage")),
        ("another tenant's", at(&globex.host).bearer(&owner)),
        ("no such tenant", at("nobody.localhost").bearer(&owner)),
        ("a host of nobody", at("elsewhere.example").bearer(&owner)),
        ("no host", at("b a d").bearer(&owner)),
        (
            "two hosts",
            at(&acme.host)
                .header("x-forwarded-host", "x.example")
                .bearer(&owner),
        ),
        (
            "hints that differ",
            at(&acme.host)
                .header("x-tenant-id", "globex")
                .bearer(&owner),
        ),
        (
            "a hint to nobody",
            at(&acme.host).header("x-tenant-id", "../x").bearer(&owner),
        ),
        ("a hint twice", app.get(&twice).bearer(&owner)),
        ("a password to be changed", at(&acme.host).bearer(&forced)),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        answer.problem(401, "authentication_required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{case}");
        assert_eq!(told(&answer), [None; 6], "{case}");
    }
    let answer = at("nobody.localhost").bearer(&owner).send().await;
    let detail = answer.problem(401, "authentication_required")["detail"].clone();
    let nobody = at(&acme.host).send().await;
    let plain = nobody.problem(401, "authentication_required")["detail"].clone();
    assert_ne!(detail, plain, "what is wrong is said");
    // Before HTTP/1.1 a request may name no host at all, and after it may not.
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let request = format!("GET {VERIFY} {version}\r\nConnection: close\r\n\r\n");
        let answer = app.raw(request).await;
        answer.problem(401, "authentication_required");
    }
    let id = acme.id.parse().unwrap();
    app.service().suspend_tenant(id).await.unwrap();
    let answer = at(&acme.host).bearer(&owner).send().await;
    answer.problem(401, "session_stale");
    let answer = at(&acme.host).send().await;
    answer.problem(401, "authentication_required");
}

#[tokio::test]
async fn an_address_in_utf_8_is_told_as_it_is() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let hash = "UPDATE tenantry_users SET email = 'j\u{fc}rgen@acme.example'";
    let view = app.service().find_tenant("acme").await.unwrap();
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    app.person(&acme, "plain@acme.example", Role::Member, false)
        .await;
    let sql = format!("{hash} WHERE email_key = '{}'", acme.owner);
    assert_eq!(app.inner().damage_tenant(&view, &sql).await.unwrap(), 1);
    let answer = app.get(VERIFY).bearer(&owner.access).send().await;
    let value = answer.headers.get("x-user-email").unwrap().as_bytes();
    assert_eq!(value, "j\u{fc}rgen@acme.example".as_bytes());
}

#[tokio::test]
async fn what_breaks_off_is_a_fault_and_its_connection_goes_on() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let ask = |connection: &str| {
        let access = &signed.access;
        format!(
            "GET {VERIFY} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {access}\r\nConnection: {connection}\r\n\r\n"
        )
    };
    let twice = ask("keep-alive") + &ask("close");
    // The first look at the clock gives the request its id. Whatever works beside it may look too.
    for _ in 0..20 {
        app.clock().break_off_after(2);
        let answer = app.raw(&twice).await;
        if answer.status == 200 {
            continue;
        }
        assert_eq!(answer.status, 500);
        let rest = answer.text();
        let (fault, next) = rest.split_once("HTTP/1.1 ").unwrap();
        let id = answer.header("x-request-id").unwrap();
        let is_told = fault.contains("\"code\":\"internal_error\"") && fault.contains(id);
        assert!(is_told, "{fault}");
        assert!(next.starts_with("200 OK"), "{next}");
        return;
    }
    panic!("nothing broke off");
}
