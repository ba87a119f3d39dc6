//! Why a session ended, as its person reads it: on the sign-in page in both languages, and as a
//! program's answers say it; and who is signed out by nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;
use tenantry_core::session::EndReason;
use tenantry_core::{Locale, Role};
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::{Answer, AppOptions, SignIn, TestApp, TestTenant};
use tenantry_testkit::service::{Options, PASSWORD, link_token};

use super::cookies;
use super::people::Browser;

const ENDED: &str = "/login?reason=session_ended";

/// What is said of it, in English and in German; of none, that it ended.
const fn words(why: Option<EndReason>) -> [&'static str; 2] {
    match why {
        None => [
            "Your session has ended. Please sign in again.",
            "Ihre Sitzung ist beendet. Bitte melden Sie sich erneut an.",
        ],
        Some(EndReason::Logout) => ["You have signed out.", "Sie haben sich abgemeldet."],
        Some(EndReason::Revoked) => [
            "You ended this session from another one.",
            "Sie haben diese Sitzung von einer anderen aus beendet.",
        ],
        Some(EndReason::Admin) => [
            "An administrator ended your session",
            "Ihre Sitzung wurde von der Verwaltung beendet",
        ],
        Some(EndReason::Reuse) => [
            "Somebody else may have had a copy of your session",
            "Vielleicht hatte jemand anderes eine Kopie Ihrer Sitzung",
        ],
        Some(EndReason::Password) => ["Your password was changed", "Ihr Passwort wurde geändert"],
        Some(EndReason::Address) => ["Your address was changed", "Ihre Adresse wurde geändert"],
        Some(EndReason::Tenant) => [
            "Everybody here was signed out",
            "Hier wurden alle abgemeldet",
        ],
        Some(EndReason::Limit) => [
            "You signed in elsewhere, and only so many sessions",
            "Sie haben sich anderswo angemeldet, und nur eine begrenzte Zahl",
        ],
    }
}

const LANGUAGES: [&str; 2] = ["en", "de"];

/// Somebody who is signed in with a browser and with a program.
struct Somebody {
    email: String,
    cookie: String,
    signed: SignIn,
}

struct Stage {
    app: TestApp,
    acme: TestTenant,
}

impl Stage {
    async fn set() -> Self {
        let most = NonZeroU32::new(3).unwrap();
        let options = Options::sqlite().with_sessions_per_user(most);
        let app = AppOptions::over(options.without_rate_limits())
            .start()
            .await;
        let acme = app.tenant("acme").await;
        Self { app, acme }
    }

    async fn somebody(&self, name: &str) -> Somebody {
        let email = format!("{name}@acme.example");
        self.app
            .person(&self.acme, &email, Role::Member, false)
            .await;
        Somebody {
            cookie: self.app.cookie(&self.acme.host, &email).await,
            signed: self.app.sign_in(&self.acme.host, &email).await,
            email,
        }
    }

    async fn act(&self, by: &str, method: &str, path: &str, body: Option<serde_json::Value>) {
        let mut call = self.app.call(method, path).bearer(by);
        if let Some(body) = &body {
            call = call.json(body);
        }
        let answer = call.send().await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    }

    /// Ends both sessions as the product does; a browser's never for reuse, since its cookie is not
    /// replaced.
    async fn end(&self, why: EndReason, person: &Somebody) {
        let (app, host) = (&self.app, &self.acme.host);
        let own = &person.signed.access;
        let password =
            json!({ "current_password": PASSWORD, "new_password": "quite another one of these" });
        match why {
            EndReason::Logout => {
                self.act(own, "POST", "/api/v1/auth/logout", None).await;
                let cookie = Credential::Cookie(&person.cookie);
                let browser = app.service().authenticate(cookie, None).await.unwrap();
                let handle = browser.session.handle();
                app.service().sign_out(&handle).await.unwrap();
            }
            EndReason::Revoked => {
                let third = app.sign_in(host, &person.email).await.access;
                self.act(&third, "DELETE", "/api/v1/auth/sessions", None)
                    .await;
            }
            EndReason::Admin => {
                let owner = app.sign_in(host, &self.acme.owner).await.access;
                let id = person.signed.body["user"]["id"].as_str().unwrap();
                let path = format!("/api/v1/users/{id}/sessions");
                self.act(&owner, "DELETE", &path, None).await;
            }
            EndReason::Reuse => {
                self.refresh(person).await.ok(200);
                self.refresh(person).await.problem(401, "session_stale");
            }
            EndReason::Password => {
                let third = app.sign_in(host, &person.email).await.access;
                let path = "/api/v1/auth/me/password";
                self.act(&third, "POST", path, Some(password)).await;
            }
            EndReason::Address => {
                let third = app.sign_in(host, &person.email).await.access;
                let body = json!({ "email": "elsewhere@acme.example" });
                self.act(&third, "PATCH", "/api/v1/auth/me", Some(body))
                    .await;
                self.follow("elsewhere@acme.example").await;
            }
            EndReason::Tenant => {
                let admin = app.admin().await.access;
                self.act(&admin, "DELETE", "/api/v1/tenants/acme/sessions", None)
                    .await;
            }
            EndReason::Limit => {
                for _ in 0..3 {
                    app.clock().advance(Duration::from_secs(1));
                    app.sign_in(host, &person.email).await;
                }
            }
        }
    }

