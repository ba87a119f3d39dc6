//! A clock that is set, on pages, on the API and for a proxy: what was issued in another time opens
//! nothing, what has ended stays so, and whoever is signed in is so again once the clock is right.

use std::time::Duration;

use tenantry_testkit::app::TestApp;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::Options;

use super::changes::Stage;
use super::start;

const DAY: Duration = Duration::from_hours(24);

/// What somebody shows: a cookie and an access token.
struct Shown<'a> {
    host: &'a str,
    cookie: &'a str,
    access: &'a str,
}

/// What is answered to a page, and to a proxy, for a cookie; and on the API, and to a proxy, for a token.
type Answers = [(u16, Option<&'static str>); 4];

const IN: (u16, Option<&str>) = (200, None);
const LED_AWAY: (u16, Option<&str>) = (303, None);
const ENDED: (u16, Option<&str>) = (401, Some("session_stale"));
const NOTHING: (u16, Option<&str>) = (401, Some("authentication_required"));

impl Shown<'_> {
    /// Twice, so that what is kept is asked too.
    async fn expect(&self, app: &TestApp, case: &str, expected: Answers) {
        for turn in ["first", "then"] {
            let calls = [
                app.get("/dashboard").cookie(self.cookie),
                app.get("/auth/verify").cookie(self.cookie),
                app.get("/api/v1/auth/me").bearer(self.access),
                app.get("/auth/verify").bearer(self.access),
            ];
            for (at, (call, (status, code))) in calls.into_iter().zip(expected).enumerate() {
                let answer = call.host(self.host).send().await;
                let seen = (answer.status, answer.code());
                let expected = (status, code.map(str::to_owned));
                let code = if status == 401 { seen } else { (seen.0, None) };
                assert_eq!(code, expected, "{case}, {turn}, {at}: {}", answer.text());
            }
        }
    }
}

async fn a_clock_set_back(options: Options) {
    let app = start(options).await;
    let stage = Stage::set(&app).await;
    let (here, gone) = (stage.owner_of("here").await, stage.owner_of("gone").await);
    let [here, gone] = [&here, &gone].map(|person| Shown {
        host: &person.host,
        cookie: &person.cookie,
        access: &person.access,
    });
    for shown in [&here, &gone] {
        shown.expect(&app, "at first", [IN; 4]).await;
    }
    let out = app.post("/api/v1/auth/logout-all").bearer(gone.access);
    out.host(gone.host).send().await.ok(200);
    let begun = app.clock().now();
    app.clock().set(begun - Duration::from_mins(5));
    // A cookie is good by its session; a token is not issued yet.
    here.expect(&app, "back", [IN, IN, NOTHING, NOTHING]).await;
    gone.expect(&app, "back", [LED_AWAY, ENDED, NOTHING, NOTHING])
        .await;
    app.clock().set(begun + Duration::from_mins(1));
    here.expect(&app, "right", [IN; 4]).await;
    gone.expect(&app, "right", [LED_AWAY, ENDED, ENDED, ENDED])
        .await;
}

async fn a_clock_far_ahead(options: Options) {
    let app = start(options).await;
    let stage = Stage::set(&app).await;
    let (here, late) = (stage.owner_of("here").await, stage.owner_of("late").await);
    let [here, late] = [&here, &late].map(|person| Shown {
        host: &person.host,
        cookie: &person.cookie,
        access: &person.access,
    });
    let begun = app.clock().now();
    app.clock().set(begun + 400 * DAY);
    late.expect(&app, "ahead", [LED_AWAY, ENDED, NOTHING, NOTHING])
        .await;
    let owner = "owner@here.example";
    let signed = app.sign_in(here.host, owner).await;
    let far = Shown {
        host: here.host,
        cookie: &app.cookie(here.host, owner).await,
        access: &signed.access,
    };
    far.expect(&app, "ahead", [IN; 4]).await;
    app.clock().set(begun);
    here.expect(&app, "right", [IN; 4]).await;
    far.expect(&app, "right", [LED_AWAY, ENDED, NOTHING, NOTHING])
        .await;
}

on_each_session_driver!(a_clock_set_back, a_clock_far_ahead);
