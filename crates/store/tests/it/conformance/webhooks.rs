//! Receivers of notices: each delivery is one worker's at a time, and its content goes once it is done.

use std::time::Duration;

use tenantry_core::webhooks::EventKind;
use tenantry_core::{NoticeId, Timestamp, WebhookId};
use tenantry_store::control::{DueDelivery, NewDelivery, WebhookRecord};

use crate::support::{Bench, Dialect, number};

on_both! {
    a_receiver_comes_back_as_added,
    a_receiver_goes_with_all_it_was_to_be_told,
    a_delivery_is_claimed_by_one_until_its_lease_ends,
    the_longest_waiting_goes_first_and_receivers_apart,
    a_deferred_delivery_waits,
    what_is_done_is_done_and_emptied,
    a_late_outcome_changes_nothing,
    deliveries_are_listed_the_newest_first,
    what_is_done_is_forgotten,
}

const MINUTE: Duration = Duration::from_mins(1);

fn receiver(bench: &Bench, events: &[EventKind]) -> WebhookRecord {
    WebhookRecord {
        id: WebhookId::from_uuid(bench.uuid()),
        url: "https://hooks.example/in".to_owned(),
        description: "billing".to_owned(),
        events: events.to_vec(),
        sealed_secret: vec![1, 2, 3],
        created_at: bench.now(),
        waiting: 0,
        failed: 0,
    }
}

async fn add(bench: &Bench) -> WebhookId {
    let record = receiver(bench, &[]);
    apply!(bench, webhooks().add(&record));
    record.id
}

async fn tell(bench: &Bench, webhook: WebhookId, at: Timestamp) -> NoticeId {
    let id = NoticeId::from_uuid(bench.uuid());
    let new = NewDelivery {
        webhook,
        id,
        event: EventKind::TenantCreated,
        sealed: b"sealed",
        at,
    };
    apply!(bench, webhooks().add_delivery(new));
    id
}

async fn claim(bench: &Bench, webhook: WebhookId) -> Option<DueDelivery> {
    let (now, until) = (bench.now(), bench.now() + MINUTE);
    apply!(bench, webhooks().claim(webhook, now, until))
}

async fn due(bench: &Bench) -> Vec<WebhookId> {
    look!(bench, webhooks().list_due(bench.now()))
}

/// Deliveries of which this is true.
async fn count(bench: &Bench, condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM webhook_deliveries WHERE {condition}");
    number(bench.control.db(), &sql).await
}

async fn a_receiver_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let all = receiver(&bench, &[]);
    let some = receiver(&bench, &[EventKind::TenantDeleted, EventKind::UserCreated]);
    apply!(bench, webhooks().add(&all));
    apply!(bench, webhooks().add(&some));
    assert_eq!(look!(bench, webhooks().lookup(all.id)), Some(all.clone()));
    let nobody = WebhookId::from_uuid(bench.uuid());
    assert_eq!(look!(bench, webhooks().lookup(nobody)), None);
    assert!(all.wants(EventKind::TenantCreated) && !some.wants(EventKind::TenantCreated));
    assert!(some.wants(EventKind::UserCreated));

    tell(&bench, some.id, bench.now()).await;
    tell(&bench, some.id, bench.now()).await;
    let held = claim(&bench, some.id).await.unwrap();
    let now = bench.now();
    assert!(apply!(bench, webhooks().mark_failed(&held, now, "500")));
    let counted = WebhookRecord {
        waiting: 1,
        failed: 1,
        ..some.clone()
    };
    assert_eq!(
        look!(bench, webhooks().list_uncounted()),
        [all.clone(), some.clone()]
    );
    assert_eq!(
        look!(bench, webhooks().lookup(some.id)),
        Some(counted.clone())
    );
    assert_eq!(look!(bench, webhooks().list()), [all, counted]);
}

async fn a_receiver_goes_with_all_it_was_to_be_told(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (gone, stays) = (add(&bench).await, add(&bench).await);
    tell(&bench, gone, bench.now()).await;
    tell(&bench, stays, bench.now()).await;
    let held = claim(&bench, gone).await.unwrap();
    assert!(apply!(bench, webhooks().remove(gone)));
    assert!(!apply!(bench, webhooks().remove(gone)));
    assert_eq!(count(&bench, "1 = 1").await, 1);
    let now = bench.now();
    assert!(!apply!(bench, webhooks().mark_delivered(&held, now)));
    // Whoever still knew it, and writes later, does no harm.
    tell(&bench, gone, now).await;
    assert_eq!(count(&bench, "1 = 1").await, 1);
}

async fn a_delivery_is_claimed_by_one_until_its_lease_ends(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = add(&bench).await;
    assert!(claim(&bench, webhook).await.is_none());
    let id = tell(&bench, webhook, bench.now()).await;
    let again = NewDelivery {
        webhook,
        id,
        event: EventKind::Ping,
        sealed: b"another",
        at: bench.now(),
    };
    apply!(bench, webhooks().add_delivery(again));
    assert_eq!(count(&bench, "1 = 1").await, 1, "the same notice is one");
    assert_eq!(due(&bench).await, [webhook]);
    let first = claim(&bench, webhook).await.unwrap();
    assert_eq!(
        (first.webhook, first.id, first.event, first.attempt),
        (webhook, id, EventKind::TenantCreated, 1)
    );
    assert_eq!(first.sealed, b"sealed");
    assert!(claim(&bench, webhook).await.is_none(), "somebody has it");
    assert!(due(&bench).await.is_empty());
    let end = bench.now() + MINUTE;
    bench.time.set(end - Duration::from_micros(1));
    assert!(claim(&bench, webhook).await.is_none());
    bench.time.set(end);
    assert_eq!(claim(&bench, webhook).await.unwrap().attempt, 2);
}

