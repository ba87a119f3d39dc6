//! What ended is refused from the very next request on, although a moment before it was good and was
//! answered from memory: on pages, on the API and for a proxy, wherever sessions lie.

mod behind;
mod changes;
mod clocks;
mod elsewhere;
mod warm;
mod written_over;

use std::collections::HashSet;

use serde_json::json;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::Options;

use changes::Change;
use warm::Warm;

async fn start(options: Options) -> TestApp {
    AppOptions::over(options.without_rate_limits())
        .start()
        .await
}

/// Whatever ends sessions, by the product's own ways.
async fn every_change_is_seen_by_the_next_request(options: Options) {
    let app = start(options).await;
    let stage = changes::Stage::set(&app).await;
    for change in Change::ALL {
        let person = stage.person(change).await;
        let warm = Warm::up(&app, &person).await;
        stage.make(change, &person).await;
        warm.expect_stale(&app, &person, &format!("{change:?}"))
            .await;
    }
}

/// A tenant made anew has other people. Were one of them given the id of before, by hand, and were
/// every session taken back to life, the generation alone would tell.
async fn the_same_person_by_id_in_a_later_life_is_another(options: Options) {
    let app = start(options).await;
    let stage = changes::Stage::set(&app).await;
    let person = stage.owner_of("phoenix").await;
    let warm = Warm::up(&app, &person).await;
    stage.make(Change::Recreated, &person).await;
    let version = warm.security_version;
    let view = app.service().find_tenant("phoenix").await.unwrap();
    assert_eq!(view.tenant.generation.number(), 2);
    let id = person.id.simple();
    let same = format!("UPDATE tenantry_users SET id = x'{id}', security_version = {version}");
    assert_eq!(app.inner().damage_tenant(&view, &same).await.unwrap(), 1);
    let revived = app.inner().revive_sessions().await.unwrap();
    assert!(revived >= 2, "{revived} sessions live again");
    warm.expect_stale(&app, &person, "the same id in a later life")
        .await;
    // Somebody who signs in now is that person.
    let again = app.sign_in(&person.tenant.host, &person.email).await;
    assert_eq!(again.body["user"]["id"], json!(person.id.to_string()));
}

on_each_session_driver!(
    every_change_is_seen_by_the_next_request,
    the_same_person_by_id_in_a_later_life_is_another,
);

/// Every change has a scene of its own, so that none stands on what another left.
#[test]
fn nobody_is_on_stage_twice() {
    let names: HashSet<String> = Change::ALL.into_iter().map(Change::name).collect();
    assert_eq!(names.len(), Change::ALL.len());
}
