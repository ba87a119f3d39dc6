//! A step that fails, before its effect or after it: what can be undone leaves nothing behind,
//! what can't waits for the operator and is finished by a retry.

use tenantry_core::TenantStatus;
use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Tenants, TestService};

use crate::workflow_scenes::{Scene, Setting, expect_gone, fatal};

/// When a step fails. On a server, where each case takes its time, only after its effect: before it
/// all is as after the step before, with another failure.
const fn moments(setting: Setting) -> &'static [Moment] {
    match setting.tenants {
        Tenants::Files => &[Moment::BeforeForward, Moment::AfterForward],
        Tenants::Cluster(_) => &[Moment::AfterForward],
    }
}

/// The tenant the newest run was about.
async fn tenant(test: &TestService) -> Option<tenantry_core::TenantId> {
    let runs = test.service.list_workflows(None, 1).await.unwrap();
    runs[0].tenant
}

async fn a_tenant_that_can_not_be_made_leaves_nothing(registry: Driver) {
    let (scene, setting) = (Scene::Invite, Setting::files(registry));
    for step in scene.steps().await {
        for &moment in moments(setting) {
            let at = format!("{moment:?} of {step}");
            let test = scene.prepare(setting).await;
            let broken = test.beside(fatal(scene, &step, moment)).await.unwrap();
            assert!(scene.act(&broken).await.is_err(), "{at}");
            expect_gone(&test, tenant(&test).await, &at).await;
        }
    }
}

/// Each step fails after its effect, and whatever was made is taken away twice.
async fn each_undo_is_done_twice(setting: Setting) {
    for step in Scene::Invite.steps_in(setting).await {
        let at = format!("after {step}");
        let mut faults = fatal(Scene::Invite, &step, Moment::AfterForward);
        faults.twice = true;
        let test = Scene::Invite.prepare(setting).await;
        let broken = test.beside(faults).await.unwrap();
        assert!(Scene::Invite.act(&broken).await.is_err(), "{at}");
        expect_gone(&test, tenant(&test).await, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_undo_may_be_done_twice() {
    each_undo_is_done_twice(Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_can_not_be_made_leaves_no_database() {
    each_undo_is_done_twice(Setting::SERVER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_can_not_be_made_leaves_no_schema() {
    each_undo_is_done_twice(Setting::SCHEMA).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_can_not_be_made_leaves_no_rows() {
    each_undo_is_done_twice(Setting::SHARED).await;
}

/// An undo that does not work at first is tried again, and then leaves nothing either.
async fn failing_undos_are_made_good(setting: Setting) {
    let steps = Scene::Invite.steps().await;
    let last = steps.last().unwrap().clone();
    for step in steps {
        let at = format!("undo of {step} fails once");
        let (failing, last) = (step.clone(), last.clone());
        let failed = std::sync::atomic::AtomicBool::new(false);
        let faults = Faults::new(move |_, step, moment| {
            if step == last && moment == Moment::AfterForward {
                return Some(Fault::Fatal);
            }
            let here = step == failing && moment == Moment::BeforeUndo;
            (here && !failed.swap(true, std::sync::atomic::Ordering::SeqCst))
                .then_some(Fault::Retry)
        });
        let test = Scene::Invite.prepare(setting).await;
        let broken = std::sync::Arc::new(test.beside(faults).await.unwrap());
        let acting = std::sync::Arc::clone(&broken);
        let acting = tokio::spawn(async move { Scene::Invite.act(&acting).await.is_err() });
        until_deferred(&test).await;
        test.clock.advance(std::time::Duration::from_mins(1));
        assert!(acting.await.unwrap(), "{at}");
        expect_gone(&test, tenant(&test).await, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_that_fails_for_now_is_made_good() {
    failing_undos_are_made_good(Setting::FILES).await;
}

async fn until_deferred(test: &TestService) {
    let deferred = "SELECT COUNT(*) FROM workflows WHERE state = 'undoing' AND attempts > 0";
    test.control().until(deferred).await.unwrap();
}

async fn what_can_not_be_undone_waits(setting: Setting, scenes: &[Scene]) {
    for &scene in scenes {
        for step in scene.steps_in(setting).await {
            for &moment in moments(setting) {
                let at = format!("{scene:?}: {moment:?} of {step}");
                let test = scene.prepare(setting).await;
                let broken = test.beside(fatal(scene, &step, moment)).await.unwrap();
                assert!(scene.act(&broken).await.is_err(), "{at}");
                let runs = test.service.list_workflows(None, 1).await.unwrap();
                assert_eq!(runs[0].state, WorkflowState::Stuck, "{at}");
                scene.expect_nobody_gets_in_half_way(&test, &at).await;
                if let Ok(view) = test.service.find_tenant("acme").await {
                    let status = view.tenant.status;
                    assert_ne!(status, TenantStatus::Provisioning, "{at}: it shows");
                }
                let ended = test.service.retry_workflow(runs[0].id).await.unwrap();
                assert_eq!(ended, WorkflowState::Succeeded, "{at}");
                scene.expect_done(&test, &at).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_undone_waits_and_is_finished_by_a_retry() {
    let scenes = [
        Scene::Recreate,
        Scene::Restore,
        Scene::RestoreInvited,
        Scene::Purge,
    ];
    what_can_not_be_undone_waits(Setting::FILES, &scenes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_undone_waits_on_a_server() {
    let scenes = [Scene::Restore, Scene::Purge];
    what_can_not_be_undone_waits(Setting::SERVER, &scenes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_undone_waits_in_shared_tables() {
    // Where rows of two generations of one tenant may lie in one table.
    what_can_not_be_undone_waits(Setting::SHARED, &[Scene::Recreate]).await;
}

/// A step that fails for now is tried again and nobody notices.
async fn failing_steps_are_made_good(setting: Setting, scenes: &[Scene]) {
    for &scene in scenes {
        for step in scene.steps_in(setting).await {
            let at = format!("{scene:?}: {step} fails once");
            let (kind, wanted) = (scene.kind(), step);
            let failed = std::sync::atomic::AtomicBool::new(false);
            let faults = Faults::new(move |running, step, moment| {
                let here = (running, step, moment) == (kind, wanted.as_str(), Moment::AfterForward);
                (here && !failed.swap(true, std::sync::atomic::Ordering::SeqCst))
                    .then_some(Fault::Retry)
            });
            let test = scene.prepare(setting).await;
            let broken = std::sync::Arc::new(test.beside(faults).await.unwrap());
            let acting = std::sync::Arc::clone(&broken);
            let acting = tokio::spawn(async move { scene.act(&acting).await.is_ok() });
            let deferred = "SELECT COUNT(*) FROM workflows WHERE attempts > 0";
            test.control().until(deferred).await.unwrap();
            test.clock.advance(std::time::Duration::from_mins(1));
            assert!(acting.await.unwrap(), "{at}");
            scene.expect_done(&test, &at).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_fails_for_now_is_made_good() {
    failing_steps_are_made_good(Setting::FILES, &Scene::ALL).await;
}

on_both!(a_tenant_that_can_not_be_made_leaves_nothing);
