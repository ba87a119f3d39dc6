//! Two processes over one control database: what one of them changes counts for the other too,
//! within a second where neither hears the other, and at once where they do.

use std::future::pending;
use std::time::{Duration, Instant};

use tenantry_core::TenantId;
use tenantry_core::session::{EndReason, SessionKind};
use tenantry_saga::Faults;
use tenantry_service::nodes::Channel;
use tenantry_service::sessions::Credential;
use tenantry_service::{Refusal, Service};
use tenantry_testkit::service::{Options, PASSWORD, TestService};
use tokio::task::JoinSet;

use super::SECOND;
use crate::people::{ADA, id, principal, sign_in, sign_in_twice};

/// What a message may take, on a machine that has much else to do.
const SOON: Duration = Duration::from_millis(200);

/// Asks again and again until it is refused as stale; how long after `since` was asked last when it
/// still counted.
async fn counted(service: &Service, shown: Credential<'_>, since: Instant) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        let asked = since.elapsed();
        match service.authenticate(shown, None).await {
            Ok(_) => last = asked,
            Err(Refusal::SessionStale) => return last,
            Err(other) => panic!("refused otherwise: {other:?}"),
        }
        assert!(asked < 4 * SECOND, "it counts after {asked:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn two() -> (TestService, TestService, TenantId) {
    let here = TestService::start(Options::postgres().without_rate_limits());
    let here = here.await.unwrap();
    let tenant = id(&here.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let there = here.beside(Faults::none()).await.unwrap();
    (here, there, tenant)
}

async fn recreate(test: &TestService, tenant: TenantId) {
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD)).unwrap();
    let owner = owner.owner;
    test.service.recreate_tenant(tenant, &owner).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_changed_counts_within_a_second() {
    // Nobody works in the background, so nothing is told and nothing is heard.
    let (here, there, tenant) = two().await;
    for change in ["signed out", "suspended", "recreated", "password changed"] {
        let ada = sign_in_twice(&here, "acme", ADA, PASSWORD).await;
        ada.expect_live(&there.service).await;
        ada.expect_live(&there.service).await;
        match change {
            "signed out" => {
                let browser = principal(&here, &ada.cookie).await;
                let everywhere = here.service.sign_out_everywhere(&browser);
                assert!(everywhere.await.unwrap() >= 2);
            }
            "password changed" => {
                let ctx = here.service.enter_as_operator(tenant).await.unwrap();
                let email = ADA.parse().unwrap();
                let reset = here.service.reset_password_of(&ctx, &email);
                drop(reset.await.unwrap());
            }
            "suspended" => drop(here.service.suspend_tenant(tenant).await.unwrap()),
            _ => recreate(&here, tenant).await,
        }
        let since = Instant::now();
        for (name, shown) in ada.credentials() {
            let longest = counted(&there.service, shown, since).await;
            assert!(longest < SECOND, "{name}, {change}: {longest:?}");
        }
        ada.expect_stale(&there.service, change).await;
        if change == "suspended" {
            here.service.resume_tenant(tenant).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_tells_counts_at_once() {
    let (here, there, _) = two().await;
    let mut working = JoinSet::new();
    for service in [&here.service, &there.service] {
        let service = service.clone();
        working.spawn(async move { service.work(pending()).await });
    }
    for service in [&here.service, &there.service] {
        while service.hears(Channel::Database) != Some(true) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let heard = there.service.fact_counts().heard;
    let mut all = Vec::new();
    for _ in 0..5 {
        let (_, issued) = sign_in(&here, "acme", ADA, PASSWORD, SessionKind::Browser).await;
        let cookie = issued.token.expose();
        principal(&there, cookie).await;
        principal(&there, cookie).await;
        here.service
            .sign_out(&issued.session.handle())
            .await
            .unwrap();
        let shown = Credential::Cookie(cookie);
        all.push(counted(&there.service, shown, Instant::now()).await);
    }
    all.sort();
    assert!(all[2] < SOON, "{all:?}");
    assert!(there.service.fact_counts().heard >= heard + 5);
    let ended = here.service.session_counts().ended;
    let logouts = ended.iter().find(|(why, _)| *why == EndReason::Logout);
    assert_eq!(logouts, Some(&(EndReason::Logout, 5)));
    working.shutdown().await;
}
