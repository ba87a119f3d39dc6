//! The registry's answer to where a name leads comes late, and by then it leads elsewhere: whoever asked
//! before may be answered as of then, and nobody who asks later is.

use tenantry_core::tenant::TenantStatus;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_testkit::proxy::{Fate, Proxy};
use tenantry_testkit::service::{Options, PASSWORD, TestService};
use tenantry_testkit::services::postgres;

use crate::people::{ADA, id};

/// What the slugs of this test begin with: connections on which one is asked for are held.
const HELD: &str = "held-";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_name_led_is_not_kept_once_it_leads_elsewhere() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let mut options = Options::postgres();
    options.registry = Some(proxy.url().to_owned());
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
        // Whoever asks now has a connection of his own.
        proxy.reset();
        proxy.set_fate(Fate::Held);
        let before = proxy.held();
        let reading = tokio::spawn({
            let (service, hints) = (service.clone(), hints.clone());
            async move { service.resolve(&hints).await }
        });
        let answered = async {
            while proxy.held() == before {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        let patience = std::time::Duration::from_secs(10);
        tokio::time::timeout(patience, answered).await.unwrap();
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
