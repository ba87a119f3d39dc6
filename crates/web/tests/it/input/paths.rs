//! Paths and queries that are not what they seem.

use tenantry_testkit::app::TestApp;

async fn a_name_in_a_path_is_a_name_and_nothing_else(app: TestApp) {
    app.tenant("acme").await;
    let admin = app.admin().await.access;
    let ask = async |method: &str, path: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n\
             Connection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = app.raw(request).await;
        answer.expect_common(path);
        answer
    };
    for name in [
        "..",
        ".",
        "%2e%2e",
        "%2E%2E%2F%2E%2E",
        "..%2f..%2fetc%2fpasswd",
        "..%5c..",
        "%00",
        "acme%00",
        "acme%0d%0aX-Evil:%201",
        "acme%20",
        "%20acme",
        "ACME",
        "acme.",
        "acme;x=1",
        "acme%3fconfirm=acme",
        "acme%23",
        "%25",
        "%2561cme",
        "'%20OR%20'1'='1",
        "%27;DROP%20TABLE%20tenants;--",
        "*",
        "{tenant}",
        "%f0%9f%92%a9",
        "%e2%80%ae",
        "a%cc%81cme",
        "0192f0c1-0000-7000-8000-0000000000ff",
        "-1",
        "1e9",
    ] {
        let path = format!("/api/v1/tenants/{name}");
        ask("GET", &path).await.problem(404, "not_found");
        ask("DELETE", &format!("{path}?confirm={name}&purge=true"))
            .await
            .problem(404, "not_found");
        ask("POST", &format!("{path}/suspend"))
            .await
            .problem(404, "not_found");
        let run = ask("GET", &format!("/api/v1/workflows/{name}")).await;
        run.problem(404, "not_found");
    }
    // What is no UTF-8 is no name at all.
    for name in ["%ff", "%c0%ae%c0%ae", "acme%ff", "%ed%a0%80", "%80"] {
        for (method, rest) in [
            ("GET", ""),
            ("DELETE", "?confirm=acme"),
            ("POST", "/suspend"),
        ] {
            let path = format!("/api/v1/tenants/{name}{rest}");
            ask(method, &path).await.problem(400, "malformed_request");
        }
        ask("GET", &format!("/api/v1/workflows/{name}"))
            .await
            .problem(400, "malformed_request");
        ask("DELETE", &format!("/api/v1/auth/sessions/{name}"))
            .await
            .problem(400, "malformed_request");
        let page = ask("GET", &format!("/setup/password/{name}")).await;
        assert_eq!(page.status, 400, "{}", page.text());
    }
    // What decodes to the name is the name (RFC 3986, section 6.2.2.2).
    ask("GET", "/api/v1/tenants/%61cme").await.ok(200);
    let long = "a".repeat(8000);
    ask("GET", &format!("/api/v1/tenants/{long}"))
        .await
        .problem(404, "not_found");
    ask("GET", "/api/v1/tenants/acme").await.ok(200);
}

on_both!(a_name_in_a_path_is_a_name_and_nothing_else);

async fn a_query_can_hold_anything(app: TestApp) {
    app.tenant("acme").await;
    let admin = app.admin().await.access;
    for query in [
        "?",
        "?&",
        "?=",
        "?&&=&",
        "?%",
        "?%zz",
        "?a=%00",
        "?a=%ff",
        "?a[b]=c",
        "?a=1&a=2",
        "?%00=1",
        "?confirm=%00",
        "?x=%27%20OR%201=1--",
    ] {
        for path in [
            "/api/v1/auth/me",
            "/api/v1/tenants/acme",
            "/healthz",
            "/login",
            "/metrics",
        ] {
            let request = format!(
                "GET {path}{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n\
                 Connection: close\r\n\r\n"
            );
            let answer = app.raw(request).await;
            answer.expect_common(&format!("{path}{query}"));
            assert_eq!(answer.status, 200, "{path}{query}: {}", answer.text());
        }
        let path = format!("/api/v1/tenants{query}");
        let answer = app.raw(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\nConnection: close\r\n\r\n"
        ));
        let answer = answer.await;
        assert!(
            matches!(answer.status, 200 | 400),
            "{path}: {}",
            answer.text()
        );
    }
}

on_both!(a_query_can_hold_anything);