    /// Follows the link that was mailed to a new address, in a browser of its own.
    async fn follow(&self, email: &str) {
        let mails = self.app.inner().mails().await.unwrap();
        let texts = mails.iter().filter(|mail| mail.to == email);
        let mut tokens =
            texts.filter_map(|mail| link_token(mail.text.as_deref()?, "/verify-email/"));
        let token = tokens.next().unwrap();
        let service = self.app.service();
        let confirming = service.confirm_new_address(&token, None, None, Locale::En);
        confirming.await.unwrap();
    }

    async fn refresh(&self, person: &Somebody) -> Answer {
        let body = json!({ "refresh_token": person.signed.refresh });
        self.app
            .post("/api/v1/auth/refresh")
            .json(&body)
            .send()
            .await
    }

    async fn at(&self, path: &str, cookie: &str, language: &str) -> Answer {
        let call = self.app.get(path).host(&self.acme.host);
        let call = call.header("accept-language", language);
        call.header("cookie", cookie).send().await
    }

    /// What a browser reads that shows its session's cookie.
    async fn browser_reads(&self, person: &Somebody, why: Option<EndReason>) {
        let session = format!("tenantry_session={}", person.cookie);
        let sent = self.at("/dashboard", &session, "en").await;
        assert_eq!(sent.location(), ENDED, "{why:?}");
        let set = cookies(&sent);
        let told = set
            .iter()
            .find(|cookie| cookie.starts_with("tenantry_ended="));
        let told = told.map(|cookie| cookie.split(';').next().unwrap());
        let word = why.map(|why| format!("tenantry_ended={}", why.as_str()));
        assert_eq!(told.map(str::to_owned), word);
        for (language, words) in LANGUAGES.into_iter().zip(words(why)) {
            // Sent here by us, and come here by itself.
            for (path, cookie) in [(ENDED, told.unwrap_or("x=y")), ("/login", &session)] {
                let page = self.at(path, cookie, language).await;
                let text = page.text();
                assert!(
                    page.status == 200 && text.contains(words),
                    "{why:?}: {text}"
                );
            }
        }
    }

    /// What a program reads, on any route and where it renews its session.
    async fn program_reads(&self, person: &Somebody, why: Option<EndReason>) {
        let me = self
            .app
            .get("/api/v1/auth/me")
            .bearer(&person.signed.access);
        for (case, answer) in [
            ("me", me.send().await),
            ("refresh", self.refresh(person).await),
        ] {
            if case == "me" && why.is_none() {
                // The access token ran out before the session did.
                answer.problem(401, "authentication_required");
                continue;
            }
            let told = answer.problem(401, "session_stale");
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.contains(words(why)[0]), "{why:?}: {case}: {detail}");
        }
    }
}

#[tokio::test]
async fn each_reason_is_told_to_browsers_and_programs() {
    let stage = Stage::set().await;
    for why in EndReason::ALL.iter().copied() {
        let person = stage.somebody(why.as_str()).await;
        stage.end(why, &person).await;
        stage.program_reads(&person, Some(why)).await;
        if why != EndReason::Reuse {
            stage.browser_reads(&person, Some(why)).await;
        }
    }
    // What ran out was ended by nobody.
    let person = stage.somebody("nobody").await;
    stage.app.clock().advance(Duration::from_hours(25));
    stage.program_reads(&person, None).await;
    stage.browser_reads(&person, None).await;
}

