//! The audit: entries that were begun before their act, and a chain in which a change shows.

use std::time::Duration;

use serde_json::json;
use tenantry_core::audit::{Action, Actor, Fault, Outcome, Source};
use tenantry_service::audit::{About, Act, AuditQuery, Begun, Broken, Ending, Verified};
use tenantry_service::{Refusal, Service};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, start};

fn act(target: &str) -> Act {
    Act {
        action: Action::named("tenant.suspend").unwrap(),
        actor: Actor::Command("ada".to_owned()),
        about: About::Nothing,
        target: Some(target.to_owned()),
        source: Source::default(),
        detail: None,
    }
}

async fn begin(service: &Service, target: &str) -> Begun {
    service.begin_act(act(target)).await.unwrap()
}

fn done() -> Ending {
    Ending::plain(Outcome::Done, None)
}

/// Acts that are begun, settled and sealed.
async fn acts(test: &TestService, number: usize) {
    for place in 0..number {
        let begun = begin(&test.service, &format!("thing {place}")).await;
        test.service.settle_act(begun, done()).await;
    }
    test.service.seal_audit().await.unwrap();
}

async fn verified(service: &Service) -> Verified {
    service.verify_audit().await.unwrap()
}

async fn outcomes(test: &TestService) -> Vec<String> {
    let sql = "SELECT COALESCE(outcome, 'begun') FROM audit ORDER BY id";
    test.control().texts(sql).await.unwrap()
}

async fn damage(test: &TestService, sql: &str) {
    assert!(test.control().damage(sql).await.unwrap() > 0, "{sql}");
}

async fn expect(test: &TestService, seq: i64, fault: Fault, case: &str) {
    let found = verified(&test.service).await.broken;
    assert_eq!(found, Some(Broken { seq, fault }), "{case}");
}

async fn what_is_done_is_begun_settled_and_chained(driver: Driver) {
    let test = start(driver).await;
    assert_eq!(verified(&test.service).await.begun_at, None);
    let begun = begin(&test.service, "acme").await;
    assert_eq!(outcomes(&test).await, ["begun"]);
    assert_eq!(test.service.seal_audit().await.unwrap(), 0);
    test.service.settle_act(begun, done()).await;
    assert_eq!(test.service.seal_audit().await.unwrap(), 1);
    assert_eq!(test.service.seal_audit().await.unwrap(), 0);
    acts(&test, 4).await;
    let seen = verified(&test.service).await;
    assert_eq!((seen.entries, seen.first, seen.last), (5, 1, 5));
    assert_eq!((seen.broken, seen.unsealed), (None, 0));
    // Another process, after another start, comes to the same.
    let beside = test.beside(tenantry_saga::Faults::none()).await.unwrap();
    assert_eq!(verified(&beside.service).await, seen);
}

async fn an_act_refused_before_anything_happened_leaves_nothing(driver: Driver) {
    let test = start(driver).await;
    let begun = begin(&test.service, "acme").await;
    test.service.withdraw_act(begun).await;
    assert_eq!(outcomes(&test).await, Vec::<String>::new());
}

async fn an_entry_knows_a_tenant_that_came_with_its_act(driver: Driver) {
    let test = start(driver).await;
    let named = Act {
        about: About::Named("acme".to_owned()),
        ..act("x")
    };
    let begun = test.service.begin_act(named).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.service.settle_act(begun, done()).await;
    let query = AuditQuery {
        tenant: Some("acme".to_owned()),
        ..AuditQuery::default()
    };
    let listed = test.service.list_audit(&query, None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].entry.tenant, Some(view.tenant.id));
    assert_eq!(listed[0].slug, Some(view.tenant.slug));
    // By its id it is found when it is gone; by a slug of nobody nothing is.
    let id = view.tenant.id;
    test.service.delete_tenant(id, true).await.unwrap();
    let gone = test.service.list_audit(&query, None, 10).await;
    refused!(gone, Refusal::TenantNotFound);
    let query = AuditQuery {
        tenant: Some(id.to_string()),
        ..AuditQuery::default()
    };
    let listed = test.service.list_audit(&query, None, 10).await.unwrap();
    assert_eq!((listed.len(), &listed[0].slug), (1, &None));
}

async fn a_change_of_any_part_shows(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 3).await;
    let id = test.control().literal(uuid::Uuid::from_u128(7));
    for (column, value) in [
        ("id", id.as_str()),
        ("at", "at + 1"),
        ("action", "'tenant.resume'"),
        ("action", "'nothing we know'"),
        ("actor_name", "'eve'"),
        ("tenant_id", &id),
        ("target", "NULL"),
        ("outcome", "'refused'"),
        ("code", "''"),
        ("ip", "'192.0.2.1'"),
        ("user_agent", "''"),
        ("request_id", "'r'"),
        ("detail", "'{}'"),
    ] {
        let keep = "CREATE TABLE kept AS SELECT * FROM audit WHERE seq = 2";
        test.control().damage(keep).await.unwrap();
        damage(
            &test,
            &format!("UPDATE audit SET {column} = {value} WHERE seq = 2"),
        )
        .await;
        expect(&test, 2, Fault::Altered, column).await;
        damage(&test, "DELETE FROM audit WHERE seq = 2").await;
        damage(&test, "INSERT INTO audit SELECT * FROM kept").await;
        test.control().damage("DROP TABLE kept").await.unwrap();
        assert_eq!(verified(&test.service).await.broken, None, "{column}");
    }
    damage(
        &test,
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 1) WHERE seq = 2",
    )
    .await;
    expect(&test, 2, Fault::Altered, "hash").await;
}

