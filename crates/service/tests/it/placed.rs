//! Tenants on a PostgreSQL server, whole lives of them.

use tenantry_core::TenantStatus;
use tenantry_core::tenant::{Isolation, Tenant};
use tenantry_testkit::cluster;
use tenantry_testkit::service::{Options, PASSWORD, Tenants, TestService};

use crate::people::{ADA, OTHER, id, sign_in_twice};

async fn start(isolation: Isolation) -> TestService {
    let options = Options::postgres()
        .with_tenants(Tenants::Cluster(isolation))
        .without_rate_limits();
    TestService::start(options).await.unwrap()
}

/// What is left on the server of a tenant: databases, roles, schemas in common databases.
async fn left(tenant: tenantry_core::TenantId) -> i64 {
    cluster::number(&format!(
        "SELECT (SELECT COUNT(*) FROM pg_database WHERE datname LIKE 't_{0}%')
              + (SELECT COUNT(*) FROM pg_roles WHERE rolname LIKE 't_{0}%')",
        tenant.short()
    ))
    .await
    .unwrap()
}

/// Made, deleted and restored, purged, made again under the same slug, made anew.
async fn a_whole_life(isolation: Isolation) {
    let test = start(isolation).await;
    let other = test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let acme = id(&view);
    assert_eq!(view.tenant.status, TenantStatus::Active);
    let record = view.database.unwrap();
    assert_eq!(record.cluster, "default");
    assert!(test.tenant_files().unwrap().is_empty());
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;

    test.service.delete_tenant(acme, false).await.unwrap();
    let (restored, _) = test.service.restore_tenant(acme).await.unwrap();
    assert_eq!(restored.tenant.generation.number(), 2);
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    expect_sound(&test, restored.tenant).await;

    test.service.delete_tenant(acme, true).await.unwrap();
    assert_eq!(left(acme).await, 0);
    test.clock.advance(std::time::Duration::from_millis(1));
    let again = test.make_tenant("acme", ADA, OTHER).await.unwrap();
    sign_in_twice(&test, "acme", ADA, OTHER).await;
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    let (recreated, _) = test
        .service
        .recreate_tenant(id(&again), &owner)
        .await
        .unwrap();
    assert_eq!(recreated.tenant.generation.number(), 2);
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    expect_sound(&test, recreated.tenant).await;
    // The one beside it noticed nothing.
    sign_in_twice(&test, "globex", ADA, PASSWORD).await;
    expect_sound(&test, other.tenant).await;
}

async fn expect_sound(test: &TestService, tenant: Tenant) {
    let report = test.service.check_tenant(tenant).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_in_a_database() {
    Box::pin(a_whole_life(Isolation::Database)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_in_a_schema() {
    Box::pin(a_whole_life(Isolation::Schema)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_in_common_tables() {
    Box::pin(a_whole_life(Isolation::Shared)).await;
}
