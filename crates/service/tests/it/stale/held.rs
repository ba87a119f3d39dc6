//! The registry's answer comes late, and by then it is another: whoever asked before may be answered as of
//! then, and nobody who asks later is.

use std::time::Duration;

use tenantry_core::session::SessionKind;
use tenantry_core::tenant::TenantStatus;
use tenantry_service::Refusal;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_service::sessions::Credential;
use tenantry_testkit::proxy::{Fate, Proxy};
use tenantry_testkit::service::{Options, PASSWORD, TestService};
use tenantry_testkit::services::postgres;
use tokio::task::JoinHandle;

use crate::people::{ADA, id, principal, sign_in_twice};

/// What the slugs of this test begin with: connections on which one is asked for are held.
const HELD: &str = "held-";

/// A reader whose answer is on its way by now, and comes once the proxy carries again.
async fn held<T: Send + 'static>(
    proxy: &Proxy,
    reading: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    // Whoever asks now has a connection of his own.
    proxy.reset();
    proxy.set_fate(Fate::Held);
    let before = proxy.held();
    let reading = tokio::spawn(reading);
    let answered = async {
        while proxy.held() == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, answered).await.unwrap();
    reading
}

/// All sessions of a person end, which is told of the person alone, while it is found out whose a session
/// is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_not_kept_once_all_of_its_person_ended() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let options = Options::postgres_at(proxy.url());
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let begun = test.service.sessions_of(&ada.person).await.unwrap();
    let session = begun.iter().find(|it| it.kind == SessionKind::Browser);
    proxy.single_out(session.unwrap().id.uuid().as_bytes().as_slice());
    let third = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let third = principal(&test, &third.cookie).await;
    let reading = held(&proxy, {
        let (service, cookie) = (test.service.clone(), ada.cookie.clone());
        async move {
            let cookie = Credential::Cookie(&cookie);
            service.authenticate(cookie, None).await.map(drop)
        }
    });
    let reading = reading.await;
    test.service.sign_out_everywhere(&third).await.unwrap();
    assert!(!reading.is_finished());
    proxy.set_fate(Fate::Carried);
    // It began before that, and may be answered either way.
    let _late = reading.await.unwrap();
    for _ in 0..3 {
        let cookie = Credential::Cookie(&ada.cookie);
        let answer = test.service.authenticate(cookie, None).await;
        refused!(answer, Refusal::SessionStale);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_name_led_is_not_kept_once_it_leads_elsewhere() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let options = Options::postgres_at(proxy.url());
    let test = TestService::start(options).await.unwrap();
    proxy.single_out(HELD);
    let (active, suspended) = (TenantStatus::Active, TenantStatus::Suspended);
    for way in ["host", "header"] {
        let slug = format!("{HELD}{way}");
        let tenant = id(&test.make_tenant(&slug, ADA, PASSWORD).await.unwrap());
        let service = &test.service;
        let hints = match way {
            "host" => Hints {
                host: Some(format!("{slug}.localhost")),
                ..Hints::default()
            },
            _ => Hints {
                header: Some(slug.clone()),
                ..Hints::default()
            },
        };
        // It is known which tenant it is, and no more: so much is kept of what is too old.
        assert!(service.resolve(&hints).await.unwrap().open().is_some());
        service.control().changes().tell(tenant.into());
        let reading = held(&proxy, {
            let (service, hints) = (service.clone(), hints.clone());
            async move { service.resolve(&hints).await }
        });
        let reading = reading.await;
        let mut tx = service.control().begin().await.unwrap();
        let mut tenants = tx.tenants();
        let changed = tenants.change_status(tenant, active, suspended).await;
        assert!(changed.unwrap());
        tx.commit().await.unwrap();
        assert!(!reading.is_finished());
        proxy.set_fate(Fate::Carried);
        let late = reading.await.unwrap().unwrap();
        assert!(
            late.open().is_some(),
            "{way}: it was not read before: {late:?}"
        );
        for _ in 0..3 {
            let now = service.resolve(&hints).await.unwrap();
            assert!(matches!(now, Resolved::Closed(_)), "{way}: {now:?}");
        }
    }
}
