//! Whoever sent a request a moment ago is known at once: nothing is waited for, no database is asked, and
//! no signature is verified once more.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tenantry_core::TenantId;
use tenantry_saga::Faults;
use tenantry_service::facts::BOUND;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_service::sessions::Credential;
use tenantry_service::{Refusal, Service};
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::Options;

use super::acme;
use crate::people::SignedInTwice;

/// How often it is tried on a machine that does too much else to come round while anything counts.
const TRIES: usize = 20;

/// What is there without waiting for anything.
fn at_once<T>(asked: impl Future<Output = T>) -> Option<T> {
    match pin!(asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Every way to name a tenant.
fn hints(tenant: TenantId) -> [Hints; 3] {
    [
        Hints {
            host: Some("acme.localhost".to_owned()),
            ..Hints::default()
        },
        Hints {
            header: Some("acme".to_owned()),
            ..Hints::default()
        },
        Hints {
            query: Some(tenant.to_string()),
            ..Hints::default()
        },
    ]
}

async fn warm_up(service: &Service, ada: &SignedInTwice, tenant: TenantId) {
    ada.expect_live(service).await;
    for hints in hints(tenant) {
        service.resolve(&hints).await.unwrap();
    }
}

/// What is not there at once, or not as it was.
fn missing(service: &Service, ada: &SignedInTwice, tenant: TenantId) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, credential) in ada.credentials() {
        for hinted in [None, Some(tenant)] {
            let answer = at_once(service.authenticate(credential, hinted));
            let there = matches!(&answer, Some(Ok(found))
                if found.session.subject == ada.person.subject());
            if !there {
                let answer = answer.map(|answer| answer.map(drop));
                missing.push(format!("{name}: {answer:?}"));
            }
        }
    }
    for hints in hints(tenant) {
        let answer = at_once(service.resolve(&hints));
        let there = matches!(&answer, Some(Ok(found @ Resolved::Open(_)))
            if found.id() == Some(tenant));
        if !there {
            missing.push(format!("{hints:?}: {answer:?}"));
        }
    }
    missing
}

/// With the databases there, and with the registry closed.
async fn what_is_known_is_there_at_once(options: Options) {
    let (test, tenant, ada) = acme(options).await;
    for is_closed in [false, true] {
        let mut last = Vec::new();
        let answered = async {
            for _ in 0..TRIES {
                let here = test.beside(Faults::none()).await.unwrap();
                let since = Instant::now();
                warm_up(&here.service, &ada, tenant).await;
                if is_closed {
                    here.service.control().close().await;
                }
                last = missing(&here.service, &ada, tenant);
                let in_time = since.elapsed() < BOUND;
                if is_closed {
                    // Nobody is asked: there is nobody who could be.
                    let gone = here.service.find_tenant("acme").await;
                    assert!(gone.is_err(), "the registry is open");
                } else {
                    here.service.close().await;
                }
                if in_time {
                    return true;
                }
            }
            false
        };
        assert!(answered.await, "this machine is too slow");
        assert!(last.is_empty(), "closed: {is_closed}: {last:#?}");
    }
}

/// What a signature proves is kept, for longer than what is true of the person.
async fn a_token_is_verified_once(options: Options) {
    let (test, _, ada) = acme(options).await;
    let here = test.beside(Faults::none()).await.unwrap();
    let service = &here.service;
    let verified = || service.fact_counts().verified;
    let bearer = Credential::Bearer(&ada.bearer);
    assert_eq!(verified(), 0);
    for _ in 0..10 {
        service.authenticate(bearer, None).await.unwrap();
    }
    assert_eq!(verified(), 1);
    // What is known of the person is too old; who it is is not.
    tokio::time::sleep(BOUND).await;
    service.follow_keys().await.unwrap();
    let stale = service.fact_counts().stale;
    service.authenticate(bearer, None).await.unwrap();
    assert!(service.fact_counts().stale > stale);
    assert_eq!(verified(), 1);
    // Another token is, and so is anything that is none.
    let refreshed = test.service.refresh(&ada.refresh, None).await.unwrap();
    let other = refreshed.1.access_token.unwrap();
    let other = Credential::Bearer(other.expose());
    service.authenticate(other, None).await.unwrap();
    assert_eq!(verified(), 2);
    for turn in 1..4 {
        let garbage = Credential::Bearer("garbage");
        let answer = service.authenticate(garbage, None).await;
        refused!(answer, Refusal::AuthenticationRequired);
        assert_eq!(verified(), 2 + turn, "what proves nothing is not kept");
    }
}

on_each_session_driver!(what_is_known_is_there_at_once, a_token_is_verified_once);
