//! Trouble with a tenant's database on a server: what passes is tried again and nobody notices,
//! and what does not pass is that tenant's alone.

use std::time::{Duration, Instant};

use tenantry_core::Secret;
use tenantry_core::tenant::Isolation;
use tenantry_saga::Faults;
use tenantry_service::Refusal;
use tenantry_service::clusters::NewCluster;
use tenantry_service::tenants::TenantView;
use tenantry_store::PoolBounds;
use tenantry_testkit::cluster::{Session, TestCluster};
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};
use tenantry_testkit::services::{Ending, PrivatePostgres};

use crate::people::{ADA, OTHER, one, try_in};
use crate::workflow_scenes::Setting;

/// The registry in a file, so that what is said to a server is about a tenant.
fn options() -> Options {
    let mut options = Setting::server(Driver::Sqlite, Isolation::Database).options();
    options.pools = PoolBounds {
        wait: Duration::from_secs(1),
        ..PoolBounds::default()
    };
    options
}

/// A service whose tenants lie on a server that speaks German.
async fn german() -> (PrivatePostgres, TestService) {
    let server = PrivatePostgres::german().unwrap();
    let cluster = TestCluster::at(server.url(), "CREATEDB CREATEROLE").await;
    let test = TestService::start_on(Some(cluster.unwrap()), options()).await;
    (server, test.unwrap())
}

/// The superuser inside the tenant's database.
async fn inside(test: &TestService, view: &TenantView) -> Session {
    let name = &view.database.as_ref().unwrap().name;
    let mut session = test.cluster().unwrap().session(name).await.unwrap();
    session.run("SET search_path = tenantry").await.unwrap();
    session
}

