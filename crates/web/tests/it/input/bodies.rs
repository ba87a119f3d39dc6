//! Bodies that are no JSON, no object, too much of one, or of another type.

use serde_json::json;
use tenantry_testkit::app::{Answer, TestApp};
use tenantry_testkit::service::PASSWORD;

const LOGIN: &str = "/api/v1/auth/login";
const TENANTS: &str = "/api/v1/tenants";

async fn post(app: &TestApp, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    app.post(LOGIN).body(kind, body).send().await
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let app = TestApp::start().await;
    let good = r#"{"email":"a@b.example","password":"x"}"#;
    let deep = format!(r#"{{"email":{}"#, "[".repeat(60_000));
    let deep_known = format!(
        r#"{{"password":"x","email":"a@b.example","username":{}"#,
        r#"{"a":"#.repeat(10_000)
    );
    let mut cases: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "nul",
        "{]",
        "{\"email\":}",
        "{email:\"a\"}",
        "{'email':'a'}",
        "\u{0}",
        "undefined",
        "{\"email\":\"a@b.example\",}",
        "NaN",
        "{\"email\":\"\\ud800\",\"password\":\"x\"}",
        "{\"email\":\"\\x41\",\"password\":\"x\"}",
        "{\"email\":\"a\nb\",\"password\":\"x\"}",
        "email=a&password=x",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    cases.push(format!("{good}x").into_bytes());
    cases.push(format!("{good}{good}").into_bytes());
    cases.push(format!("{good}\u{0}").into_bytes());
    cases.push(format!("\u{feff}{good}").into_bytes());
    cases.push(good.encode_utf16().flat_map(u16::to_le_bytes).collect());
    cases.push(b"{\"email\":\"a\xff@b.example\",\"password\":\"x\"}".to_vec());
    cases.push(b"{\"email\":\"a@b.example\",\"password\":\"\xc0\xaf\"}".to_vec());
    cases.push(b"{\"email\":\"a@b.example\",\"password\":\"\xed\xa0\x80\"}".to_vec());
    for body in cases {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = post(&app, "application/json", body).await;
        assert_eq!(
            answer.code().as_deref(),
            Some("malformed_request"),
            "{shown}"
        );
        answer.problem(400, "malformed_request");
    }
    // Depth is refused where it begins, whether or not an end ever comes.
    for body in [
        deep,
        deep_known,
        "[".repeat(60_000),
        r#"{"a":"#.repeat(10_000),
    ] {
        let answer = post(&app, "application/json", body).await;
        assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    }
    post(&app, "application/json", format!(" \r\n\t{good}\n "))
        .await
        .problem(401, "invalid_credentials");
}

#[tokio::test]
async fn what_is_no_object_is_no_request() {
    let app = TestApp::start().await;
    for body in [
        "null",
        "true",
        "1",
        "\"text\"",
        "[]",
        "[[]]",
        r#"["a@b.example",null,"x"]"#,
        r#"[{"email":"a@b.example","password":"x"}]"#,
    ] {
        let answer = post(&app, "application/json", body).await;
        answer.invalid(&[":invalid"]);
    }
    let admin = app.admin().await.access;
    for owner in [
        json!(null),
        json!([]),
        json!(["a@b.example", null, null, null]),
        json!("a@b.example"),
        json!(1),
    ] {
        let body = json!({ "name": "x", "slug": "acme", "owner": owner });
        app.post(TENANTS)
            .bearer(&admin)
            .json(&body)
            .send()
            .await
            .invalid(&["owner:invalid"]);
    }
}

#[tokio::test]
async fn unknown_and_doubled_fields_are_told_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let long = "f".repeat(1000);
    for (body, errors) in [
        (
            r#"{"email":"a@b.example","password":"x","remember":true}"#.to_owned(),
            ["remember:unknown_field".to_owned()],
        ),
        (
            r#"{"email":"a@b.example","email":"c@d.example","password":"x"}"#.to_owned(),
            ["email:duplicate_field".to_owned()],
        ),
        (
            r#"{"email":"a@b.example","password":"x","password":"x"}"#.to_owned(),
            ["password:duplicate_field".to_owned()],
        ),
        (
            r#"{"email":"a@b.example","\u0065mail":"c@d.example","password":"x"}"#.to_owned(),
            ["email:duplicate_field".to_owned()],
        ),
        (
            r#"{"Email":"a@b.example","password":"x"}"#.to_owned(),
            ["Email:unknown_field".to_owned()],
        ),
        (
            r#"{"__proto__":{},"email":"a@b.example","password":"x"}"#.to_owned(),
            ["__proto__:unknown_field".to_owned()],
        ),
        (
            r#"{"":1,"email":"a@b.example","password":"x"}"#.to_owned(),
            [":unknown_field".to_owned()],
        ),
        (
            format!(r#"{{"{long}":1}}"#),
            [format!("{long}:unknown_field")],
        ),
    ] {
        let answer = post(&app, "application/json", body).await;
        answer.invalid(&errors.each_ref().map(String::as_str));
    }
    for (body, error) in [
        (
            r#"{"name":"x","slug":"acme","owner":{"email":"a@b.example","email":"c@d.example"}}"#,
            "owner.email:duplicate_field",
        ),
        (
            r#"{"name":"x","slug":"acme","owner":{"email":"a@b.example","name":"c"}}"#,
            "owner.name:unknown_field",
        ),
        (
            r#"{"name":"x","slug":"acme","owner":{}}"#,
            "owner.email:required",
        ),
        (r#"{"name":"x","slug":"acme"}"#, "owner:required"),
        (
            r#"{"name":"x","owner":{"email":"a@b.example"}}"#,
            "slug:required",
        ),
        (
            r#"{"name":"x","slug":"acme","owner":{"email":"a@b.example"},"owner":{"email":"a@b.example"}}"#,
            "owner:duplicate_field",
        ),
        (
            r#"{"name":"x","slug":"acme","owner":{"email":"a@b.example","role":"owner"}}"#,
            "owner.role:unknown_field",
        ),
        (
            r#"{"name":"x","slug":"acme","owner":{"email":"a@b.example"},"generation":9}"#,
            "generation:unknown_field",
        ),
    ] {
        let call = app
            .post(TENANTS)
            .bearer(&admin)
            .body("application/json", body);
        call.send().await.invalid(&[error]);
    }
    let tenants = app
        .control()
        .number("SELECT COUNT(*) FROM tenants")
        .await
        .unwrap();
    assert_eq!(tenants, 0);
}

#[tokio::test]
async fn the_type_is_json_with_any_parameter_or_it_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let good = format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, acme.owner);
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json ; x=y",
        "application/json;",
        "application/json; charset=\"utf-8\"",
    ] {
        post(&app, kind, good.clone()).await.ok(200);
    }
    for kind in [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json, text/plain",
        "application/ld+json",
        "json",
        "*/*",
        "application/xml",
    ] {
        let answer = post(&app, kind, good.clone()).await;
        assert_eq!(
            answer.code().as_deref(),
            Some("malformed_request"),
            "{kind:?}"
        );
    }
    let length = good.len();
    let none = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{good}"
    );
    app.raw(none).await.problem(400, "malformed_request");
    // Packed bodies are not unpacked: what they would come to is not known before.
    let call = app
        .post(LOGIN)
        .header("content-encoding", "gzip")
        .body("application/json", [0x1f, 0x8b, 8, 0]);
    call.send().await.problem(400, "malformed_request");
}