async fn the_longest_waiting_goes_first_and_receivers_apart(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (webhook, other) = (add(&bench).await, add(&bench).await);
    let late = tell(&bench, webhook, bench.now()).await;
    let early = tell(&bench, webhook, bench.now() - MINUTE).await;
    tell(&bench, webhook, bench.now() + MINUTE).await;
    let others = tell(&bench, other, bench.now() - MINUTE).await;
    assert_eq!(due(&bench).await, [webhook, other]);
    assert_eq!(claim(&bench, webhook).await.unwrap().id, early);
    assert_eq!(claim(&bench, webhook).await.unwrap().id, late);
    assert!(claim(&bench, webhook).await.is_none(), "not due");
    assert_eq!(due(&bench).await, [other]);
    assert_eq!(claim(&bench, other).await.unwrap().id, others);
}

async fn a_deferred_delivery_waits(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = add(&bench).await;
    tell(&bench, webhook, bench.now()).await;
    let first = claim(&bench, webhook).await.unwrap();
    let later = bench.now() + MINUTE * 5;
    assert!(apply!(bench, webhooks().defer(&first, later, "500")));
    bench.time.advance(MINUTE * 2);
    assert!(claim(&bench, webhook).await.is_none());
    bench.time.advance(MINUTE * 3);
    assert_eq!(claim(&bench, webhook).await.unwrap().attempt, 2);
    assert_eq!(count(&bench, "error = '500'").await, 1);
}

async fn what_is_done_is_done_and_emptied(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = add(&bench).await;
    for delivered in [true, false] {
        tell(&bench, webhook, bench.now()).await;
        let held = claim(&bench, webhook).await.unwrap();
        let now = bench.now();
        assert!(if delivered {
            apply!(bench, webhooks().mark_delivered(&held, now))
        } else {
            apply!(bench, webhooks().mark_failed(&held, now, "500"))
        });
        assert!(!apply!(bench, webhooks().mark_delivered(&held, now)));
        assert!(!apply!(bench, webhooks().mark_failed(&held, now, "late")));
        assert!(!apply!(bench, webhooks().defer(&held, now, "late")));
    }
    bench.time.advance(MINUTE * 9);
    assert!(claim(&bench, webhook).await.is_none());
    assert!(due(&bench).await.is_empty());
    assert_eq!(count(&bench, "LENGTH(sealed) > 0").await, 0);
}

/// A worker that took longer than its claim lasted, while another tries again.
async fn a_late_outcome_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = add(&bench).await;
    tell(&bench, webhook, bench.now()).await;
    let late = claim(&bench, webhook).await.unwrap();
    bench.time.advance(MINUTE);
    let held = claim(&bench, webhook).await.unwrap();
    let now = bench.now();
    assert!(!apply!(bench, webhooks().mark_delivered(&late, now)));
    assert!(!apply!(bench, webhooks().mark_failed(&late, now, "late")));
    assert!(!apply!(bench, webhooks().defer(&late, now, "late")));
    assert_eq!(count(&bench, "error IS NULL").await, 1);
    assert!(claim(&bench, webhook).await.is_none(), "the other has it");
    assert!(apply!(bench, webhooks().mark_delivered(&held, now)));
}

async fn deliveries_are_listed_the_newest_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (webhook, other) = (add(&bench).await, add(&bench).await);
    let first = tell(&bench, webhook, bench.now()).await;
    let second = tell(&bench, webhook, bench.now() + MINUTE).await;
    tell(&bench, other, bench.now()).await;
    let held = claim(&bench, webhook).await.unwrap();
    let now = bench.now();
    assert!(apply!(bench, webhooks().mark_failed(&held, now, "500")));
    let listed = look!(bench, webhooks().list_deliveries(webhook, None, 9));
    let ids: Vec<NoticeId> = listed.iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids, [second, first]);
    assert_eq!(
        (listed[1].event, listed[1].attempts, listed[1].failed_at),
        (EventKind::TenantCreated, 1, Some(now))
    );
    assert_eq!(listed[1].error.as_deref(), Some("500"));
    assert_eq!(listed[0].next_attempt_at, now + MINUTE);
    assert_eq!(
        look!(bench, webhooks().list_deliveries(webhook, None, 1)).len(),
        1
    );
    let rest = look!(bench, webhooks().list_deliveries(webhook, Some(second), 9));
    assert_eq!(rest, listed[1..]);
}

async fn what_is_done_is_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = add(&bench).await;
    for failed in [false, true] {
        tell(&bench, webhook, bench.now()).await;
        let held = claim(&bench, webhook).await.unwrap();
        let now = bench.now();
        assert!(if failed {
            apply!(bench, webhooks().mark_failed(&held, now, "500"))
        } else {
            apply!(bench, webhooks().mark_delivered(&held, now))
        });
    }
    tell(&bench, webhook, bench.now()).await;
    assert_eq!(apply!(bench, webhooks().remove_done(bench.now())), 0);
    let later = bench.now() + Duration::from_micros(1);
    assert_eq!(apply!(bench, webhooks().remove_done(later)), 2);
    assert_eq!(count(&bench, "1 = 1").await, 1, "what waits stays");
}
