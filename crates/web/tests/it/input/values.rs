//! Values that look like slugs, addresses, passwords and tokens.

use serde_json::{Value, json};
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};

const LOGIN: &str = "/api/v1/auth/login";
const TENANTS: &str = "/api/v1/tenants";

fn tenant(slug: &Value, email: &Value) -> Value {
    json!({ "name": "x", "slug": slug, "owner": { "email": email } })
}

async fn made(app: &TestApp) -> i64 {
    let sql = "SELECT (SELECT COUNT(*) FROM tenants) + (SELECT COUNT(*) FROM workflows)
               + (SELECT COUNT(*) FROM directory) + (SELECT COUNT(*) FROM outbox)";
    app.control().number(sql).await.unwrap()
}

async fn slugs(app: TestApp) {
    let admin = app.admin().await.access;
    let long = "a".repeat(41);
    for slug in [
        "",
        " ",
        "ab",
        &long,
        &"a".repeat(60_000),
        "Acme",
        "ACME",
        "1acme",
        "-acme",
        "acme-",
        "a--b",
        "a_b",
        "a.b",
        "a b",
        " acme",
        "acme ",
        "acme\n",
        "acme\u{0}",
        "\u{0}",
        "acme\u{200b}",
        "m\u{fc}nchen",
        "\u{430}cme",
        "\u{ff41}cme",
        "acme\u{301}",
        "\u{1f4a9}\u{1f4a9}\u{1f4a9}",
        "../etc",
        "..",
        "a/b",
        "a\\b",
        "%61cme",
        "acme%00",
        "con.",
        "acme;drop",
        "' OR 1=1 --",
        "$1$",
        "{tenant}",
        "\u{202e}emca",
        "www",
        "api",
        "admin",
        "app",
        "auth",
        "static",
        "assets",
        "mail",
        "dev",
        "setup",
        "login",
        "public",
        "postgres",
        "template0",
        "template1",
        "tenantry",
    ] {
        let body = tenant(&json!(slug), &json!("a@b.example"));
        let answer = app.post(TENANTS).bearer(&admin).json(&body).send().await;
        answer.invalid(&["slug:invalid"]);
    }
    for slug in [
        json!(1),
        json!(1.5),
        json!(true),
        json!(null),
        json!([]),
        json!(["acme"]),
        json!({ "a": 1 }),
    ] {
        let body = tenant(&slug, &json!("a@b.example"));
        app.post(TENANTS)
            .bearer(&admin)
            .json(&body)
            .send()
            .await
            .invalid(&["slug:invalid"]);
    }
    assert_eq!(made(&app).await, 0);
    for slug in ["abc", &"a".repeat(40), "a-b-c", "a1-2"] {
        let body = tenant(&json!(slug), &json!("a@b.example"));
        app.post(TENANTS)
            .bearer(&admin)
            .json(&body)
            .send()
            .await
            .ok(201);
    }
}

on_both!(slugs);

async fn addresses(app: TestApp) {
    let admin = app.admin().await.access;
    let local = format!("{}@b.example", "a".repeat(65));
    let long = format!("a@{}example", "b.".repeat(157));
    let label = format!("a@{}.example", "b".repeat(64));
    assert_eq!(long.len(), 323);
    for email in [
        "",
        "@",
        "a",
        "a@",
        "@b.example",
        "a@@b.example",
        "a@b@c.example",
        "a b@c.example",
        "a@b .example",
        "a@b.example,c@d.example",
        "a@b.example;c@d.example",
        "a@b.example c@d.example",
        "a@b.example\nBcc: c@d.example",
        "a@b.example\r\n",
        "a\u{0}@b.example",
        "a@b.example\u{0}",
        "A <a@b.example>",
        "\"a b\"@c.example",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@-b.example",
        "a@b-.example",
        "a@b..example",
        "a@.b.example",
        "a@b.example.",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@\u{fc}.example",
        "a\u{200b}@b.example",
        "a\u{202e}@b.example",
        &local,
        &long,
        &label,
        &"a@b.example".repeat(5000),
    ] {
        if email.trim() != email && email.trim().parse::<tenantry_core::Email>().is_ok() {
            continue;
        }
        let body = tenant(&json!("acme"), &json!(email));
        let answer = app.post(TENANTS).bearer(&admin).json(&body).send().await;
        answer.invalid(&["owner.email:invalid"]);
        let body = json!({ "email": email, "password": "x" });
        app.post(LOGIN)
            .json(&body)
            .send()
            .await
            .invalid(&["email:invalid"]);
    }
    for email in [
        json!(1),
        json!(null),
        json!(["a@b.example"]),
        json!(["a@b.example", "c@d.example"]),
        json!({ "a@b.example": 1 }),
        json!(true),
    ] {
        let body = tenant(&json!("acme"), &email);
        let answer = app.post(TENANTS).bearer(&admin).json(&body).send().await;
        answer.invalid(&["owner.email:invalid"]);
    }
    for email in [
        json!(1),
        json!(["a@b.example"]),
        json!({ "$ne": null }),
        json!(true),
    ] {
        let body = json!({ "email": email, "password": "x" });
        app.post(LOGIN)
            .json(&body)
            .send()
            .await
            .invalid(&["email:invalid"]);
    }
    assert_eq!(made(&app).await, 0);
}

