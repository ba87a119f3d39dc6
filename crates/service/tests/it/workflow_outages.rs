//! A server that is killed, or stopped at once, in the middle of a workflow and comes back: the
//! work goes on by itself, and nothing is half-made.

use std::time::Duration;

use tenantry_core::tenant::Isolation;
use tenantry_saga::{Faults, Pace};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::service::{Driver, LEASE, TestService};
use tenantry_testkit::services::{Ending, PrivatePostgres};

use crate::workflow_scenes::{Scene, Setting};

/// The product's attempts with shorter pauses.
const PACE: Pace = Pace {
    lease: LEASE,
    attempts: 8,
    pause: Duration::from_millis(100),
    longest: Duration::from_secs(1),
};

/// Ends the server as soon as a statement with these words has reached it, and starts it again.
async fn ends_under(scene: Scene, words: &str, how: Ending) {
    let at = format!("{scene:?}: {how:?} at {words}");
    let mut server = PrivatePostgres::start(&[]).unwrap();
    let cluster = TestCluster::at(server.url(), "CREATEDB CREATEROLE").await;
    let cluster = cluster.unwrap();
    let mut options = Setting::server(Driver::Sqlite, Isolation::Database).options();
    options.pace = PACE;
    let test = TestService::start_on(Some(cluster), options).await.unwrap();
    scene.set_up(&test).await;
    let url = test.cluster().unwrap().url().to_owned();
    let proxy = Proxy::before(&url).await.unwrap();
    let acting = test
        .beside_through(proxy.url(), Faults::none())
        .await
        .unwrap();
    proxy.cut(words, Cut::After);

    let acted = acting.while_time_passes(scene.act(&acting));
    let outage = async {
        reached(&proxy, &at).await;
        server.end(how).unwrap();
        server.restart().unwrap();
    };
    let (acted, ()) = tokio::join!(acted, outage);
    acted.unwrap_or_else(|refusal| panic!("{at}: {refusal:?}"));
    scene.expect_done(&acting, &at).await;
    // Before its server: what is left there is dropped with the test.
    drop((acting, test));
}

/// The same where the registry is on that server too, and the process loses everything at once.
async fn ends_under_everything(scene: Scene, words: &str, how: Ending) {
    let at = format!("{scene:?}: {how:?} at {words} under everything");
    let mut server = PrivatePostgres::start(&[]).unwrap();
    let cluster = TestCluster::at(server.url(), "CREATEDB CREATEROLE").await;
    let cluster = cluster.unwrap();
    let mut options = Setting::SERVER.options();
    options.pace = PACE;
    options.registry = Some(server.url().to_owned());
    let test = TestService::start_on(Some(cluster), options).await.unwrap();
    scene.set_up(&test).await;
    let url = test.cluster().unwrap().url().to_owned();
    let proxy = Proxy::before(&url).await.unwrap();
    let acting = test.beside_through(proxy.url(), Faults::none()).await;
    let acting = acting.unwrap();
    proxy.cut(words, Cut::After);
    let acted = acting.while_time_passes(scene.act(&acting));
    let outage = async {
        reached(&proxy, &at).await;
        server.end(how).unwrap();
        server.restart().unwrap();
    };
    // Whoever asked may be told that it failed: what was asked for is written down.
    let (_acted, ()) = tokio::join!(acted, outage);
    test.control().look_anew().await;
    acting.clock.advance(LEASE);
    acting.settle().await.unwrap();
    scene.expect_done(&acting, &at).await;
    drop((acting, test));
}

/// Waits until the proxy has cut a connection.
async fn reached(proxy: &Proxy, at: &str) {
    let cut = async {
        while proxy.cuts() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let cut = tokio::time::timeout(Duration::from_secs(30), cut).await;
    cut.unwrap_or_else(|_| panic!("{at}: never sent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provisioning_survives_the_end_of_its_server() {
    for (words, how) in [
        ("CREATE ROLE \"t_", Ending::Killed),
        ("CREATE DATABASE \"t_", Ending::Killed),
        ("REASSIGN OWNED", Ending::AtOnce),
        ("INSERT INTO tenantry_users", Ending::Killed),
    ] {
        ends_under(Scene::Invite, words, how).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recreating_survives_the_end_of_its_server() {
    for (words, how) in [
        ("CREATE DATABASE \"t_", Ending::AtOnce),
        ("DROP DATABASE", Ending::Killed),
    ] {
        ends_under(Scene::Recreate, words, how).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging_survives_the_end_of_its_server() {
    for (words, how) in [
        ("DROP DATABASE", Ending::AtOnce),
        ("DROP ROLE", Ending::Killed),
    ] {
        ends_under(Scene::Purge, words, how).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_goes_with_its_server_survives() {
    for (scene, words, how) in [
        (Scene::Invite, "CREATE DATABASE \"t_", Ending::Killed),
        (Scene::Purge, "DROP DATABASE", Ending::AtOnce),
    ] {
        ends_under_everything(scene, words, how).await;
    }
}
