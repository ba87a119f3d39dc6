//! Whoever is in a tenant's database while it goes: applications with connections of their own, one
//! of them inside a transaction, and another node of ours in the middle of one. Nothing waits for
//! them, their sessions end, and nothing is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry_core::tenant::Isolation;
use tenantry_saga::Faults;
use tenantry_service::tenants::TenantView;
use tenantry_testkit::cluster::Session;
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, try_in};
use crate::workflow_scenes::{Scene, Setting, expect_gone};

/// What may take so long as the server's own five seconds over a database in use would be waiting.
const SOON: Duration = Duration::from_secs(5);

/// An application that signs in to its slot.
async fn application(test: &TestService, view: &TenantView) -> Session {
    let slot = format!("t_{}_g{}_a", view.tenant.id.short(), view.tenant.generation);
    let cluster = test.cluster().unwrap();
    let mut superuser = cluster.session("postgres").await.unwrap();
    let own = format!(
        "SELECT datname::text FROM pg_database
         WHERE datname <> 'postgres' AND NOT datistemplate
           AND has_database_privilege('{slot}', oid, 'CONNECT')
           AND NOT has_database_privilege('public', oid, 'CONNECT')"
    );
    let name = superuser.text(&own).await.unwrap();
    let admit = format!("ALTER ROLE \"{slot}\" LOGIN PASSWORD 'known'");
    superuser.run(&admit).await.unwrap();
    cluster.session_as(&slot, "known", &name).await.unwrap()
}

/// A tenant with an idle application, one in a transaction, and a node of ours in another.
struct Busy {
    test: TestService,
    idle: Session,
    within: Session,
    _proxy: Proxy,
}

async fn busy(isolation: Isolation) -> Busy {
    let test = TestService::start(Setting::server(Driver::Sqlite, isolation).options()).await;
    let test = test.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let mut idle = application(&test, &view).await;
    let mut within = application(&test, &view).await;
    idle.run("SELECT 1").await.unwrap();
    within.run("BEGIN; SELECT email FROM users").await.unwrap();
    // The statement is prepared, and the server waits for the rest of the transaction.
    let proxy = Proxy::before(test.cluster().unwrap().url()).await.unwrap();
    let node = test.beside_through(proxy.url(), Faults::none()).await;
    let node = Arc::new(node.unwrap());
    proxy.cut("UPDATE tenantry_users", Cut::Hang);
    tokio::spawn(async move { drop(try_in(&node, Some("acme"), ADA, PASSWORD).await) });
    let hangs = "SELECT COUNT(*) FROM pg_stat_activity
                 WHERE starts_with(usename, 't_') AND right(usename, 2) = '_s'
                   AND state = 'idle in transaction'";
    test.cluster().unwrap().until(hangs).await.unwrap();
    // The way of everybody else is the direct one.
    drop(test.beside(Faults::none()).await.unwrap());
    Busy {
        test,
        idle,
        within,
        _proxy: proxy,
    }
}

impl Busy {
    /// Nobody who was in is in any more.
    async fn expect_out(&mut self) {
        assert!(self.idle.run("SELECT 1").await.is_err());
        assert!(self.within.run("COMMIT").await.is_err());
    }
}

async fn purging(isolation: Isolation) {
    let mut busy = busy(isolation).await;
    let view = busy.test.service.find_tenant("acme").await.unwrap();
    let begun = Instant::now();
    Scene::Purge.act(&busy.test).await.unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    busy.expect_out().await;
    expect_gone(&busy.test, Some(view.tenant.id), "in use").await;
}

async fn recreating(isolation: Isolation) {
    let mut busy = busy(isolation).await;
    let begun = Instant::now();
    Scene::Recreate.act(&busy.test).await.unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    busy.expect_out().await;
    Scene::Recreate.expect_done(&busy.test, "in use").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_in_use_is_purged() {
    Box::pin(purging(Isolation::Database)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_in_use_is_purged() {
    Box::pin(purging(Isolation::Schema)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_in_use_is_made_anew() {
    recreating(Isolation::Database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_in_use_is_deleted_and_restored() {
    let mut busy = busy(Isolation::Database).await;
    let view = busy.test.service.find_tenant("acme").await.unwrap();
    let begun = Instant::now();
    let deleted = busy.test.service.delete_tenant(view.tenant.id, false).await;
    deleted.unwrap();
    Scene::Restore.act(&busy.test).await.unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    busy.expect_out().await;
    Scene::Restore.expect_done(&busy.test, "in use").await;
}
