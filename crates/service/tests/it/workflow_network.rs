//! A network between us and the server that is slow, breaks and hangs while a workflow is at work:
//! it comes to its good end within its bounds, and nothing is left over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tenantry_core::tenant::Isolation;
use tenantry_saga::{Faults, Moment};
use tenantry_store::PoolBounds;
use tenantry_store::cluster::ClusterBounds;
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::service::{Driver, Options, TestService};

use crate::workflow_scenes::{Scene, Setting};

/// Bounds under which what hangs is given up soon.
fn options() -> Options {
    let mut options = Setting::server(Driver::Sqlite, Isolation::Database).options();
    options.clusters = ClusterBounds {
        statement: Duration::from_secs(1),
        budget: Duration::from_secs(2),
        ..ClusterBounds::default()
    };
    options.pools = PoolBounds {
        wait: Duration::from_millis(500),
        ..PoolBounds::default()
    };
    options
}

/// How long a step may take under these bounds before it is given up and tried again, and what the
/// others take.
const BOUND: Duration = Duration::from_secs(2 * (1 + 2) + 2 + 15);

struct Bench {
    test: TestService,
    acting: TestService,
    proxy: Arc<Proxy>,
}

impl Bench {
    /// What a scene needs, and a process that reaches the server through a proxy, which `disturb`
    /// is called with at the beginning of each step.
    async fn open(scene: Scene, disturb: impl Fn(&Proxy, &str) + Send + Sync + 'static) -> Self {
        let test = TestService::start(options()).await.unwrap();
        scene.set_up(&test).await;
        let url = test.cluster().unwrap().url().to_owned();
        let proxy = Arc::new(Proxy::before(&url).await.unwrap());
        let disturbed = Arc::clone(&proxy);
        let kind = scene.kind();
        let faults = Faults::new(move |running, step, moment| {
            if running == kind && moment == Moment::BeforeForward {
                disturb(&disturbed, step);
            }
            None
        });
        let acting = test.beside_through(proxy.url(), faults).await.unwrap();
        Self {
            test,
            acting,
            proxy,
        }
    }

    async fn acts(&self, scene: Scene, at: &str) {
        let begun = Instant::now();
        let acted = self.acting.while_time_passes(scene.act(&self.acting)).await;
        acted.unwrap_or_else(|refusal| panic!("{at}: {refusal:?}"));
        assert!(begun.elapsed() < BOUND, "{at}: {:?}", begun.elapsed());
        // By the direct way: how it is, and not how it looks through a bad line.
        let next = self.test.beside(Faults::none()).await.unwrap();
        scene.expect_done(&next, at).await;
    }
}

/// Cuts the connection around the first request of a step that holds these words.
async fn cut(scene: Scene, step: &'static str, words: &'static str, cut: Cut) {
    let at = format!("{scene:?}: {cut:?} in {step} at {words}");
    let armed = AtomicBool::new(false);
    let bench = Bench::open(scene, move |proxy, running| {
        if running == step && !armed.swap(true, Ordering::SeqCst) {
            proxy.cut(words, cut);
        }
    })
    .await;
    bench.acts(scene, &at).await;
    assert_eq!(bench.proxy.cuts(), 1, "{at}: never sent");
}

/// What the steps send that the building blocks of a cluster are not tried with by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provisioning_survives_a_cut_connection() {
    for (step, words, how) in [
        ("make_roles", "CREATE ROLE \"t_", Cut::InAnswer(3)),
        ("create_database", "CREATE DATABASE \"t_", Cut::After),
        ("admit_service", "PASSWORD 'SCRAM", Cut::InAnswer(0)),
        ("stamp", "INSERT INTO tenantry_stamp", Cut::Before),
        ("stamp", "INSERT INTO tenantry_stamp", Cut::InAnswer(3)),
        ("owner", "BEGIN", Cut::InAnswer(3)),
        ("owner", "INSERT INTO tenantry_users", Cut::After),
        ("owner", "COMMIT", Cut::After),
        ("owner", "COMMIT", Cut::InAnswer(3)),
        ("verify", "tenantry_stamp", Cut::InAnswer(20)),
    ] {
        cut(Scene::Invite, step, words, how).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging_survives_a_cut_connection() {
    for (step, words, how) in [
        (
            "remove_databases",
            "OWNER TO CURRENT_USER",
            Cut::InAnswer(3),
        ),
        ("remove_databases", "DROP DATABASE", Cut::After),
        ("remove_databases", "DROP ROLE", Cut::Before),
    ] {
        cut(Scene::Purge, step, words, how).await;
    }
}

/// An answer that never comes: the step is given up in time and done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_waits_for_an_answer_that_never_comes() {
    for (scene, step, words) in [
        (Scene::Invite, "create_database", "CREATE DATABASE \"t_"),
        (Scene::Invite, "owner", "INSERT INTO tenantry_users"),
        (Scene::Purge, "remove_databases", "DROP DATABASE"),
    ] {
        cut(scene, step, words, Cut::Hang).await;
    }
}

/// Connections that broke between two steps cost nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_before_each_step_are_made_anew() {
    for scene in [Scene::Invite, Scene::Recreate, Scene::Purge] {
        let bench = Bench::open(scene, |proxy, _| proxy.reset()).await;
        bench.acts(scene, &format!("{scene:?}: reset")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_takes_longer_and_no_more() {
    let bench = Bench::open(Scene::Invite, |_, _| {}).await;
    bench.proxy.set_latency(Duration::from_millis(10));
    bench.acts(Scene::Invite, "a slow line").await;
}
