//! Octets that are hardly HTTP.

use tenantry_testkit::app::TestApp;

#[tokio::test]
async fn other_versions_and_odd_targets() {
    let app = TestApp::start().await;
    let host = "Host: localhost\r\nConnection: close\r\n\r\n";
    app.raw(format!("GET /healthz HTTP/1.0\r\n{host}"))
        .await
        .ok(200);
    app.raw(format!("GET http://localhost/healthz HTTP/1.1\r\n{host}"))
        .await
        .ok(200);
    for line in [
        "OPTIONS * HTTP/1.1",
        "GET /healthz/ HTTP/1.1",
        "GET /./healthz HTTP/1.1",
        "GET /x/../healthz HTTP/1.1",
    ] {
        let answer = app.raw(format!("{line}\r\n{host}")).await;
        answer.expect_common(line);
        assert!(
            matches!(answer.status, 404 | 405),
            "{line}: {}",
            answer.status
        );
    }
    let answer = app
        .raw(format!("CONNECT localhost:80 HTTP/1.1\r\n{host}"))
        .await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let answer = app
        .raw(format!(
            "TRACE /healthz HTTP/1.1\r\nX-Secret: s3cret\r\n{host}"
        ))
        .await;
    answer.problem(405, "method_not_allowed");
    assert!(!answer.text().contains("s3cret"), "a trace repeats nothing");
}

/// What is no HTTP/1 never reaches a route. Whatever the answer, it is a refusal, and it is short.
#[tokio::test]
async fn what_is_no_http_is_refused() {
    let app = TestApp::start().await;
    let host = "Host: localhost\r\nConnection: close\r\n\r\n";
    for request in [
        format!("GET /healthz HTTP/2.0\r\n{host}"),
        format!("GET /healthz HTTP/9.9\r\n{host}"),
        format!("GET /healthz\r\n{host}"),
        format!("GET  /healthz  HTTP/1.1\r\n{host}"),
        format!("GET /health z HTTP/1.1\r\n{host}"),
        format!("GET /\u{0} HTTP/1.1\r\n{host}"),
        format!("G\u{0}T / HTTP/1.1\r\n{host}"),
        format!(" GET / HTTP/1.1\r\n{host}"),
        format!("GET /healthz HTTP/1.1\r\nBad Header: x\r\n{host}"),
        format!("GET /healthz HTTP/1.1\r\nX-Tenant-ID : acme\r\n{host}"),
        format!("GET /healthz HTTP/1.1\r\n folded\r\n{host}"),
        format!("GET /healthz HTTP/1.1\r\nX: a\u{0}b\r\n{host}"),
        format!("GET /healthz HTTP/1.1\r\nNoColon\r\n{host}"),
        format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n{host}hello"
        ),
        format!("POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: -1\r\n{host}"),
        format!("POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: x\r\n{host}"),
        format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n{host}"
        ),
        format!("POST /api/v1/auth/login HTTP/1.1\r\nTransfer-Encoding: gzip\r\n{host}"),
        format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n{host}0\r\n\r\n"
        ),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        "\r\n\r\n\r\nHELLO\r\n\r\n".to_owned(),
    ] {
        let answer = app.raw(&request).await;
        let shown = request.chars().take(80).collect::<String>();
        assert!(
            matches!(answer.status, 400 | 404 | 405 | 431 | 501 | 505),
            "{shown:?}: {}",
            answer.status
        );
        assert!(answer.body.len() < 400, "{shown:?}: {}", answer.text());
    }
    app.get("/healthz").send().await.ok(200);
}

#[tokio::test]
async fn heads_have_a_size() {
    let app = TestApp::start().await;
    let tail = "Host: localhost\r\nConnection: close\r\n\r\n";
    let long = "x".repeat(10_000);
    let answer = app
        .raw(format!("GET /healthz HTTP/1.1\r\nX-Long: {long}\r\n{tail}"))
        .await;
    answer.ok(200);
    let many: Vec<String> = (0..200)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let many = many.concat();
    let answer = app
        .raw(format!("GET /healthz HTTP/1.1\r\n{many}{tail}"))
        .await;
    assert_eq!(answer.status, 431);
    let huge = "x".repeat(2_000_000);
    let answer = app
        .raw(format!("GET /healthz HTTP/1.1\r\nX-Huge: {huge}\r\n{tail}"))
        .await;
    assert_eq!(answer.status, 431);
    let answer = app.raw(format!("GET /{huge} HTTP/1.1\r\n{tail}")).await;
    assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    let cookie = format!("Cookie: {}\r\n", "tenantry_session=x; ".repeat(2000));
    let answer = app
        .raw(format!("GET /dashboard HTTP/1.1\r\n{cookie}{tail}"))
        .await;
    answer.expect_common("many cookies");
    assert_eq!(answer.status, 303);
}

/// A length and chunks at once is how requests are smuggled past a proxy (RFC 9112, section 6.1).
#[tokio::test]
async fn a_body_that_two_readers_would_read_differently_is_not_read_on() {
    let app = TestApp::start().await;
    let smuggled = "GET /api/v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}\
         GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    let answer = app.raw(request).await;
    assert_eq!(answer.status, 400);
    let rest = answer.text();
    assert!(
        !rest.contains("HTTP/1.1 200"),
        "the connection goes on: {rest}"
    );
}

#[tokio::test]
async fn headers_of_credentials_that_are_no_text() {
    let app = TestApp::start().await;
    for value in [
        &b"Bearer \xff\xfe"[..],
        b"\xff",
        b"Bearer \x80",
        "Bearer \u{fc}".as_bytes(),
    ] {
        let mut request = b"GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ".to_vec();
        request.extend(value);
        request.extend(b"\r\n\r\n");
        app.raw(request)
            .await
            .problem(401, "authentication_required");
        let mut request = b"GET /dashboard HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: tenantry_session=".to_vec();
        request.extend(value);
        request.extend(b"\r\n\r\n");
        assert_eq!(app.raw(request).await.status, 303);
    }
}

/// Who hangs up at once may come too early to be heard; who hangs up while his tenant is in the making
/// gets it all the same.
#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing_half_done() {
    use tokio::io::AsyncWriteExt as _;
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let ask = async |slug: &str| {
        let body = format!(r#"{{"name":"x","slug":"{slug}","owner":{{"email":"a@b.example"}}}}"#);
        let request = format!(
            "POST /api/v1/tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    };
    for number in 0..5 {
        drop(ask(&format!("gone-{number}")).await);
        let begun = ask(&format!("begun-{number}")).await;
        let row = format!("SELECT COUNT(*) FROM tenants WHERE slug = 'begun-{number}'");
        app.control().until(&row).await.unwrap();
        drop(begun);
    }
    let made = "SELECT COUNT(*) = 5 FROM tenants WHERE slug LIKE 'begun-%' AND status = 'active'";
    app.control().until(made).await.unwrap();
    // Of the others too, each is wholly there or not at all.
    let whole = "SELECT COUNT(*) = 0 FROM tenants WHERE status <> 'active'";
    app.control().until(whole).await.unwrap();
}
