//! Tenants on a PostgreSQL server, whole lives of them.

use tenantry_core::TenantStatus;
use tenantry_core::tenant::Isolation;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_on_a_server() {
    let test = start(Isolation::Database).await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let acme = id(&view);
    assert_eq!(view.tenant.status, TenantStatus::Active);
    let record = view.database.unwrap();
    assert_eq!(record.cluster, "default");
    assert!(test.tenant_files().unwrap().is_empty());
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;

    test.service.delete_tenant(acme, true).await.unwrap();
    assert_eq!(left(acme).await, 0);
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
    let report = test.service.check_tenant(recreated.tenant).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}
