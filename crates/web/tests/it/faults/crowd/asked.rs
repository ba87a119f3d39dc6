//! What each of the crowd asks, and what he may be answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tenantry_core::throttle::Limits;
use tenantry_testkit::app::{AccessToken, Answer, Call, SignIn, TestApp};
use tenantry_testkit::service::PASSWORD;

use super::people::{names, text};
use super::{Ground, PACE, Side, TRIES, locked, sign_in, timed};

/// One of the crowd.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) app: Arc<TestApp>,
    pub(super) side: Arc<Side>,
    pub(super) other: Arc<Side>,
    pub(super) place: usize,
    pub(super) ground: Arc<Ground>,
}

/// How somebody who did nothing wrong was answered.
enum Heard {
    /// As ever.
    Well(Answer),
    /// To come back later.
    Away,
    /// That the session is over, where sessions may be lost.
    Over,
}

impl Asking {
    fn goes_on(&self) -> bool {
        !self.ground.enough.load(Ordering::SeqCst)
    }

    fn app(&self, method: &str, path: &str) -> Call {
        self.app.call(method, path).host(&self.side.tenant.host)
    }

    /// Sends a request and looks at what holds for every answer.
    async fn send(&self, asked: &'static str, call: Call) -> Answer {
        // What the guard answers comes to no handler.
        let handled = !matches!(asked, "verify" | "forged");
        let under_way = if handled {
            Some(self.ground.under_way.read().await)
        } else {
            None
        };
        let (phase, since) = (self.ground.phase(), Instant::now());
        let (answer, took) = timed(call).await;
        drop(under_way);
        self.ground.note(&self.side, asked, answer.status, since);
        let case = format!("{asked} at {} ({phase})", self.side.tenant.slug);
        assert!(took < self.side.bounds.longest, "{case} took {took:?}");
        if answer.status == 503 {
            self.is_told(&answer, asked, &case);
        }
        tokio::time::sleep(PACE).await;
        answer
    }

    /// Whoever is turned away learns when to come back, and nothing about anybody's tenant.
    fn is_told(&self, answer: &Answer, asked: &str, case: &str) {
        assert!(answer.header("x-user-id").is_none(), "{case}");
        let cookies = answer.headers.get_all("set-cookie").iter();
        let taken = cookies
            .filter_map(|value| value.to_str().ok())
            .any(|cookie| cookie.starts_with("tenantry_session="));
        assert!(!taken, "{case}: the cookie is taken back");
        if asked == "page" {
            assert_eq!(
                answer.header("content-type"),
                Some("text/html; charset=utf-8"),
                "{case}"
            );
            assert!(answer.text().contains("<main"), "{case}");
            assert!(
                !self.side.bounds.away.is_empty(),
                "{case}: {}",
                answer.status
            );
            return;
        }
        let code = answer.code().unwrap_or_default();
        assert!(self.side.bounds.away.contains(&&*code), "{case}: {code}");
        // Where nobody knows whether a token was replaced, it is not to be shown again.
        if asked == "refresh" && answer.header("retry-after").is_none() {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{case}");
        } else {
            answer.problem(503, &code);
        }
        let text = answer.text();
        for side in [&self.side, &self.other] {
            assert!(!text.contains(&side.tenant.slug), "{case}: {text}");
            assert!(!text.contains(&side.tenant.id), "{case}: {text}");
        }
    }

    /// The same for somebody who did nothing wrong.
    async fn expects(&self, asked: &'static str, call: Call) -> Heard {
        let answer = self.send(asked, call).await;
        match answer.status {
            200 => Heard::Well(answer),
            503 => Heard::Away,
            status => {
                let emptied = self.ground.emptied.load(Ordering::SeqCst);
                let case = format!("{asked} with {status} ({})", self.ground.phase());
                assert!(emptied, "{case}: {}", answer.text());
                match asked {
                    "page" => assert_eq!(answer.location(), "/login?reason=session_ended"),
                    _ => drop(answer.problem(401, "session_stale")),
                }
                Heard::Over
            }
        }
    }

    /// Somebody who is signed in throughout, in a browser and with a program.
    pub(super) async fn stays(self) {
        let (tenant, owner) = (&self.side.tenant, &self.side.owner);
        while self.goes_on() {
            let verify = || self.app("GET", "/auth/verify");
            let me = self.app("GET", "/api/v1/auth/me");
            let page = self.app("GET", "/dashboard");
            let (cookie, token, me, page, alive) = tokio::join!(
                self.expects("verify", verify().cookie(&owner.cookie)),
                self.expects("verify", verify().bearer(&owner.signed.access)),
                self.expects("api", me.bearer(&owner.signed.access)),
                self.expects("page", page.cookie(&owner.cookie)),
                timed(self.app("GET", "/healthz")),
            );
            for heard in [cookie, token] {
                if let Heard::Well(answer) = heard {
                    names(&answer, tenant, &owner.id);
                }
            }
            if let Heard::Well(answer) = me {
                let body = answer.json();
                assert_eq!(text(&body["id"]), owner.id);
                assert_eq!(text(&body["tenant"]["id"]), tenant.id);
            }
            if let Heard::Well(answer) = page {
                assert!(answer.text().contains(&tenant.owner), "{}", answer.text());
            }
            // What machines ask is answered whatever happens.
            let (alive, took) = alive;
            alive.ok(200);
            assert!(took < Duration::from_secs(3), "alive after {took:?}");
        }
    }

