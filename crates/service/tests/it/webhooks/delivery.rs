//! Every notice arrives, by whatever process, and no receiver holds up another.

use std::collections::BTreeMap;
use std::time::Duration;

use tenantry_saga::Faults;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_testkit::service::{Driver, PASSWORD};
use tenantry_webhooks::Deliverer;
use tokio::sync::oneshot;

use super::{deliver, deliveries, kinds, listen, wanting};
use crate::people::{ADA, id, start};

/// Two processes hand over at once, and each notice is handed over by one of them.
async fn two_processes_send_each_notice_once(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, webhook, _) = listen(&test).await;
    for _ in 0..10 {
        test.service.suspend_tenant(id(&acme)).await.unwrap();
        test.service.resume_tenant(id(&acme)).await.unwrap();
    }
    let beside = test.beside(Faults::none()).await.unwrap();
    // A claim that another wins ends a lane, so it takes a look or two.
    while test.service.find_webhook(webhook.id).await.unwrap().waiting > 0 {
        tokio::join!(deliver(&test), deliver(&beside));
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for one in receiver.seen() {
        *times
            .entry(one.header("webhook-id").to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.len(), 20);
    assert!(times.values().all(|&count| count == 1), "{times:?}");
    let tries = deliveries(&test, &webhook).await;
    assert!(tries.iter().all(|delivery| delivery.attempts == 1));
}

/// The process ends after the commit, and another finds what it left.
async fn what_a_dead_process_left_is_delivered(driver: Driver) {
    let test = start(driver).await;
    let (receiver, webhook, secret) = listen(&test).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    // It died before it sent the first, and before it noted that it had sent the second.
    let now = test.clock.now();
    let mut claims = Vec::new();
    for _ in 0..2 {
        let mut tx = test.service.control().begin().await.unwrap();
        let until = now + Deliverer::LONGEST_POST * 2;
        let due = tx.webhooks().claim(webhook.id, now, until).await.unwrap();
        tx.commit().await.unwrap();
        claims.push(due.unwrap().id.to_string());
    }
    let next = test.beside(Faults::none()).await.unwrap();
    assert_eq!(deliver(&next).await, 0, "somebody may still be at it");
    test.clock.advance(Deliverer::LONGEST_POST * 2);
    assert_eq!(deliver(&next).await, 2);
    let seen = receiver.seen();
    let ids: Vec<&str> = seen.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids, claims, "the same notices");
    for one in &seen {
        let seconds = test.clock.now().seconds();
        let signature = secret.sign(one.header("webhook-id"), seconds, &one.body);
        assert_eq!(one.header("webhook-signature"), signature, "signed anew");
    }
    let tries = deliveries(&test, &webhook).await;
    assert!(tries.iter().all(|delivery| delivery.attempts == 2));
}

/// The background worker sends by itself; one who does not answer holds up nobody else, neither
/// what was there before nor what comes after.
async fn a_slow_receiver_holds_up_no_other(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let slow = Receiver::start().await.unwrap();
    slow.answer(Reply::Silence);
    let new = wanting(slow.url("/"), &[]);
    test.service.add_webhook(&new).await.unwrap();
    let (quick, ..) = listen(&test).await;
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let working = tokio::spawn({
        let service = test.service.clone();
        async move {
            // A sender that is gone means the same as one that says stop.
            service.work(async { drop(stopped.await) }).await;
        }
    });
    slow.until(1).await.unwrap();
    quick.until(1).await.unwrap();
    let begun = tokio::time::Instant::now();
    test.service.resume_tenant(id(&acme)).await.unwrap();
    let seen = quick.until(2).await.unwrap();
    assert_eq!(kinds(&seen), ["tenant.suspended", "tenant.resumed"]);
    assert!(
        begun.elapsed() < Deliverer::LONGEST_POST,
        "the slow one was waited for"
    );
    assert_eq!(slow.seen().len(), 1, "the slow one has one at a time");
    drop(stop);
    working.await.unwrap();
}

async fn a_ping_tells_what_came_of_it(driver: Driver) {
    let test = start(driver).await;
    let (receiver, webhook, secret) = listen(&test).await;
    let tried = test.service.try_webhook(webhook.id).await.unwrap();
    assert_eq!((tried.status, tried.failure), (Some(204), None));
    let seen = receiver.seen();
    assert_eq!(kinds(&seen), ["ping"]);
    let (id, seconds) = (seen[0].header("webhook-id"), test.clock.now().seconds());
    let signature = secret.sign(id, seconds, &seen[0].body);
    assert_eq!(seen[0].header("webhook-signature"), signature);
    receiver.answer(Reply::Status(401));
    let tried = test.service.try_webhook(webhook.id).await.unwrap();
    assert_eq!(tried.status, Some(401));
    assert_eq!(tried.failure.unwrap(), "the receiver answered 401");
    test.clock.advance(Duration::from_hours(24));
    assert_eq!(deliver(&test).await, 0, "a ping is not repeated");
    assert!(deliveries(&test, &webhook).await.is_empty());
}

on_both!(
    two_processes_send_each_notice_once,
    what_a_dead_process_left_is_delivered,
    a_slow_receiver_holds_up_no_other,
    a_ping_tells_what_came_of_it,
);
