//! A step that fails, before its effect or after it: what can be undone leaves nothing behind,
//! what can't waits for the operator and is finished by a retry.

use tenantry_core::TenantStatus;
use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, TestService};

use crate::workflow_scenes::{Scene, expect_gone, fatal};

const MOMENTS: [Moment; 2] = [Moment::BeforeForward, Moment::AfterForward];

/// The tenant the newest run was about.
async fn tenant(test: &TestService) -> Option<tenantry_core::TenantId> {
    let runs = test.service.list_workflows(None, 1).await.unwrap();
    runs[0].tenant
}

async fn a_tenant_that_can_not_be_made_leaves_nothing(driver: Driver) {
    let scene = Scene::Invite;
    for step in scene.steps().await {
        for moment in MOMENTS {
            let at = format!("{moment:?} of {step}");
            let test = scene.prepare(driver).await;
            let broken = test.beside(fatal(scene, &step, moment)).await.unwrap();
            assert!(scene.act(&broken).await.is_err(), "{at}");
            expect_gone(&test, tenant(&test).await, &at).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_undo_may_be_done_twice() {
    let driver = Driver::Sqlite;
    for step in Scene::Invite.steps().await {
        let at = format!("after {step}");
        let mut faults = fatal(Scene::Invite, &step, Moment::AfterForward);
        faults.twice = true;
        let test = Scene::Invite.prepare(driver).await;
        let broken = test.beside(faults).await.unwrap();
        assert!(Scene::Invite.act(&broken).await.is_err(), "{at}");
        expect_gone(&test, tenant(&test).await, &at).await;
    }
}

/// An undo that does not work at first is tried again, and then leaves nothing either.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_fails_for_now_is_made_good() {
    let driver = Driver::Sqlite;
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
        let test = Scene::Invite.prepare(driver).await;
        let broken = std::sync::Arc::new(test.beside(faults).await.unwrap());
        let acting = std::sync::Arc::clone(&broken);
        let acting = tokio::spawn(async move { Scene::Invite.act(&acting).await.is_err() });
        until_deferred(&test).await;
        test.clock.advance(std::time::Duration::from_mins(1));
        assert!(acting.await.unwrap(), "{at}");
        expect_gone(&test, tenant(&test).await, &at).await;
    }
}

async fn until_deferred(test: &TestService) {
    let deferred = "SELECT COUNT(*) FROM workflows WHERE state = 'undoing' AND attempts > 0";
    test.control().until(deferred).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_undone_waits_and_is_finished_by_a_retry() {
    let driver = Driver::Sqlite;
    for scene in [
        Scene::Recreate,
        Scene::Restore,
        Scene::RestoreInvited,
        Scene::Purge,
    ] {
        for step in scene.steps().await {
            for moment in MOMENTS {
                let at = format!("{scene:?}: {moment:?} of {step}");
                let test = scene.prepare(driver).await;
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

/// A step that fails for now is tried again and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_for_now_is_made_good() {
    let driver = Driver::Sqlite;
    for scene in Scene::ALL {
        for step in scene.steps().await {
            let at = format!("{scene:?}: {step} fails once");
            let (kind, wanted) = (scene.kind(), step);
            let failed = std::sync::atomic::AtomicBool::new(false);
            let faults = Faults::new(move |running, step, moment| {
                let here = (running, step, moment) == (kind, wanted.as_str(), Moment::AfterForward);
                (here && !failed.swap(true, std::sync::atomic::Ordering::SeqCst))
                    .then_some(Fault::Retry)
            });
            let test = scene.prepare(driver).await;
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

on_both!(a_tenant_that_can_not_be_made_leaves_nothing);