#[tokio::test]
async fn a_body_has_a_size() {
    let app = TestApp::start().await;
    let sized = |size: usize| {
        let empty = r#"{"email":"a@b.example","password":""}"#.len();
        format!(
            r#"{{"email":"a@b.example","password":"{}"}}"#,
            "x".repeat(size - empty)
        )
    };
    post(&app, "application/json", sized(65_536))
        .await
        .problem(401, "invalid_credentials");
    for size in [65_537, 100_000, 1_000_000, 8_000_000] {
        let answer = post(&app, "application/json", sized(size)).await;
        answer.problem(413, "payload_too_large");
    }
    // The same in chunks, which tell no length before.
    let mut chunked = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    for chunk in sized(200_000).as_bytes().chunks(1000) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let answer = app.raw(chunked).await;
    answer.expect_common("chunks");
    answer.problem(413, "payload_too_large");
    let few = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         26\r\n{}\r\n0\r\n\r\n",
        r#"{"email":"a@b.example","password":"x"}"#
    );
    app.raw(few).await.problem(401, "invalid_credentials");
}

/// A body where none is read does not hurt, however large it says it is.
#[tokio::test]
async fn a_body_that_nobody_reads_changes_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let call = app.get("/api/v1/auth/me").bearer(&token);
    call.body("application/json", "{").send().await.ok(200);
    let head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\nConnection: close\r\n\r\nx";
    app.raw(head).await.ok(200);
}