    /// Somebody who shows what ended, was forged, or is good elsewhere.
    pub(super) async fn tries_what_opens_nothing(self) {
        let (gone, elsewhere) = (&self.side.gone, &self.other.owner);
        let good = AccessToken::parse(&self.side.owner.signed.access);
        let forged = [
            good.signed_by_another(None),
            good.signed_by_another(good.header["kid"].as_str()),
            good.unsigned(),
            good.forged(&AccessToken::parse(&gone.signed.access).claims),
        ];
        let mut turned = self.side.owner.cookie.clone();
        let last = if turned.pop() == Some('A') { 'B' } else { 'A' };
        turned.push(last);
        while self.goes_on() {
            let mut calls = vec![];
            for path in ["/auth/verify", "/api/v1/auth/me"] {
                let tokens = [&gone.signed.access, &elsewhere.signed.access];
                for token in tokens.into_iter().chain(&forged) {
                    calls.push(self.app("GET", path).bearer(token));
                }
            }
            for cookie in [&gone.cookie, &elsewhere.cookie, &turned] {
                calls.push(self.app("GET", "/auth/verify").cookie(cookie));
            }
            let calls = calls.into_iter().map(|call| ("forged", call));
            let body = json!({ "refresh_token": gone.signed.refresh });
            let renewing = self.app("POST", "/api/v1/auth/refresh").json(&body);
            let calls = calls.chain([("renewed", renewing)]);
            let asking = calls.map(|(asked, call)| self.send(asked, call));
            for answer in join_all(asking).await {
                let refused = matches!(answer.status, 401 | 503);
                assert!(refused, "{}: {}", self.ground.phase(), answer.text());
                assert!(answer.header("x-user-id").is_none());
            }
            tokio::time::sleep(5 * PACE).await;
        }
    }

    /// Somebody who signs in, looks, renews, and signs out.
    pub(super) async fn comes_and_goes(self) {
        let (host, email) = (&self.side.tenant.host, &self.side.comes);
        while self.goes_on() {
            let call = sign_in(&self.app, host, email, PASSWORD);
            let Heard::Well(answer) = self.expects("sign in", call).await else {
                continue;
            };
            let signed = SignIn::of(answer.json());
            let user = text(&signed.body["user"]["id"]).to_owned();
            let call = self.app("GET", "/auth/verify").bearer(&signed.access);
            if let Heard::Well(answer) = self.expects("verify", call).await {
                names(&answer, &self.side.tenant, &user);
            }
            let body = json!({ "refresh_token": signed.refresh });
            let call = self.app("POST", "/api/v1/auth/refresh").json(&body);
            let signed = match self.expects("refresh", call).await {
                Heard::Well(answer) => SignIn::of(answer.json()),
                Heard::Away | Heard::Over => signed,
            };
            let call = self.app("POST", "/api/v1/auth/logout");
            let call = call.bearer(&signed.access);
            let Heard::Well(_) = self.expects("sign out", call).await else {
                continue;
            };
            let call = self.app("GET", "/auth/verify").bearer(&signed.access);
            let after = self.send("signed out", call).await;
            assert!(matches!(after.status, 401 | 503), "{}", after.text());
            locked(&self.ground.ended).push((self.place, signed));
        }
    }

    /// Somebody who guesses, at one name after the other and from many networks. The clock stands
    /// still, so that nobody has waited long enough to go on at any name.
    pub(super) async fn guesses(self) {
        let host = &self.side.tenant.host;
        let mut round = 0;
        while self.goes_on() {
            let name = format!("somebody{round}@{}.example", self.side.tenant.slug);
            let (mut compared, mut tries) = (0, 0);
            while tries < TRIES && self.goes_on() {
                let call = sign_in(&self.app, host, &name, "a wrong password, again");
                let from = format!("198.51.{}.{}", 100 + self.place, round % 250);
                let answer = self.send("guess", call.header("x-forwarded-for", &from));
                match answer.await.status {
                    401 => compared += 1,
                    429 => {}
                    // Not compared; counted or not.
                    503 => continue,
                    status => panic!("a guess is answered with {status}"),
                }
                tries += 1;
                let phase = self.ground.phase();
                assert!(
                    compared <= Limits::ACCOUNT.free,
                    "{compared} tries ({phase})"
                );
            }
            round += 1;
        }
    }
}
