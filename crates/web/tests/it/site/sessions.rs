//! The page of one's own sessions, and what the sign-in page says to somebody whose session ended.

use tenantry_testkit::app::{Answer, AppOptions, TestApp};

use super::cookies;
use super::people::Browser;

const ENDED: &str = "/login?reason=session_ended";

/// What an answer sets, by name, with the attributes.
fn set<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let prefix = format!("{name}=");
    let mut all = cookies(answer).into_iter();
    all.find_map(|cookie| cookie.strip_prefix(prefix.as_str()))
}

#[tokio::test]
async fn others_are_ended_and_everything_is() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let here = Browser::open(&app, &acme, &acme.owner).await;
    let there = Browser::open(&app, &acme, &acme.owner).await;
    let text = here.get("/account/sessions").await.text();
    for action in ["end-others", "end-all"] {
        let form = format!("action=\"/account/sessions/{action}\"");
        assert!(text.contains(&form), "{action}");
    }
    let page = "/account/sessions";
    let answer = here.send(page, "/account/sessions/end-others", &[]).await;
    assert_eq!(answer.location(), "/account/sessions?done=others");
    assert_eq!(there.get("/dashboard").await.location(), ENDED);
    assert!(
        !here.get(page).await.text().contains("end-others"),
        "there are none"
    );

    let there = Browser::open(&app, &acme, &acme.owner).await;
    let answer = here.send(page, "/account/sessions/end-all", &[]).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/login?reason=signed_out")
    );
    assert!(set(&answer, "tenantry_session").is_some_and(|rest| rest.starts_with("; Max-Age=0")));
    for browser in [&here, &there] {
        assert_eq!(browser.get("/dashboard").await.location(), ENDED);
    }
}

#[tokio::test]
async fn many_sessions_are_shown_page_by_page() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let here = Browser::open(&app, &acme, &acme.owner).await;
    for _ in 0..50 {
        app.cookie(&acme.host, &acme.owner).await;
    }
    let first = here.get("/account/sessions").await.text();
    assert_eq!(first.matches("class=\"session\"").count(), 50);
    let next = first
        .split("href=\"/account/sessions?cursor=")
        .nth(1)
        .unwrap();
    let next = next.split('"').next().unwrap();
    let path = format!("/account/sessions?cursor={next}");
    let second = here.get(&path).await.text();
    assert_eq!(second.matches("class=\"session\"").count(), 1);
    assert!(second.contains("href=\"/account/sessions\""));
    // What is no cursor shows the beginning.
    let none = here.get("/account/sessions?cursor=x").await.text();
    assert_eq!(none.matches("class=\"session\"").count(), 50);
}

#[tokio::test]
async fn the_sign_in_page_says_why_a_session_ended() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let admin = app.admin().await.access;
    let browser = Browser::open(&app, &acme, &acme.owner).await;
    let path = "/api/v1/tenants/acme/sessions";
    app.call("DELETE", path).bearer(&admin).send().await.ok(200);

    let sent = browser.get("/dashboard").await;
    assert_eq!((sent.status, sent.location()), (303, ENDED));
    assert!(set(&sent, "tenantry_session").is_some_and(|rest| rest.starts_with("; Max-Age=0")));
    let told = set(&sent, "tenantry_ended").unwrap();
    let attributes = "; Max-Age=60; Path=/login; HttpOnly; SameSite=Lax";
    assert_eq!(told, format!("tenant{attributes}"));

    let login = |cookie: &'static str, language: &'static str| {
        let call = app.get(ENDED).host(&acme.host);
        let call = call.header("accept-language", language);
        call.header("cookie", cookie).send()
    };
    let page = login("tenantry_ended=tenant", "en").await;
    assert!(
        page.text().contains("Everybody here was signed out"),
        "{}",
        page.text()
    );
    // It is told once.
    assert!(set(&page, "tenantry_ended").is_some_and(|rest| rest.starts_with("; Max-Age=0")));
    let page = login("tenantry_ended=tenant", "de").await;
    assert!(page.text().contains("Hier wurden alle abgemeldet"));
    // Without a word, or with one that nobody knows, it says what it always said.
    for cookie in [
        "x=y",
        "tenantry_ended=<b>",
        "tenantry_ended=tenant; tenantry_ended=limit",
    ] {
        let page = login(cookie, "en").await;
        assert!(page.text().contains("Your session has ended."), "{cookie}");
        assert!(!page.text().contains("<b>"));
    }
    // The word alone says nothing where no session ended.
    let call = app.get("/login").host(&acme.host);
    let page = call.header("cookie", "tenantry_ended=reuse").send().await;
    assert!(!page.text().contains("had a copy"));
}

#[tokio::test]
async fn a_stale_cookie_at_the_sign_in_page_is_taken_back() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let here = Browser::open(&app, &acme, &acme.owner).await;
    let there = Browser::open(&app, &acme, &acme.owner).await;
    here.send("/account/sessions", "/account/sessions/end-others", &[])
        .await;
    for path in ["/login", ENDED] {
        let page = there.get(path).await;
        assert_eq!(page.status, 200);
        assert!(set(&page, "tenantry_session").is_some_and(|rest| rest.starts_with("; Max-Age=0")));
        assert!(
            page.text()
                .contains("You ended this session from another one")
        );
    }
    // A session that is good, and what never was one, stay as they are.
    let page = here.get("/login").await;
    assert_eq!((page.status, page.location()), (303, "/dashboard"));
    assert!(set(&page, "tenantry_session").is_none());
    let call = app.get("/login").host(&acme.host).cookie("garbage");
    let page = call.send().await;
    assert_eq!(page.status, 200);
    assert!(set(&page, "tenantry_session").is_none());
    // So does one that is good at another tenant.
    let globex = app.tenant("globex").await;
    let cookie = app.cookie(&globex.host, &globex.owner).await;
    let page = app
        .get("/login")
        .host(&acme.host)
        .cookie(&cookie)
        .send()
        .await;
    assert!(page.status == 200 && set(&page, "tenantry_session").is_none());
}

#[tokio::test]
async fn with_https_the_word_is_told_over_https_alone() {
    let app = AppOptions {
        public_url: "https://localhost",
        ..AppOptions::default()
    };
    let app = app.start().await;
    let acme = app.tenant("acme").await;
    let signed = super::signed_in(&app, &acme.host, &acme.owner, "__Host-").await;
    let session = set(&signed, "__Host-tenantry_session").unwrap();
    let cookie = format!(
        "__Host-tenantry_session={}",
        session.split(';').next().unwrap()
    );
    let admin = app.admin().await.access;
    let path = "/api/v1/tenants/acme/sessions";
    app.call("DELETE", path).bearer(&admin).send().await.ok(200);
    let call = app.get("/dashboard").host(&acme.host);
    let sent = call.header("cookie", &cookie).send().await;
    let told = set(&sent, "__Secure-tenantry_ended").unwrap();
    assert!(
        told.ends_with("; Path=/login; HttpOnly; SameSite=Lax; Secure"),
        "{told}"
    );
}
