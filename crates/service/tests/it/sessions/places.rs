//! Sessions in Redis and in files: what is true while they are away, and what is left of them.

use std::path::Path;

use tenantry_core::session::{EndReason, SessionDriver, SessionKind};
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, id, sign_in, try_in};

/// The cookie of somebody who just signed in and has shown it to nobody yet.
async fn fresh(test: &TestService) -> String {
    let (_, issued) = sign_in(test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    issued.token.expose().clone()
}

async fn in_redis() -> TestService {
    let options = Options::sqlite().with_sessions(SessionDriver::Redis);
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_nobody_gets_in_and_nobody_is_signed_out() {
    let test = in_redis().await;
    let cookie = fresh(&test).await;
    let (_, api) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Api).await;
    test.redis().unwrap().freeze().unwrap();
    let shown = Credential::Cookie(&cookie);
    refused!(
        test.service.authenticate(shown, None).await,
        Refusal::Busy(_)
    );
    let renewed = test.service.refresh(api.token.expose(), None).await;
    refused!(renewed, Refusal::Busy(_));
    let signed_in = try_in(&test, Some("acme"), ADA, PASSWORD).await;
    refused!(signed_in, Refusal::Busy(_));
    test.redis().unwrap().thaw().unwrap();
    let again = async {
        while test.service.authenticate(shown, None).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let again = tokio::time::timeout(std::time::Duration::from_secs(20), again);
    again.await.expect("it works again by itself");
    let renewed = test.service.refresh(api.token.expose(), None).await;
    assert!(renewed.is_ok(), "the refresh token is as good as before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_signs_everybody_out_and_that_is_all() {
    let test = in_redis().await;
    let cookie = fresh(&test).await;
    test.redis().unwrap().flush().unwrap();
    let shown = Credential::Cookie(&cookie);
    refused!(
        test.service.authenticate(shown, None).await,
        Refusal::SessionStale
    );
    let cookie = fresh(&test).await;
    let shown = Credential::Cookie(&cookie);
    test.service.authenticate(shown, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_deleted_and_restored_without_redis_and_its_sessions_stay_void() {
    let test = in_redis().await;
    let tenant = id(&test.service.find_tenant("acme").await.unwrap());
    let (first, second) = (fresh(&test).await, fresh(&test).await);
    test.redis().unwrap().freeze().unwrap();
    let deleted = test.service.delete_tenant(tenant, false).await.unwrap();
    assert_eq!(deleted.cleared.sessions(), 0, "they can't be counted");
    test.service.restore_tenant(tenant).await.unwrap();
    test.redis().unwrap().thaw().unwrap();
    let cookie = fresh_once_back(&test).await;
    for old in [&first, &second] {
        let shown = Credential::Cookie(old);
        refused!(
            test.service.authenticate(shown, None).await,
            Refusal::SessionStale
        );
    }
    let shown = Credential::Cookie(&cookie);
    test.service.authenticate(shown, None).await.unwrap();
}

/// Signs in as soon as Redis is used again.
async fn fresh_once_back(test: &TestService) -> String {
    for _ in 0..100 {
        match try_in(test, Some("acme"), ADA, PASSWORD).await {
            Ok(signed_in) => {
                let (_, issued) = crate::people::one(signed_in);
                return issued.token.expose().clone();
            }
            Err(Refusal::Busy(_)) => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
    panic!("Redis is not used again");
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path.display().to_string()]
            }
        })
        .collect()
}

async fn nothing_is_left_of_a_purged_tenant(options: Options) {
    let test = TestService::start(options).await.unwrap();
    let tenant = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    fresh(&test).await;
    let traces = || {
        let redis = test.redis().map(|redis| redis.keys().unwrap());
        let mut traces = files(&test.data_dir().join("sessions"));
        traces.extend(redis.unwrap_or_default());
        traces.retain(|trace| trace.contains(&tenant.to_string()));
        traces
    };
    let in_rows = test.service.session_driver() == SessionDriver::Database;
    assert_eq!(traces().is_empty(), in_rows);
    let purged = test.service.delete_tenant(tenant, true).await.unwrap();
    assert_eq!(purged.cleared.sessions(), 1);
    // Counted as ended, though nothing is left of it.
    let counts = test.service.session_counts().ended;
    assert!(counts.contains(&(EndReason::Tenant, 1)), "{counts:?}");
    assert_eq!(traces(), Vec::<String>::new());
    let rows = test.control().number("SELECT COUNT(*) FROM sessions").await;
    assert_eq!(rows.unwrap(), 0);
}

on_each_session_driver!(nothing_is_left_of_a_purged_tenant);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_driver_signs_everybody_out_once_and_it_is_said() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let settled = test.service.settle_session_driver().await.unwrap();
    assert_eq!(settled, None, "a new installation");
    let cookie = fresh(&test).await;
    let change = |settings: &mut tenantry_service::Settings| {
        settings.sessions = SessionDriver::File;
    };
    let other = test.open_otherwise(change, None).await.unwrap().unwrap();
    let settled = other.settle_session_driver().await.unwrap();
    assert_eq!(settled, Some(SessionDriver::Database));
    let settled = other.settle_session_driver().await.unwrap();
    assert_eq!(settled, None, "it is known by now");
    let shown = Credential::Cookie(&cookie);
    refused!(other.authenticate(shown, None).await, Refusal::SessionStale);
    let generation = "SELECT MAX(generation) FROM tenants";
    assert_eq!(test.control().number(generation).await.unwrap(), 1);
    // What is left is cleared up, whatever the driver is.
    let left = "SELECT COUNT(*) FROM sessions";
    assert_eq!(test.control().number(left).await.unwrap(), 1);
    test.clock.advance(std::time::Duration::from_hours(24 * 15));
    other.sweep().await.unwrap();
    assert_eq!(test.control().number(left).await.unwrap(), 0);
}

#[tokio::test]
async fn sessions_in_redis_need_a_redis() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let change = |settings: &mut tenantry_service::Settings| {
        settings.sessions = SessionDriver::Redis;
    };
    let opened = test.open_otherwise(change, None).await.unwrap();
    let error = opened.err().expect("there is no Redis");
    assert!(error.to_string().contains("no Redis is named"), "{error}");
}
