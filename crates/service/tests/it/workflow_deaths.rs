//! A process that dies after any entry of a workflow's log; another one finishes or undoes the
//! work once the lease has passed. The engine and its statements meet both databases elsewhere, so
//! that one of the workflows stands for all on PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use tenantry_core::workflow::LogEvent;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, LEASE, Place, Tenants, TestService};

use crate::workflow_scenes::{Scene, Setting, expect_gone, fatal};

type Others = fn(&str, &str, Moment) -> Option<Fault>;

fn nothing_else(_: &str, _: &str, _: Moment) -> Option<Fault> {
    None
}

/// The last step fails after its effect, so that everything is undone.
fn the_last_step_fails(_: &str, step: &str, moment: Moment) -> Option<Fault> {
    (step == "activate" && moment == Moment::AfterForward).then_some(Fault::Fatal)
}

/// Dies at a place, and lets another process go on; the data afterwards.
async fn die_at(scene: Scene, setting: Setting, place: Place, others: Others) -> TestService {
    let at = format!("{scene:?}: died after {} {}", place.step, place.event);
    let test = scene.prepare(setting).await;
    let (faults, reached) = place.halt(others);
    let dying = Arc::new(test.beside(faults).await.unwrap());
    let acting = Arc::clone(&dying);
    let acting = tokio::spawn(async move { scene.act(&acting).await.is_ok() });
    tokio::time::timeout(Duration::from_secs(30), reached.wait())
        .await
        .unwrap_or_else(|_| panic!("{at}: never came there"));
    acting.abort();
    scene.expect_nobody_gets_in_half_way(&test, &at).await;

    let next = test.beside(Faults::none()).await.unwrap();
    next.service.run_due_workflows().await.unwrap();
    scene.expect_nobody_gets_in_half_way(&next, &at).await;
    next.clock.advance(LEASE);
    next.settle().await.unwrap();
    next
}

/// On a server, where each case takes its time, not after what was finished: what lies there is
/// then as it is when the next step has begun.
fn is_tried(setting: Setting, place: &Place) -> bool {
    let begun = matches!(place.event, LogEvent::Started | LogEvent::UndoStarted);
    setting.tenants == Tenants::Files || (begun && setting.concerns(&place.step))
}

async fn dies_everywhere(scene: Scene, setting: Setting) {
    let places = scene.places(Faults::none()).await;
    for place in places.into_iter().filter(|place| is_tried(setting, place)) {
        let at = format!("{scene:?}: died after {} {}", place.step, place.event);
        let next = die_at(scene, setting, place, nothing_else).await;
        scene.expect_done(&next, &at).await;
    }
}

async fn inviting(registry: Driver) {
    dies_everywhere(Scene::Invite, Setting::files(registry)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning() {
    dies_everywhere(Scene::Provision, Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recreating() {
    dies_everywhere(Scene::Recreate, Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring() {
    dies_everywhere(Scene::Restore, Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_before_the_link_was_used() {
    dies_everywhere(Scene::RestoreInvited, Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purging() {
    dies_everywhere(Scene::Purge, Setting::FILES).await;
}

// On a server, with databases of their own, whole processes die in the tests of the program.

#[tokio::test(flavor = "multi_thread")]
async fn inviting_into_shared_tables() {
    dies_everywhere(Scene::Invite, Setting::SHARED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_a_schema() {
    dies_everywhere(Scene::Restore, Setting::SCHEMA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purging_shared_tables() {
    dies_everywhere(Scene::Purge, Setting::SHARED).await;
}

/// On the way back: whole or gone, and nothing in between.
async fn dies_on_the_way_back(setting: Setting) {
    let steps = Scene::Invite.steps().await;
    assert_eq!(steps.last().map(String::as_str), Some("activate"));
    let faults = fatal(Scene::Invite, "activate", Moment::AfterForward);
    let places = Scene::Invite.places(faults).await;
    let back = places
        .iter()
        .position(|place| place.event.as_str() == "undo_started")
        .unwrap();
    assert_eq!(places.len() - back, 2 * steps.len());
    for place in places.into_iter().skip(back - 1) {
        if !is_tried(setting, &place) {
            continue;
        }
        let at = format!("died after {} {}", place.step, place.event);
        let failed = place.event.as_str() == "failed";
        let next = die_at(Scene::Invite, setting, place, the_last_step_fails).await;
        if failed {
            // It had not turned back yet, and the next process has no such trouble.
            Scene::Invite.expect_done(&next, &at).await;
        } else {
            expect_gone(&next, None, &at).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing() {
    dies_on_the_way_back(Setting::FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_a_schema() {
    dies_on_the_way_back(Setting::SCHEMA).await;
}

on_both!(inviting);
