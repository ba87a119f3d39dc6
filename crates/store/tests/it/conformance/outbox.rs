//! The outbox: each mail is one worker's at a time, and its content goes once it was sent.

use std::time::Duration;

use tenantry_core::{OutboxId, TenantId, Timestamp};
use tenantry_store::control::DueMail;

use crate::support::{Bench, Dialect, number};

on_both! {
    a_mail_is_claimed_by_one_until_its_lease_ends,
    the_longest_waiting_goes_first,
    a_deferred_mail_waits,
    a_sent_mail_is_done_and_emptied,
    a_given_up_mail_is_done,
    a_late_outcome_changes_nothing,
    a_late_outcome_counts_while_nobody_else_tries,
    a_tenants_mails_are_removed,
    what_is_done_is_forgotten,
}

const MINUTE: Duration = Duration::from_mins(1);

async fn mail(bench: &Bench, tenant: Option<TenantId>, due: Timestamp) -> OutboxId {
    let id = OutboxId::from_uuid(bench.uuid());
    apply!(bench, outbox().add(id, tenant, b"sealed", due));
    id
}

async fn claim(bench: &Bench) -> Option<DueMail> {
    apply!(bench, outbox().claim(bench.now(), bench.now() + MINUTE))
}

/// Mails of which this is true.
async fn count(bench: &Bench, condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM outbox WHERE {condition}");
    number(bench.control.db(), &sql).await
}

async fn a_mail_is_claimed_by_one_until_its_lease_ends(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(claim(&bench).await.is_none());
    let id = mail(&bench, None, bench.now()).await;
    apply!(bench, outbox().add(id, None, b"another", bench.now()));
    assert_eq!(
        look!(bench, outbox().count_waiting()),
        1,
        "the same mail twice is one"
    );
    let first = claim(&bench).await.unwrap();
    assert_eq!(
        (first.id, first.sealed.as_slice(), first.attempt),
        (id, b"sealed".as_slice(), 1)
    );
    assert!(claim(&bench).await.is_none(), "somebody has it");
    let end = bench.now() + MINUTE;
    bench.time.set(end - Duration::from_micros(1));
    assert!(claim(&bench).await.is_none());
    bench.time.set(end);
    assert_eq!(claim(&bench).await.unwrap().attempt, 2);
}

async fn the_longest_waiting_goes_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let late = mail(&bench, None, bench.now()).await;
    let early = mail(&bench, None, bench.now() - MINUTE).await;
    mail(&bench, None, bench.now() + MINUTE).await;
    assert_eq!(claim(&bench).await.unwrap().id, early);
    assert_eq!(claim(&bench).await.unwrap().id, late);
    assert!(claim(&bench).await.is_none(), "not due");
}

async fn a_deferred_mail_waits(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    mail(&bench, None, bench.now()).await;
    let first = claim(&bench).await.unwrap().claim();
    let later = bench.now() + MINUTE * 5;
    assert!(apply!(bench, outbox().defer(first, later, "451 later")));
    bench.time.advance(MINUTE * 2);
    assert!(claim(&bench).await.is_none());
    bench.time.advance(MINUTE * 3);
    assert_eq!(claim(&bench).await.unwrap().attempt, 2);
    assert_eq!(look!(bench, outbox().count_waiting()), 1);
}

async fn a_sent_mail_is_done_and_emptied(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    mail(&bench, None, bench.now()).await;
    let first = claim(&bench).await.unwrap().claim();
    assert!(apply!(bench, outbox().mark_sent(first, bench.now())));
    assert_eq!(look!(bench, outbox().count_waiting()), 0);
    // The same try has one outcome; the mail must not go out again.
    assert!(!apply!(bench, outbox().defer(first, bench.now(), "late")));
    assert!(!apply!(
        bench,
        outbox().mark_failed(first, bench.now(), "late")
    ));
    assert!(!apply!(bench, outbox().mark_sent(first, bench.now())));
    bench.time.advance(MINUTE * 9);
    assert!(claim(&bench).await.is_none());
    assert_eq!(
        count(&bench, "failed_at IS NULL AND error IS NULL").await,
        1
    );
    assert_eq!(
        count(&bench, "LENGTH(sealed) > 0").await,
        0,
        "a link is in it"
    );
}