async fn a_removed_entry_shows(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 5).await;
    damage(&test, "DELETE FROM audit WHERE seq = 3").await;
    expect(&test, 3, Fault::Missing, "gone").await;
    assert_eq!(verified(&test.service).await.entries, 2);
    // Also where those after it move up.
    damage(&test, "UPDATE audit SET seq = 3 WHERE seq = 4").await;
    damage(&test, "UPDATE audit SET seq = 4 WHERE seq = 5").await;
    expect(&test, 3, Fault::Altered, "moved up").await;
}

async fn an_entry_made_unsealed_shows(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 3).await;
    damage(
        &test,
        "UPDATE audit SET seq = NULL, hash = NULL WHERE seq = 2",
    )
    .await;
    test.service.seal_audit().await.unwrap();
    expect(&test, 2, Fault::Missing, "sealed anew at the end").await;
}

async fn an_inserted_entry_shows(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 3).await;
    let begun = begin(&test.service, "forged").await;
    test.service.settle_act(begun, done()).await;
    let last = "(SELECT hash FROM audit WHERE seq = 3)";
    damage(
        &test,
        &format!("UPDATE audit SET seq = 4, hash = {last} WHERE seq IS NULL"),
    )
    .await;
    expect(&test, 4, Fault::Foreign, "behind the end").await;
    damage(&test, "UPDATE audit SET seq = 0 WHERE seq = 4").await;
    expect(&test, 0, Fault::Foreign, "before the beginning").await;
}

async fn reordered_entries_show(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 4).await;
    for (from, to) in [(2, 99), (3, 2), (99, 3)] {
        damage(
            &test,
            &format!("UPDATE audit SET seq = {to} WHERE seq = {from}"),
        )
        .await;
    }
    expect(&test, 2, Fault::Altered, "2 and 3 changed places").await;
}

async fn a_cut_off_tail_shows_and_is_not_sealed_over(driver: Driver) {
    let test = start(driver).await;
    acts(&test, 5).await;
    damage(&test, "DELETE FROM audit WHERE seq > 3").await;
    expect(&test, 4, Fault::Missing, "cut off").await;
    // The end moved back by hand: the hash that vouches for it can't be made without the key.
    let back =
        "UPDATE audit_chain SET last_seq = 3, last_hash = (SELECT hash FROM audit WHERE seq = 3)";
    damage(&test, back).await;
    expect(&test, 4, Fault::Ends, "moved back").await;
    let begun = begin(&test.service, "more").await;
    test.service.settle_act(begun, done()).await;
    refused!(test.service.seal_audit().await, Refusal::Failed { .. });
    expect(&test, 4, Fault::Ends, "still").await;
    damage(&test, "DELETE FROM audit_chain").await;
    expect(&test, 3, Fault::Ends, "no end at all").await;
    refused!(test.service.seal_audit().await, Refusal::Failed { .. });
}

async fn two_processes_seal_one_chain(driver: Driver) {
    let test = start(driver).await;
    let beside = test.beside(tenantry_saga::Faults::none()).await.unwrap();
    let mut working = Vec::new();
    for service in [
        &test.service,
        &beside.service,
        &test.service,
        &beside.service,
    ] {
        let service = service.clone();
        working.push(tokio::spawn(async move {
            for place in 0..20 {
                let begun = begin(&service, &format!("thing {place}")).await;
                service.settle_act(begun, done()).await;
                service.seal_audit().await.unwrap();
            }
        }));
    }
    for one in working {
        one.await.unwrap();
    }
    let seen = verified(&beside.service).await;
    assert_eq!((seen.entries, seen.last, seen.unsealed), (80, 80, 0));
    assert_eq!(seen.broken, None);
}

async fn what_a_dead_process_left_is_unknown(driver: Driver) {
    let test = start(driver).await;
    let left = begin(&test.service, "left").await;
    let ten = Duration::from_mins(10);
    test.clock.advance(ten);
    test.service.sweep().await.unwrap();
    assert_eq!(
        outcomes(&test).await,
        ["begun"],
        "exactly ten minutes may pass"
    );
    test.clock.advance(Duration::from_micros(1));
    test.service.sweep().await.unwrap();
    assert_eq!(outcomes(&test).await, ["unknown"]);
    assert_eq!(test.service.seal_audit().await.unwrap(), 1);

    // It was not dead, only slow: that is told behind it.
    test.service.settle_act(left, done()).await;
    assert_eq!(outcomes(&test).await, ["unknown", "done"]);
    let all = AuditQuery::default();
    let listed = test.service.list_audit(&all, None, 10).await.unwrap();
    let begun = json!({ "begun": listed[1].entry.id.to_string() }).to_string();
    assert_eq!(listed[0].entry.detail, Some(begun));
    assert_eq!(listed[0].entry.target.as_deref(), Some("left"));
    test.service.seal_audit().await.unwrap();
    assert_eq!(verified(&test.service).await.broken, None);
}

