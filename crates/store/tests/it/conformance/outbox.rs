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
    a_tenants_mails_are_removed,
    sent_mails_are_forgotten,
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
    let id = mail(&bench, None, bench.now()).await;
    claim(&bench).await.unwrap();
    apply!(
        bench,
        outbox().defer(id, bench.now() + MINUTE * 5, "451 later")
    );
    bench.time.advance(MINUTE * 2);
    assert!(claim(&bench).await.is_none());
    bench.time.advance(MINUTE * 3);
    assert_eq!(claim(&bench).await.unwrap().attempt, 2);
    assert_eq!(look!(bench, outbox().count_waiting()), 1);
}

async fn a_sent_mail_is_done_and_emptied(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = mail(&bench, None, bench.now()).await;
    claim(&bench).await.unwrap();
    apply!(bench, outbox().mark_sent(id, bench.now()));
    assert_eq!(look!(bench, outbox().count_waiting()), 0);
    // A worker that lost its lease reports late; the mail must not go out again.
    apply!(bench, outbox().defer(id, bench.now(), "too late"));
    bench.time.advance(MINUTE * 9);
    assert!(claim(&bench).await.is_none());
    let left = number(
        bench.control.db(),
        "SELECT CAST(SUM(LENGTH(sealed)) AS BIGINT) FROM outbox",
    );
    assert_eq!(left.await, 0, "the link is in it");
}

async fn a_given_up_mail_is_done(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = mail(&bench, None, bench.now()).await;
    claim(&bench).await.unwrap();
    apply!(
        bench,
        outbox().mark_failed(id, bench.now(), "550 no such user")
    );
    assert_eq!(look!(bench, outbox().count_waiting()), 0);
    bench.time.advance(MINUTE * 9);
    assert!(claim(&bench).await.is_none());
}

async fn a_tenants_mails_are_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = TenantId::from_uuid(bench.uuid());
    let sent = mail(&bench, Some(tenant), bench.now()).await;
    apply!(bench, outbox().mark_sent(sent, bench.now()));
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

async fn sent_mails_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let sent = mail(&bench, None, bench.now()).await;
    mail(&bench, None, bench.now()).await;
    apply!(bench, outbox().mark_sent(sent, bench.now()));
    assert_eq!(apply!(bench, outbox().remove_sent(bench.now())), 0);
    let later = bench.now() + MINUTE;
    assert_eq!(apply!(bench, outbox().remove_sent(later)), 1);
    assert_eq!(look!(bench, outbox().count_waiting()), 1);
}