async fn a_given_up_mail_is_done(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    mail(&bench, None, bench.now()).await;
    let first = claim(&bench).await.unwrap().claim();
    assert!(apply!(
        bench,
        outbox().mark_failed(first, bench.now(), "550 no such user")
    ));
    assert_eq!(look!(bench, outbox().count_waiting()), 0);
    assert!(!apply!(bench, outbox().mark_sent(first, bench.now())));
    assert!(!apply!(bench, outbox().defer(first, bench.now(), "late")));
    bench.time.advance(MINUTE * 9);
    assert!(claim(&bench).await.is_none());
}

/// A sender that took longer than its claim lasted, while another tries the mail again.
async fn a_late_outcome_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    mail(&bench, None, bench.now()).await;
    let late = claim(&bench).await.unwrap().claim();
    bench.time.advance(MINUTE);
    let held = claim(&bench).await.unwrap().claim();
    assert_eq!(held, (late.0, 2));
    let now = bench.now();
    assert!(!apply!(bench, outbox().mark_sent(late, now)));
    assert!(!apply!(bench, outbox().mark_failed(late, now, "550 late")));
    assert!(!apply!(bench, outbox().defer(late, now, "451 late")));
    assert_eq!(look!(bench, outbox().count_waiting()), 1);
    assert!(claim(&bench).await.is_none(), "the other still has it");
    assert_eq!(
        count(&bench, "error IS NULL AND LENGTH(sealed) > 0").await,
        1,
        "the other's content and no error"
    );
    assert!(apply!(bench, outbox().defer(held, now + MINUTE, "451")));
    assert!(!apply!(bench, outbox().mark_sent(late, now)));
    bench.time.advance(MINUTE);
    assert_eq!(claim(&bench).await.unwrap().attempt, 3);
}

async fn a_late_outcome_counts_while_nobody_else_tries(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    mail(&bench, None, bench.now()).await;
    let late = claim(&bench).await.unwrap().claim();
    bench.time.advance(MINUTE * 9);
    assert!(apply!(bench, outbox().mark_sent(late, bench.now())));
    assert!(
        claim(&bench).await.is_none(),
        "a mail that left leaves once"
    );
}

async fn a_tenants_mails_are_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = TenantId::from_uuid(bench.uuid());
    let sent = mail(&bench, Some(tenant), bench.now()).await;
    assert_eq!(claim(&bench).await.unwrap().claim(), (sent, 1));
    assert!(apply!(bench, outbox().mark_sent((sent, 1), bench.now())));
    mail(&bench, Some(tenant), bench.now()).await;
    mail(&bench, Some(TenantId::from_uuid(bench.uuid())), bench.now()).await;
    mail(&bench, None, bench.now()).await;
    assert_eq!(
        apply!(bench, outbox().remove_waiting(tenant, bench.now())),
        0,
        "not older"
    );
    let later = bench.now() + std::time::Duration::from_micros(1);
    assert_eq!(apply!(bench, outbox().remove_waiting(tenant, later)), 1);
    assert_eq!(look!(bench, outbox().count_waiting()), 2);
    assert_eq!(apply!(bench, outbox().remove_tenant(tenant)), 1);
    assert_eq!(look!(bench, outbox().count_waiting()), 2);
}

async fn what_is_done_is_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for failed in [false, true] {
        mail(&bench, None, bench.now()).await;
        let first = claim(&bench).await.unwrap().claim();
        assert!(if failed {
            apply!(bench, outbox().mark_failed(first, bench.now(), "550"))
        } else {
            apply!(bench, outbox().mark_sent(first, bench.now()))
        });
    }
    mail(&bench, None, bench.now()).await;
    assert_eq!(apply!(bench, outbox().remove_done(bench.now())), 0);
    let later = bench.now() + Duration::from_micros(1);
    assert_eq!(apply!(bench, outbox().remove_done(later)), 2);
    assert_eq!(
        look!(bench, outbox().count_waiting()),
        1,
        "what waits stays"
    );
}