/// A process that keeps entries for a day.
async fn forgetful(test: &TestService) -> Service {
    let day = Duration::from_hours(24);
    let opened = test.open_otherwise(|settings| settings.audit_keep = Some(day), None);
    opened.await.unwrap().unwrap()
}

async fn what_is_pruned_is_gone_and_the_rest_is_whole(driver: Driver) {
    let test = start(driver).await;
    let service = forgetful(&test).await;
    acts(&test, 3).await;
    test.clock.advance(Duration::from_hours(24));
    assert_eq!(service.prune_audit().await.unwrap(), 0);
    acts(&test, 2).await;
    test.clock.advance(Duration::from_micros(1));
    assert_eq!(
        test.service.prune_audit().await.unwrap(),
        0,
        "kept for ever"
    );
    assert_eq!(service.prune_audit().await.unwrap(), 3);
    let seen = verified(&service).await;
    assert_eq!((seen.entries, seen.first, seen.last), (2, 4, 5));
    assert_eq!(seen.broken, None);
    acts(&test, 1).await;
    assert_eq!(verified(&service).await.broken, None);
    // The new beginning is vouched for as the end is.
    damage(&test, "DELETE FROM audit WHERE seq = 4").await;
    expect(&test, 4, Fault::Missing, "the first that is left").await;
    let forged = "UPDATE audit_chain SET pruned_seq = 4, pruned_hash = (SELECT hash FROM audit WHERE seq = 5)";
    damage(&test, forged).await;
    assert!(verified(&service).await.broken.is_some());
    refused!(service.prune_audit().await, Refusal::Failed { .. });
}

async fn pruning_hides_nothing(driver: Driver) {
    let test = start(driver).await;
    let service = forgetful(&test).await;
    acts(&test, 3).await;
    damage(&test, "UPDATE audit SET actor_name = 'eve' WHERE seq = 2").await;
    test.clock.advance(Duration::from_hours(48));
    refused!(service.prune_audit().await, Refusal::Failed { .. });
    expect(&test, 2, Fault::Altered, "still there").await;
}

async fn everything_may_be_pruned(driver: Driver) {
    let test = start(driver).await;
    let service = forgetful(&test).await;
    acts(&test, 3).await;
    test.clock.advance(Duration::from_hours(48));
    assert_eq!(service.prune_audit().await.unwrap(), 3);
    let seen = verified(&service).await;
    assert_eq!((seen.entries, seen.first, seen.last), (0, 4, 3));
    assert_eq!(seen.broken, None);
    acts(&test, 1).await;
    let seen = verified(&service).await;
    assert_eq!((seen.entries, seen.last, seen.broken), (1, 4, None));
}

async fn verifying_bears_sealing_and_pruning_beside_it(driver: Driver) {
    let test = start(driver).await;
    let service = forgetful(&test).await;
    acts(&test, 4).await;
    let (clock, writer) = (test.clock.clone(), service.clone());
    let working = tokio::spawn(async move {
        for _ in 0..40 {
            clock.advance(Duration::from_hours(9));
            let begun = begin(&writer, "more").await;
            writer.settle_act(begun, done()).await;
            writer.seal_audit().await.unwrap();
            writer.prune_audit().await.unwrap();
        }
    });
    while !working.is_finished() {
        assert_eq!(verified(&test.service).await.broken, None);
    }
    working.await.unwrap();
    let seen = verified(&test.service).await;
    assert_eq!((seen.last, seen.broken), (44, None));
    assert!(seen.first > 30, "{seen:?}");
}

async fn the_program_notes_what_it_does_by_itself(driver: Driver) {
    let test = start(driver).await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let id = view.tenant.id;
    test.service.delete_tenant(id, false).await.unwrap();
    test.clock.advance(Duration::from_hours(8 * 24));
    test.service.sweep().await.unwrap();
    let all = AuditQuery {
        actor: Some("system".to_owned()),
        ..AuditQuery::default()
    };
    let listed = test.service.list_audit(&all, None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].entry.action.as_str(), "tenant.purge");
    assert_eq!(listed[0].entry.tenant, Some(id));
}

on_both!(
    what_is_done_is_begun_settled_and_chained,
    an_act_refused_before_anything_happened_leaves_nothing,
    an_entry_knows_a_tenant_that_came_with_its_act,
    a_change_of_any_part_shows,
    a_removed_entry_shows,
    an_entry_made_unsealed_shows,
    an_inserted_entry_shows,
    reordered_entries_show,
    a_cut_off_tail_shows_and_is_not_sealed_over,
    two_processes_seal_one_chain,
    what_a_dead_process_left_is_unknown,
    what_is_pruned_is_gone_and_the_rest_is_whole,
    pruning_hides_nothing,
    everything_may_be_pruned,
    verifying_bears_sealing_and_pruning_beside_it,
    the_program_notes_what_it_does_by_itself,
);
