//! Which tenant a request means: every explicit hint counts, and two must agree.

use tenantry_service::Refusal;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, OTHER, id, start};

async fn two(driver: Driver) -> (TestService, tenantry_core::TenantId) {
    let test = start(driver).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    test.make_tenant("globex", ADA, OTHER).await.unwrap();
    (test, acme)
}

fn hints(host: Option<&str>, header: Option<&str>, query: Option<&str>) -> Hints {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Hints {
        host: owned(host),
        claimed_host: None,
        header: owned(header),
        query: owned(query),
    }
}

async fn each_hint_alone_and_all_together_name_the_tenant(driver: Driver) {
    let (test, acme) = two(driver).await;
    let by_id = acme.to_string();
    let host = Some("acme.localhost");
    for hints in [
        hints(host, None, None),
        hints(None, Some("acme"), None),
        hints(None, None, Some(&by_id)),
        hints(host, Some(&by_id), Some("acme")),
        hints(Some("localhost"), Some("acme"), None),
    ] {
        let resolved = test.service.resolve(&hints).await.unwrap();
        assert_eq!(resolved.id(), Some(acme), "{hints:?}");
        assert!(resolved.open().is_some());
    }
}

async fn hosts_of_the_platform_itself_name_nobody(driver: Driver) {
    let (test, _) = two(driver).await;
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let resolved = test.service.resolve(&hints(Some(host), None, None)).await;
        assert!(matches!(resolved, Ok(Resolved::None)), "{host}");
    }
    let nothing = test.service.resolve(&Hints::default()).await;
    assert!(matches!(nothing, Ok(Resolved::None)));
}

async fn a_hint_that_names_nobody_is_told_so(driver: Driver) {
    let (test, _) = two(driver).await;
    let unknown = uuid::Uuid::from_u128(7).to_string();
    for hints in [
        hints(Some("nowhere.localhost"), None, None),
        hints(Some("www.localhost"), None, None),
        hints(Some("a.b.localhost"), None, None),
        hints(Some("acme.example.org"), None, None),
        hints(None, Some(&unknown), None),
        hints(None, Some(""), None),
        hints(None, None, Some("' OR 1=1")),
        hints(Some("acme.localhost"), Some("nowhere"), None),
    ] {
        refused!(
            test.service.resolve(&hints).await,
            Refusal::TenantNotFound,
            format!("{hints:?}")
        );
    }
}

async fn two_tenants_in_one_request_are_a_conflict(driver: Driver) {
    let (test, acme) = two(driver).await;
    let acme_id = acme.to_string();
    let conflicts = [
        hints(Some("acme.localhost"), Some("globex"), None),
        hints(Some("globex.localhost"), None, Some(&acme_id)),
        hints(None, Some("acme"), Some("globex")),
        hints(Some("acme.localhost"), Some("acme"), Some("globex")),
    ];
    for hints in &conflicts {
        refused!(
            test.service.resolve(hints).await,
            Refusal::TenantConflict,
            format!("{hints:?}")
        );
    }
    // Also where one of them is closed.
    test.service.suspend_tenant(acme).await.unwrap();
    for hints in &conflicts {
        refused!(
            test.service.resolve(hints).await,
            Refusal::TenantConflict,
            format!("{hints:?}, suspended")
        );
    }
    let closed = test.service.resolve(&hints(None, Some("acme"), None)).await;
    assert!(matches!(closed, Ok(Resolved::Closed(tenant)) if tenant.id == acme));
}

on_both!(
    each_hint_alone_and_all_together_name_the_tenant,
    hosts_of_the_platform_itself_name_nobody,
    a_hint_that_names_nobody_is_told_so,
    two_tenants_in_one_request_are_a_conflict,
);