on_both!(addresses);

/// Folding beyond ASCII makes one person of two: U+212A becomes `k`, U+017F becomes `s`, and a
/// dotless or dotted `i` whatever the machine's language says.
#[tokio::test]
async fn look_alikes_are_other_people() {
    let app = TestApp::start().await;
    let acme = app.tenant_owned_by("acme", "mike.kiss@acme.example").await;
    app.sign_in(&acme.host, "MIKE.KISS@ACME.EXAMPLE").await;
    for (host, like) in [
        (acme.host.as_str(), "mi\u{212a}e.kiss@acme.example"),
        ("localhost", "mi\u{212a}e.kiss@acme.example"),
        ("localhost", "mike.ki\u{17f}s@acme.example"),
        ("localhost", "m\u{131}ke.kiss@acme.example"),
        ("localhost", "m\u{130}ke.kiss@acme.example"),
        ("localhost", "\u{ff4d}ike.kiss@acme.example"),
    ] {
        app.try_sign_in(host, like, PASSWORD)
            .await
            .problem(401, "invalid_credentials");
    }
    let admin = app.admin().await.access;
    let body = tenant(&json!("globex"), &json!("mi\u{212a}e.kiss@acme.example"));
    app.post(TENANTS)
        .bearer(&admin)
        .json(&body)
        .send()
        .await
        .ok(201);
    app.sign_in("localhost", "mike.kiss@acme.example").await;
}

#[tokio::test]
async fn passwords() {
    let app = AppOptions::over(Options::sqlite().without_rate_limits())
        .start()
        .await;
    let acme = app.tenant("acme").await;
    let sign_in = async |password: &Value| {
        let body = json!({ "email": acme.owner, "password": password });
        app.post(LOGIN).host(&acme.host).json(&body).send().await
    };
    for password in [
        "",
        " ",
        "\u{0}",
        &"x".repeat(60_000),
        "\u{1f4a9}",
        &format!("{PASSWORD}\u{0}"),
        &format!("{PASSWORD} "),
    ] {
        sign_in(&json!(password))
            .await
            .problem(401, "invalid_credentials");
    }
    sign_in(&json!("x".repeat(1_000_000)))
        .await
        .problem(413, "payload_too_large");
    for password in [
        json!(null),
        json!(1),
        json!([PASSWORD]),
        json!({ "$gt": "" }),
        json!(true),
    ] {
        sign_in(&password).await.invalid(&["password:invalid"]);
    }
    sign_in(&json!(PASSWORD)).await.ok(200);
}

async fn tokens_and_ids(app: TestApp) {
    let (acme, admin) = (app.tenant("acme").await, app.admin().await.access);
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let huge = "x".repeat(30_000);
    for token in [
        "",
        " ",
        "\u{0}",
        "null",
        "undefined",
        "..",
        "a.b.c",
        "\u{1f4a9}",
        &huge,
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        let body = json!({ "refresh_token": token });
        let answer = app.post("/api/v1/auth/refresh").json(&body).send().await;
        answer.problem(401, "authentication_required");
        let body = json!({ "selection_token": token, "tenant_id": token });
        let answer = app
            .post("/api/v1/auth/login/select")
            .json(&body)
            .send()
            .await;
        answer.problem(400, "token_invalid");
        let body = json!({ "email": "a@b.example", "password": token });
        app.post(LOGIN)
            .json(&body)
            .send()
            .await
            .problem(401, "invalid_credentials");
    }
    for name in [
        "",
        " ",
        "a",
        &huge,
        "a b",
        "-a",
        "\u{430}dmin",
        "owner\u{0}",
        "o'wner",
        "../owner",
    ] {
        let body = json!({ "username": name, "password": PASSWORD });
        let answer = app.post(LOGIN).host(&acme.host).json(&body).send().await;
        answer.invalid(&["username:invalid"]);
    }
    // A character of each part of a token changed, one at a time: no way round is found.
    let chars: Vec<char> = signed.access.chars().collect();
    for place in (0..chars.len()).step_by(7) {
        let mut changed = chars.clone();
        changed[place] = match chars[place] {
            'A' => 'B',
            '.' => '_',
            _ => 'A',
        };
        let changed: String = changed.into_iter().collect();
        if changed == signed.access {
            continue;
        }
        let answer = app.get("/api/v1/auth/me").bearer(&changed).send().await;
        answer.problem(401, "authentication_required");
    }
    app.get("/api/v1/auth/me")
        .bearer(&signed.access)
        .send()
        .await
        .ok(200);
    app.get(TENANTS).bearer(&admin).send().await.ok(200);
}

on_both!(tokens_and_ids);
