//! What a clock wrote while it was ahead is put right, and nothing else is.

use std::time::Duration;

use tenantry_core::application::ApplicationState::Pending;
use tenantry_core::one_time::Purpose;
use tenantry_core::throttle::Limits;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{NoticeId, OneTimeId, OutboxId, Timestamp, WebhookId, WorkflowId};
use tenantry_store::control::{Counted, NewDelivery, StoredSecret, WebhookRecord};

use super::admins::admin;
use super::applications;
use crate::support::{Bench, Dialect, number};

on_both! {
    the_server_keeps_a_clock_that_is_behind_from_judging,
    a_pause_is_as_long_as_it_was_to_be,
    what_somebody_has_to_lift_stays,
    a_secret_counts_as_long_as_it_was_to_count,
    an_application_can_be_proven_as_long_as_it_was_to_be,
    a_run_whose_process_is_gone_is_taken_up,
    a_run_that_was_put_off_goes_on,
    the_reconcilers_turn_comes,
    a_hold_ends,
    mails_and_notices_leave,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// How far ahead is nothing wrong.
const APART: Duration = Duration::from_mins(5);

const LIMITS: Limits = Limits {
    free: 1,
    pause: Duration::from_secs(15),
    longest: Duration::from_mins(15),
    window: DAY,
    disable_after: Some(4),
};

async fn count(bench: &Bench, key: &[u8; 32]) -> Counted {
    apply!(bench, throttle().count(key, &LIMITS, bench.now()))
}

/// Does something while the clock is so far ahead.
async fn ahead<T>(bench: &Bench, by: Duration, what: impl AsyncFnOnce() -> T) -> T {
    let now = bench.now();
    bench.time.advance(by);
    let done = what().await;
    bench.time.set(now);
    done
}

async fn the_server_keeps_a_clock_that_is_behind_from_judging(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (past, future) = (
        Timestamp::from_micros(0),
        Timestamp::from_micros(i64::MAX / 2),
    );
    let server = look!(bench, ahead().latest(past));
    match dialect {
        Dialect::Sqlite => assert_eq!(server, past, "a file has no clock"),
        // 2026, and no sooner.
        Dialect::Postgres => assert!(server > bench.now(), "{server}"),
    }
    assert_eq!(look!(bench, ahead().latest(future)), future);
}

async fn a_pause_is_as_long_as_it_was_to_be(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (near, far, now) = (bench.hash(), bench.hash(), bench.now());
    ahead(&bench, APART, async || count(&bench, &near).await).await;
    ahead(&bench, DAY, async || count(&bench, &far).await).await;
    assert_eq!(count(&bench, &far).await, Counted::Wait(DAY + SECOND * 15));
    assert_eq!(apply!(bench, ahead().date_throttle(now)), 1);
    assert_eq!(apply!(bench, ahead().date_throttle(now)), 0);
    assert_eq!(
        count(&bench, &near).await,
        Counted::Wait(APART + SECOND * 15)
    );
    assert_eq!(count(&bench, &far).await, Counted::Wait(SECOND * 15));
    bench.time.advance(SECOND * 15);
    assert_eq!(
        count(&bench, &far).await,
        Counted::Go(2),
        "the count goes on"
    );
    // Whoever was not kept waiting is not from now on.
    let free = bench.hash();
    ahead(&bench, DAY, async || {
        let limits = Limits { free: 5, ..LIMITS };
        apply!(bench, throttle().count(&free, &limits, bench.now()))
    })
    .await;
    assert_eq!(apply!(bench, ahead().date_throttle(bench.now())), 1);
    let blocked = look!(bench, throttle().blocked_for(&free, bench.now()));
    assert_eq!(blocked, Duration::ZERO);
}

async fn what_somebody_has_to_lift_stays(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = bench.hash();
    let now = bench.now();
    ahead(&bench, DAY, async || {
        for _ in 0..4 {
            count(&bench, &key).await;
            bench.time.advance(MINUTE * 15);
        }
    })
    .await;
    assert_eq!(apply!(bench, ahead().date_throttle(now)), 1);
    let for_ever = Timestamp::from_micros(i64::MAX).since(now);
    assert_eq!(count(&bench, &key).await, Counted::Wait(for_ever));
    apply!(bench, throttle().clear(&key));
    assert_eq!(count(&bench, &key).await, Counted::Go(1));
}

async fn a_secret_counts_as_long_as_it_was_to_count(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let record = admin(&bench, "root@example.com");
    assert!(apply!(bench, admins().add(&record)));
    let made = |purpose| StoredSecret {
        id: OneTimeId::from_uuid(bench.uuid()),
        purpose,
        hash: bench.hash(),
        created_at: bench.now(),
        expires_at: bench.now() + MINUTE,
    };
    let right = made(Purpose::Setup);
    apply!(bench, one_time().add(record.admin.id, &right));
    let wrong = ahead(&bench, DAY, async || {
        let secret = made(Purpose::Reset);
        apply!(bench, one_time().add(record.admin.id, &secret));
        secret
    })
    .await;
    assert_eq!(apply!(bench, ahead().date_secrets(bench.now())), 1);
    for (after, good) in [(Duration::ZERO, true), (MINUTE, false)] {
        let now = bench.now() + after;
        for secret in [&right, &wrong] {
            let (id, purpose) = (secret.id, secret.purpose);
            let found = look!(bench, one_time().find_good(id, purpose, &secret.hash, now));
            assert_eq!(found.is_some(), good, "{purpose:?} after {after:?}");
        }
    }
}

async fn an_application_can_be_proven_as_long_as_it_was_to_be(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let add = async || {
        let (application, hash) = applications::apply(&bench).await;
        (application.id, hash)
    };
    let (first, first_hash) = ahead(&bench, DAY, add).await;
    let (second, second_hash) = ahead(&bench, DAY, add).await;
    let (proven, proven_hash) = ahead(&bench, DAY, add).await;
    let now = bench.now();
    assert!(apply!(
        bench,
        applications().mark_proven(proven, &proven_hash, now)
    ));
    assert_eq!(apply!(bench, ahead().date_applications(now)), 2);
    let late = now + DAY;
    assert!(!apply!(
        bench,
        applications().mark_proven(first, &first_hash, late)
    ));
    let in_time = late - SECOND;
    assert!(apply!(
        bench,
        applications().mark_proven(second, &second_hash, in_time)
    ));
    let kept = look!(bench, applications().lookup(proven)).unwrap();
    assert_eq!((kept.state, kept.created_at), (Pending, now + DAY));
}

async fn run(bench: &Bench) -> WorkflowId {
    let (id, now) = (WorkflowId::from_uuid(bench.uuid()), bench.now());
    assert!(apply!(
        bench,
        workflows().add(id, "create", 1, None, "{}", now)
    ));
    id
}

async fn bound_runs(bench: &Bench) -> u64 {
    let (now, lease, pause) = (bench.now(), SECOND * 15, SECOND * 30);
    apply!(bench, ahead().bound_workflows(now, lease, pause))
}

async fn due(bench: &Bench) -> Vec<WorkflowId> {
    look!(bench, workflows().list_due(bench.now(), 9))
}

async fn a_run_whose_process_is_gone_is_taken_up(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (near, far) = (run(&bench).await, run(&bench).await);
    for (id, by) in [(near, APART), (far, DAY)] {
        ahead(&bench, by, async || {
            let (now, until) = (bench.now(), bench.now() + SECOND * 15);
            assert!(apply!(bench, workflows().claim(id, now, until)).is_some());
        })
        .await;
    }
    assert_eq!(bound_runs(&bench).await, 1);
    assert_eq!(due(&bench).await, [], "it may be at it still");
    bench.time.advance(SECOND * 15);
    assert_eq!(due(&bench).await, [far]);
    bench.time.advance(APART);
    assert_eq!(due(&bench).await, [near, far]);
}

async fn a_run_that_was_put_off_goes_on(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = ahead(&bench, DAY, async || run(&bench).await).await;
    assert_eq!(bound_runs(&bench).await, 1);
    assert_eq!(bound_runs(&bench).await, 0);
    bench.time.advance(SECOND * 30);
    assert_eq!(due(&bench).await, [id]);
}

async fn the_reconcilers_turn_comes(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let turn = async || apply!(bench, reconciler().claim(bench.now(), bench.now() + MINUTE));
    let bound = async || {
        let (now, pause) = (bench.now(), MINUTE * 15);
        apply!(bench, ahead().bound_reconciler(now, MINUTE, pause))
    };
    let fence = ahead(&bench, DAY, turn).await.unwrap();
    assert_eq!(turn().await, None);
    assert_eq!(bound().await, 1);
    assert_eq!(turn().await, None, "it may be at it still");
    bench.time.advance(MINUTE);
    let next = turn().await.unwrap();
    assert!(next > fence);
    ahead(&bench, DAY, async || {
        let (now, due) = (bench.now(), bench.now() + MINUTE * 15);
        assert!(apply!(bench, reconciler().finish(next, 0, now, due)));
    })
    .await;
    assert_eq!(bound().await, 1);
    assert_eq!(bound().await, 0);
    assert_eq!(turn().await, None, "it was done a moment ago");
    bench.time.advance(MINUTE * 15);
    assert!(turn().await.is_some());
}

async fn a_hold_ends(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let secret = super::rotation::active(&bench, &acme).await;
    let hold = async || {
        let (now, until) = (bench.now(), bench.now() + MINUTE);
        apply!(bench, credentials().hold(&secret, now, until))
    };
    assert!(ahead(&bench, DAY, hold).await);
    assert!(!hold().await);
    assert_eq!(apply!(bench, ahead().bound_holds(bench.now(), MINUTE)), 1);
    assert!(!hold().await, "it may be at it still");
    bench.time.advance(MINUTE);
    assert!(hold().await);
    assert_eq!(apply!(bench, ahead().bound_holds(bench.now(), MINUTE)), 0);
}

async fn mails_and_notices_leave(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let webhook = WebhookRecord {
        id: WebhookId::from_uuid(bench.uuid()),
        url: "https://hooks.example/in".to_owned(),
        description: String::new(),
        events: Vec::new(),
        sealed_secret: vec![1],
        created_at: bench.now(),
        waiting: 0,
        failed: 0,
    };
    apply!(bench, webhooks().add(&webhook));
    let write = async || {
        let mail = OutboxId::from_uuid(bench.uuid());
        apply!(bench, outbox().add(mail, None, b"sealed", bench.now()));
        let notice = NewDelivery {
            webhook: webhook.id,
            id: NoticeId::from_uuid(bench.uuid()),
            event: EventKind::TenantCreated,
            sealed: b"sealed",
            at: bench.now(),
        };
        apply!(bench, webhooks().add_delivery(notice));
    };
    // As late as they may be due, and later.
    ahead(&bench, DAY, write).await;
    ahead(&bench, DAY * 3_650, write).await;
    let now = bench.now();
    assert_eq!(apply!(bench, ahead().bound_mails(now, DAY)), 1);
    assert_eq!(apply!(bench, ahead().bound_notices(now, DAY)), 1);
    bench.time.advance(DAY);
    let until = bench.now() + MINUTE;
    for table in ["outbox", "webhook_deliveries"] {
        let late = bench.now().micros();
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE next_attempt_at <= {late}");
        assert_eq!(number(bench.control.db(), &sql).await, 2, "{table}");
    }
    let claimed = apply!(bench, outbox().claim(bench.now(), until));
    assert!(claimed.is_some());
}
