//! What is good in one place, and known to be from memory, is nothing in another; and being shown
//! there does it no harm.

use tenantry_service::Refusal;
use tenantry_service::facts::{BOUND, FactCounts};
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::TestApp;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::Options;

use super::changes::{Person, Stage};
use super::start;
use super::warm::Warm;

/// That a tenant is there is known from whoever is in it, so that nothing is read of it where its
/// credential is shown at another one.
async fn nobody_is_asked(app: &TestApp, home: &Person, away: &Person) {
    let other = away.tenant.id.parse().ok();
    let read = || {
        let FactCounts { misses, stale, .. } = app.service().fact_counts();
        misses + stale
    };
    for _ in 0..5 {
        let before = read();
        for shown in [
            Credential::Cookie(&home.cookie),
            Credential::Bearer(&home.access),
        ] {
            let refused = app.service().authenticate(shown, other).await;
            assert!(matches!(refused, Err(Refusal::AuthenticationRequired)));
        }
        if read() == before {
            return;
        }
        // The machine may have been too busy to read in time what goes on being asked for. What was read
        // for this is too old by the next try.
        tokio::time::sleep(2 * BOUND).await;
    }
    panic!("something is read each time");
}

async fn a_warm_credential_is_garbage_at_another_tenant(options: Options) {
    let app: TestApp = start(options).await;
    let stage = Stage::set(&app).await;
    let (home, away) = (stage.owner_of("home").await, stage.owner_of("away").await);
    let _home = Warm::up(&app, &home).await;
    let _away = Warm::up(&app, &away).await;
    nobody_is_asked(&app, &home, &away).await;
    for _ in 0..3 {
        let calls = [
            app.get("/api/v1/auth/me").bearer(&home.access),
            app.get("/auth/verify").bearer(&home.access),
            app.get("/auth/verify").cookie(&home.cookie),
            // The names of other cookies, and the place of another kind of credential.
            app.get("/auth/verify")
                .header("cookie", &format!("tenantry_csrf={}", home.cookie)),
            app.get("/auth/verify").bearer(&home.cookie),
            app.get("/auth/verify").cookie(&home.access),
        ];
        for call in calls {
            let answer = call.host(&away.host).send().await;
            answer.problem(401, "authentication_required");
        }
        let page = app.get("/dashboard").host(&away.host).cookie(&home.cookie);
        let page = page.send().await;
        assert_eq!(page.location(), "/login?return_to=/dashboard");
        // At home another name makes it nothing either. The prefix is that of https, which this is not.
        for name in ["__Host-tenantry_session", "session", "tenantry_csrf"] {
            let renamed = app.get("/auth/verify").host(&home.host);
            let renamed = renamed.header("cookie", &format!("{name}={}", home.cookie));
            let answer = renamed.send().await;
            answer.problem(401, "authentication_required");
        }
        let own = app.get("/dashboard").host(&home.host).cookie(&home.cookie);
        assert_eq!(own.send().await.status, 200);
        let own = app.get("/api/v1/auth/me").bearer(&home.access);
        own.host(&home.host).send().await.ok(200);
    }
}

on_each_session_driver!(a_warm_credential_is_garbage_at_another_tenant);
