//! Two nodes at one workflow: whoever loses its lease in the middle of a step does no harm, and the
//! run ends once.

use std::time::Duration;

use tenantry_core::workflow::{LogEvent, WorkflowState};
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::service::{LEASE, TestService};

use crate::workflow_scenes::{Scene, Setting};

/// How long one node is left in peace. Shorter than most steps on a server take, so that the other
/// one takes the run up while the first is still at it.
const TURN: Duration = Duration::from_millis(60);

const ENDED: &str = "SELECT COUNT(*) FROM workflows WHERE finished_at IS NOT NULL";

async fn works(node: &TestService, ended: i64) {
    while node.control().number(ENDED).await.unwrap() < ended {
        node.service.run_due_workflows().await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn two_nodes_race(scene: Scene) {
    let at = format!("{scene:?}");
    let test = scene.prepare(Setting::SERVER).await;
    let ended = test.control().number(ENDED).await.unwrap() + 1;
    // Somebody asks for it and goes away.
    let first = Faults::new(|_, _, moment| {
        matches!(moment, Moment::Logged(LogEvent::Started)).then_some(Fault::Halt)
    });
    let gone = std::sync::Arc::new(test.beside(first).await.unwrap());
    let asking = std::sync::Arc::clone(&gone);
    let asking = tokio::spawn(async move { scene.act(&asking).await.is_ok() });
    let begun = "SELECT COUNT(*) FROM workflows WHERE finished_at IS NULL
                 AND EXISTS (SELECT 1 FROM workflow_log l WHERE l.workflow_id = workflows.id)";
    test.control().until(begun).await.unwrap();
    asking.abort();

    let nodes = [
        test.beside(Faults::none()).await.unwrap(),
        test.beside(Faults::none()).await.unwrap(),
    ];
    let time = async {
        while test.control().number(ENDED).await.unwrap() < ended {
            test.clock.advance(LEASE);
            tokio::time::sleep(TURN).await;
        }
    };
    let race = async {
        tokio::join!(
            Box::pin(works(&nodes[0], ended)),
            Box::pin(works(&nodes[1], ended)),
            time
        )
    };
    let raced = tokio::time::timeout(Duration::from_mins(1), race).await;
    raced.unwrap_or_else(|_| panic!("{at}: it comes to no end"));

    let runs = test.service.list_workflows(None, 1).await.unwrap();
    assert_eq!(runs[0].state, WorkflowState::Succeeded, "{at}");
    let (_, log) = test.service.find_workflow(runs[0].id).await.unwrap();
    for step in scene.steps().await {
        let done = log
            .iter()
            .filter(|entry| entry.step == step && entry.event == LogEvent::Succeeded);
        assert_eq!(done.count(), 1, "{at}: {step} in {log:?}");
    }
    test.settle().await.unwrap();
    scene.expect_done(&test, &at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provisioning() {
    Box::pin(two_nodes_race(Scene::Invite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recreating() {
    Box::pin(two_nodes_race(Scene::Recreate)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging() {
    Box::pin(two_nodes_race(Scene::Purge)).await;
}