/// The one whose session it was is told where he looks after his sessions, until the password is
/// another.
#[tokio::test]
async fn a_copied_session_is_told_of_in_the_list_of_ones_own() {
    let stage = Stage::set().await;
    let person = stage.somebody("copied").await;
    let page = "/account/sessions";
    let session = format!("tenantry_session={}", person.cookie);
    let told = [
        "as somebody else may have had a copy of it",
        "denn vielleicht hatte jemand anderes eine Kopie davon",
    ];
    for is_over in [false, true] {
        for (language, words) in LANGUAGES.into_iter().zip(told) {
            let text = stage.at(page, &session, language).await.text();
            assert_eq!(text.contains(words), is_over, "{text}");
        }
        if !is_over {
            stage.end(EndReason::Reuse, &person).await;
        }
    }
    let own = Browser::open(&stage.app, &stage.acme, &person.email).await;
    let form = [
        ("current_password", PASSWORD),
        ("new_password", "quite another one of these"),
    ];
    let changed = own
        .send("/account/password", "/account/password", &form)
        .await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    let text = own.get(page).await.text();
    assert!(
        text.contains("class=\"session\"") && !text.contains(told[0]),
        "{text}"
    );
}

/// Whether an answer takes the session's cookie back.
fn takes_back(answer: &Answer) -> bool {
    let set = cookies(answer);
    set.iter()
        .any(|cookie| cookie.starts_with("tenantry_session=; Max-Age=0"))
}

#[tokio::test]
async fn a_link_to_another_tenant_signs_nobody_out() {
    let stage = Stage::set().await;
    let app = &stage.app;
    let root = "root@platform.example";
    app.platform_admin(root).await;
    app.tenant("globex").await;
    let admin = app.cookie("localhost", root).await;
    let owner = app.cookie("localhost", &stage.acme.owner).await;
    for cookie in [&admin, &owner] {
        for path in ["/dashboard", "/account/sessions", "/admin", "/login"] {
            let linked = format!("{path}?tenant_id=globex");
            let answer = app.get(&linked).cookie(cookie).send().await;
            let case = format!("{linked}: {}", answer.text());
            assert!(!takes_back(&answer), "{case}");
            if path != "/login" {
                let to = format!("/login?return_to={path}");
                assert_eq!(answer.location(), to, "{case}");
            }
        }
        let here = app.get("/dashboard").cookie(cookie).send().await;
        assert_eq!(here.status, 200);
    }
    // What is nobody's goes.
    let linked = app.get("/dashboard?tenant_id=globex").cookie("garbage");
    assert!(takes_back(&linked.send().await));
}

#[tokio::test]
async fn where_nobody_gets_in_whoever_was_signed_in_is_told() {
    let told = [
        "Your session has ended. Once the organisation is back, please sign in again.",
        "Ihre Sitzung ist beendet. Sobald die Organisation wieder erreichbar ist, melden Sie sich bitte erneut an.",
    ];
    let stage = Stage::set().await;
    let person = stage.somebody("left").await;
    let id = stage.acme.id.parse().unwrap();
    let session = format!("tenantry_session={}", person.cookie);
    let service = stage.app.service();
    service.suspend_tenant(id).await.unwrap();
    for is_deleted in [false, true] {
        if is_deleted {
            service.delete_tenant(id, false).await.unwrap();
        }
        let sent = stage.at("/dashboard", &session, "en").await;
        assert_eq!(sent.location(), ENDED);
        assert!(takes_back(&sent));
        for (language, words) in LANGUAGES.into_iter().zip(told) {
            for (path, cookie, was_in) in [
                ("/login", session.as_str(), true),
                (ENDED, "tenantry_ended=tenant", true),
                ("/login", "x=y", false),
                ("/login", "tenantry_session=garbage", false),
            ] {
                let page = stage.at(path, cookie, language).await;
                let (case, text) = (format!("{path} with {cookie}"), page.text());
                assert_eq!((page.status, text.contains(words)), (503, was_in), "{case}");
                assert_eq!(takes_back(&page), cookie == session, "{case}");
                let forgets = cookies(&page)
                    .iter()
                    .any(|set| set.starts_with("tenantry_ended=; Max-Age=0"));
                assert_eq!(forgets, cookie.starts_with("tenantry_ended="), "{case}");
            }
        }
    }
}