/// A session of the tenant waits for somebody's lock.
const WAITS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE starts_with(usename, 't_') AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_on_a_german_server_is_got_over() {
    let (_server, test) = german().await;
    let view = test.invite_tenant("acme", ADA).await.unwrap();
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    let mut other = inside(&test, &view).await;
    // Whoever waits that long is told last that it is a deadlock: it is the service's part to go.
    other.run("SET deadlock_timeout = '1min'").await.unwrap();
    other
        .run("BEGIN; UPDATE tenantry_users SET full_name = 'Ada'")
        .await
        .unwrap();
    let service = test.service.clone();
    let setting =
        tokio::spawn(async move { service.setup_password(&token, PASSWORD, None, None).await });
    test.cluster().unwrap().until(WAITS).await.unwrap();
    let crossing = "UPDATE tenantry_one_time_secrets SET expires_at = expires_at";
    other.run(crossing).await.unwrap();
    other.run("COMMIT").await.unwrap();
    setting.await.unwrap().unwrap();
    let deadlocks = "SELECT COALESCE(SUM(deadlocks), 0)::bigint FROM pg_stat_database";
    // What a session counted is seen by others when it is idle.
    drop(other);
    test.service.close().await;
    test.cluster().unwrap().until(deadlocks).await.unwrap();
    let next = test.beside(Faults::none()).await.unwrap();
    one(try_in(&next, Some("acme"), ADA, PASSWORD).await.unwrap());
    drop((next, test));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serialisation_failure_on_a_german_server_is_got_over() {
    let (_server, test) = german().await;
    let view = test.invite_tenant("acme", ADA).await.unwrap();
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    let mut other = inside(&test, &view).await;
    let name = &view.database.as_ref().unwrap().name;
    let strict =
        format!("ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'");
    other.run(&strict).await.unwrap();
    let node = test.beside(Faults::none()).await.unwrap();
    other
        .run("BEGIN; UPDATE tenantry_users SET full_name = 'Ada'")
        .await
        .unwrap();
    let service = node.service.clone();
    let setting =
        tokio::spawn(async move { service.setup_password(&token, PASSWORD, None, None).await });
    test.cluster().unwrap().until(WAITS).await.unwrap();
    other.run("COMMIT").await.unwrap();
    setting.await.unwrap().unwrap();
    one(try_in(&node, Some("acme"), ADA, PASSWORD).await.unwrap());
    drop((node, test));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_before_the_commit_is_made_good() {
    let test = TestService::start(options()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let proxy = Proxy::before(test.cluster().unwrap().url()).await.unwrap();
    for (number, cut) in [Cut::Before, Cut::After, Cut::InAnswer(3)]
        .into_iter()
        .enumerate()
    {
        let node = test.beside_through(proxy.url(), Faults::none()).await;
        let node = node.unwrap();
        proxy.cut("UPDATE tenantry_users", cut);
        let signed_in = try_in(&node, Some("acme"), ADA, PASSWORD).await;
        one(signed_in.unwrap_or_else(|refusal| panic!("{cut:?}: {refusal:?}")));
        assert_eq!(proxy.cuts(), number + 1, "{cut:?}: never sent");
    }
}

/// It may have happened: saying so is better than doing it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_not_repeated() {
    let test = TestService::start(options()).await.unwrap();
    let view = test.invite_tenant("acme", ADA).await.unwrap();
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    let proxy = Proxy::before(test.cluster().unwrap().url()).await.unwrap();
    let node = test.beside_through(proxy.url(), Faults::none()).await;
    let node = node.unwrap();
    proxy.cut("COMMIT", Cut::InAnswer(3));
    let set = node.service.setup_password(&token, PASSWORD, None, None);
    refused!(set.await, Refusal::TenantUnavailable);
    assert_eq!(proxy.cuts(), 1);
    let mut inside = inside(&test, &view).await;
    let version = inside.number("SELECT security_version FROM tenantry_users");
    assert_eq!(version.await.unwrap(), 2, "the password was set once");
    let again = node.service.setup_password(&token, OTHER, None, None);
    refused!(again.await, Refusal::TokenInvalid);
    one(try_in(&node, Some("acme"), ADA, PASSWORD).await.unwrap());
}

/// A service with `acme` on a server of its own, at this URL, and `globex` on another.
async fn on_two_servers(own: &str) -> TestService {
    let test = TestService::start(options()).await.unwrap();
    let own = NewCluster {
        name: "own".to_owned(),
        url: Secret::new(own.to_owned()),
        accepts: true,
        capacity: None,
    };
    test.service.add_cluster(own).await.unwrap();
    for (slug, cluster) in [("acme", "own"), ("globex", "default")] {
        let mut new = test.new_tenant_here(slug, ADA, Some(PASSWORD)).unwrap();
        new.cluster = Some(cluster.to_owned());
        test.create(new).await.unwrap();
    }
    test
}

/// Acme is refused as unavailable and in time, and globex is not concerned.
async fn expect_acme_alone_away(test: &TestService, at: &str) {
    let begun = Instant::now();
    let (acme, globex) = tokio::join!(
        Box::pin(try_in(test, Some("acme"), ADA, PASSWORD)),
        Box::pin(try_in(test, Some("globex"), ADA, PASSWORD)),
    );
    refused!(acme, Refusal::TenantUnavailable, at);
    one(globex.unwrap_or_else(|refusal| panic!("{at}: {refusal:?}")));
    assert!(begun.elapsed() < Duration::from_secs(10), "{at}");
    // Without a tenant named she is found where she can be found.
    one(Box::pin(try_in(test, None, ADA, PASSWORD)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_connection_to_spare_is_its_tenants_trouble_alone() {
    let server = PrivatePostgres::start(&["max_connections=16"]).unwrap();
    let own = TestCluster::at(server.url(), "CREATEDB CREATEROLE").await;
    let own = own.unwrap();
    let test = on_two_servers(own.url()).await;
    // One that holds no connection of before.
    let node = test.beside(Faults::none()).await.unwrap();
    test.service.close().await;
    let mut taken = Vec::new();
    let full = loop {
        match Session::at(own.url()).await {
            Ok(session) => taken.push(session),
            Err(refused) => break refused,
        }
    };
    assert_eq!(full.code.as_deref(), Some("53300"));
    expect_acme_alone_away(&node, "full").await;
    drop(taken);
    one(try_in(&node, Some("acme"), ADA, PASSWORD).await.unwrap());
    drop((node, test));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_its_tenants_trouble_alone() {
    let mut server = PrivatePostgres::start(&[]).unwrap();
    let own = TestCluster::at(server.url(), "CREATEDB CREATEROLE").await;
    let own = own.unwrap();
    let proxy = Proxy::before(own.url()).await.unwrap();
    let test = on_two_servers(proxy.url()).await;
    for how in [Ending::Killed, Ending::AtOnce] {
        server.end(how).unwrap();
        expect_acme_alone_away(&test, &format!("{how:?}")).await;
        server.restart().unwrap();
        one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    }
    proxy.set_hanging(true);
    expect_acme_alone_away(&test, "hanging").await;
    proxy.set_hanging(false);
    proxy.reset();
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    drop((proxy, test));
}
