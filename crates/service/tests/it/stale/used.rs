//! Uses are noted beside the requests: nobody waits for it, and nobody is refused since it fails.

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::session::SessionDriver;
use tenantry_core::{SessionId, Timestamp};
use tenantry_saga::Faults;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, TestService};

use super::acme;
use crate::people::{SignedInTwice, principal};

const MINUTE: Duration = Duration::from_mins(1);

/// What a request may take where somebody holds what is written to. It would wait for seconds.
const QUICK: Duration = Duration::from_secs(2);

/// Waits until the last use of a session is noted.
async fn noted(test: &TestService, ada: &SignedInTwice, id: SessionId, at: Timestamp) {
    let looking = async {
        loop {
            let sessions = test.service.sessions_of(&ada.person).await.unwrap();
            let session = sessions.iter().find(|session| session.id == id);
            if session.is_some_and(|session| session.last_seen_at == at) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(30), looking).await;
    looked.expect("the use is noted");
}

async fn quickly(test: &TestService, shown: Credential<'_>) {
    let answer = test.service.authenticate(shown, None);
    let answer = tokio::time::timeout(QUICK, answer).await;
    answer.expect("it waits").unwrap();
}

/// Another process noted a use that this one has not read.
async fn a_use_elsewhere_counts_here(options: Options) {
    let (test, _, ada) = acme(options).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let id = principal(&test, &ada.cookie).await.session.id;
    let cookie = Credential::Cookie(&ada.cookie);
    assert!(other.service.authenticate(cookie, None).await.is_ok());
    let then = test.clock.advance(50 * MINUTE);
    principal(&test, &ada.cookie).await;
    noted(&test, &ada, id, then).await;
    // An hour and more after the use that it knows of itself, and less after the last.
    test.clock.advance(15 * MINUTE);
    assert!(other.service.authenticate(cookie, None).await.is_ok());
    let then = test.clock.now();
    noted(&test, &ada, id, then).await;
    test.clock.advance(60 * MINUTE);
    for service in [&test.service, &other.service] {
        for _ in 0..2 {
            refused!(
                service.authenticate(cookie, None).await,
                Refusal::SessionStale
            );
        }
    }
}

on_each_session_driver!(a_use_elsewhere_counts_here);

/// A backup, or a hand, holds the registry's file for writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_registry_that_is_held() {
    let (test, _, ada) = acme(Options::sqlite()).await;
    let id = principal(&test, &ada.cookie).await.session.id;
    test.control().damage("BEGIN IMMEDIATE").await.unwrap();
    let mut last = test.clock.now();
    // Longer than a session may lie unused, in all.
    for _ in 0..3 {
        last = test.clock.advance(30 * MINUTE);
        quickly(&test, Credential::Cookie(&ada.cookie)).await;
        quickly(&test, Credential::Cookie(&ada.cookie)).await;
    }
    // As it is found once what was kept counts no more, too.
    test.service.control().changes().tell(Topic::Everything);
    quickly(&test, Credential::Cookie(&ada.cookie)).await;
    test.control().damage("ROLLBACK").await.unwrap();
    noted(&test, &ada, id, last).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_since_redis_takes_nothing_more() {
    let redis = Options::sqlite().with_sessions(SessionDriver::Redis);
    let (test, _, ada) = acme(redis).await;
    let id = principal(&test, &ada.cookie).await.session.id;
    let room = |octets: &str| {
        let redis = test.redis().unwrap();
        let set = ["CONFIG", "SET", "maxmemory", octets];
        assert_eq!(redis.ask(&set).unwrap(), "+OK");
    };
    room("1");
    for _ in 0..3 {
        test.clock.advance(30 * MINUTE);
        for _ in 0..2 {
            quickly(&test, Credential::Cookie(&ada.cookie)).await;
            // As it is found once what was kept counts no more, too.
            test.service.control().changes().tell(Topic::Everything);
        }
    }
    room("0");
    let last = test.clock.advance(2 * MINUTE);
    quickly(&test, Credential::Cookie(&ada.cookie)).await;
    noted(&test, &ada, id, last).await;
}
