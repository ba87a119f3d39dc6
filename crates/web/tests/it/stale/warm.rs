//! Credentials that are in memory, kept there until the moment they end.

use std::time::Duration;

use serde_json::json;
use tenantry_core::user::SecurityVersion;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_service::sessions::Credential;
use tenantry_service::signin::Person as Somebody;
use tenantry_testkit::app::{Answer, Call, TestApp};
use tokio::task::JoinHandle;

use super::changes::{Person, is_gone};

/// How often somebody asks while the change is made: often enough that what was read before it is
/// still young when it has happened, were nothing told.
const PACE: Duration = Duration::from_millis(20);

/// Requests that go on until it is dropped.
pub(super) struct Warm {
    pub(super) security_version: i64,
    asking: JoinHandle<()>,
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// The hosts at which somebody may be asked for: one's own, and where none is named.
fn hosts(person: &Person) -> Vec<&str> {
    let own = (person.host != "localhost").then_some(person.host.as_str());
    own.into_iter().chain(["localhost"]).collect()
}

/// What carries a session, each in every way.
fn calls(app: &TestApp, person: &Person, host: &str) -> [(&'static str, Call); 4] {
    [
        ("page", app.get("/dashboard").cookie(&person.cookie)),
        ("api", app.get("/api/v1/auth/me").bearer(&person.access)),
        ("verify", app.get("/auth/verify").cookie(&person.cookie)),
        ("verify", app.get("/auth/verify").bearer(&person.access)),
    ]
    .map(|(name, call)| (name, call.host(host)))
}

impl Warm {
    /// Asks until everything is answered from memory, and goes on asking.
    pub(super) async fn up(app: &TestApp, person: &Person) -> Self {
        let before = app.service().fact_counts().hits;
        for _ in 0..3 {
            for host in hosts(person) {
                for (name, call) in calls(app, person, host) {
                    let answer = call.send().await;
                    assert_eq!(answer.status, 200, "{name} at {host}: {}", answer.text());
                }
            }
        }
        let hits = app.service().fact_counts().hits - before;
        assert!(hits >= 8, "{hits} answers from memory");
        let (service, cookie, access) = (
            app.service().clone(),
            person.cookie.clone(),
            person.access.clone(),
        );
        let principal = service
            .authenticate(Credential::Cookie(&cookie), None)
            .await;
        let SecurityVersion(security_version) = match &principal.unwrap().person {
            Somebody::User { user, .. } => user.security_version,
            Somebody::Admin(admin) => admin.security_version,
        };
        let asking = tokio::spawn(async move {
            loop {
                for shown in [Credential::Cookie(&cookie), Credential::Bearer(&access)] {
                    // Refused or not: that is looked at when the change has been made.
                    drop(service.authenticate(shown, None).await);
                }
                tokio::time::sleep(PACE).await;
            }
        });
        Self {
            security_version,
            asking,
        }
    }

    /// Nothing of it counts any more, wherever it is shown.
    pub(super) async fn expect_stale(&self, app: &TestApp, person: &Person, case: &str) {
        let asked = if is_gone(case) {
            vec!["localhost"]
        } else {
            hosts(person)
        };
        for host in asked {
            for (name, call) in calls(app, person, host) {
                let case = format!("{case}: {name} at {host}");
                let answer = call.send().await;
                if name == "page" {
                    is_led_to_sign_in(&answer, &case);
                    shows_itself(app, person, host, &case).await;
                } else {
                    let seen = (answer.status, answer.code());
                    assert_eq!(seen, (401, Some("session_stale".to_owned())), "{case}");
                    answer.problem(401, "session_stale");
                }
            }
        }
        let body = json!({ "refresh_token": person.refresh });
        let renewed = app.post("/api/v1/auth/refresh").json(&body).send().await;
        let seen = (renewed.status, renewed.code());
        assert_eq!(seen, (401, Some("session_stale".to_owned())), "{case}");
    }
}

/// Whether an answer takes the session's cookie back.
fn takes_back(answer: &Answer) -> bool {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .any(|cookie| cookie.starts_with("tenantry_session=;") && cookie.contains("Max-Age=0"))
}

#[track_caller]
fn is_led_to_sign_in(answer: &Answer, case: &str) {
    assert_eq!(answer.status, 303, "{case}: {}", answer.text());
    assert_eq!(answer.location(), "/login?reason=session_ended", "{case}");
    assert!(takes_back(answer), "{case}: the cookie is not taken back");
}

/// A browser that keeps the cookie all the same is in no loop, and is told what a browser is told that
/// came by itself: that the session ended. Where nobody gets in by now, the page says that too.
async fn shows_itself(app: &TestApp, person: &Person, host: &str, case: &str) {
    let named = Hints {
        host: Some(host.to_owned()),
        ..Hints::default()
    };
    let place = app.service().resolve(&named).await.unwrap();
    let status = match place {
        Resolved::Closed(_) => 503,
        Resolved::None | Resolved::Open(_) => 200,
    };
    for path in ["/login?reason=session_ended", "/login"] {
        let login = app.get(path).host(host).cookie(&person.cookie);
        let answer = login.send().await;
        let (case, text) = (format!("{case}: {path}"), answer.text().to_lowercase());
        assert_eq!(answer.status, status, "{case}");
        assert!(answer.header("location").is_none(), "{case}");
        let says = text.contains("role=\"status\"") && text.contains("please sign in");
        assert!(says, "{case}: {text}");
        assert!(takes_back(&answer), "{case}: the cookie is not taken back");
    }
}
