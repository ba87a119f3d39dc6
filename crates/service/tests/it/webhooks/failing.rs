//! Receivers that take nothing: tried again with growing pauses, then given up and shown so.

use std::time::Duration;

use tenantry_service::Refusal;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Receiver, Reply};
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};
use tenantry_webhooks::{Deliverer, Rules};

use super::{deliver, deliveries, listen, wanting};
use crate::people::{ADA, id, start};

/// Standard Webhooks, "retries": seconds between tries.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

async fn what_is_not_taken_is_tried_again_for_three_days(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, webhook, _) = listen(&test).await;
    receiver.answer(Reply::Status(500));
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    let begun = test.clock.now();
    for (tries, seconds) in (1..).zip(PAUSES) {
        assert_eq!(deliver(&test).await, 0);
        let one = deliveries(&test, &webhook).await.remove(0);
        assert_eq!((one.attempts, one.failed_at), (tries, None));
        assert_eq!(one.error.as_deref(), Some("the receiver answered 500"));
        let pause = Duration::from_secs(seconds);
        let wait = one.next_attempt_at.since(test.clock.now());
        assert!((pause..=pause.mul_f64(1.1)).contains(&wait), "{wait:?}");
        test.clock
            .advance(wait.saturating_sub(Duration::from_micros(1)));
        assert_eq!(deliver(&test).await, 0);
        assert_eq!(receiver.seen().len(), usize::try_from(tries).unwrap());
        test.clock.advance(Duration::from_micros(1));
    }
    let took = test.clock.now().since(begun);
    assert!((Duration::from_hours(72)..Duration::from_hours(96)).contains(&took));
    assert_eq!(deliver(&test).await, 0);
    let one = deliveries(&test, &webhook).await.remove(0);
    assert_eq!((one.attempts, one.failed_at), (10, Some(test.clock.now())));
    let shown = test.service.find_webhook(webhook.id).await.unwrap();
    assert_eq!((shown.waiting, shown.failed), (0, 1));
    test.clock.advance(Duration::from_hours(48));
    assert_eq!(deliver(&test).await, 0);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 10);
    let id = seen[0].header("webhook-id");
    assert!(seen.iter().all(|one| one.header("webhook-id") == id));
    assert!(seen.iter().all(|one| one.body == seen[0].body));
    // What was given up is forgotten a week later.
    test.clock.advance(Duration::from_hours(6 * 24));
    test.service.sweep().await.unwrap();
    assert!(deliveries(&test, &webhook).await.is_empty());
}

async fn who_is_back_gets_what_waited(driver: Driver) {
    let hasty = Options {
        webhooks: Options::on(driver)
            .webhooks
            .with_patience(Duration::from_millis(100)),
        ..Options::on(driver)
    };
    let test = TestService::start(hasty).await.unwrap();
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, webhook, _) = listen(&test).await;
    receiver.answer(Reply::Silence);
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    test.service.resume_tenant(id(&acme)).await.unwrap();
    assert_eq!(deliver(&test).await, 0);
    assert_eq!(receiver.seen().len(), 1, "one failure is enough for now");
    let waiting = deliveries(&test, &webhook).await.remove(0);
    assert!(waiting.error.unwrap().contains("did not answer"));
    receiver.answer(Reply::Status(200));
    test.clock.advance(Duration::from_secs(6));
    assert_eq!(deliver(&test).await, 2);
    let done = deliveries(&test, &webhook).await;
    assert!(
        done.iter()
            .all(|one| one.delivered_at.is_some() && one.error.is_none())
    );
}

/// A receiver that says it is gone for good, or sends us elsewhere.
async fn gone_is_gone_and_nobody_is_followed(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, webhook, _) = listen(&test).await;
    let other = Receiver::start().await.unwrap();
    receiver.answer(Reply::Redirect(other.url("/")));
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    assert_eq!(deliver(&test).await, 0);
    assert!(other.seen().is_empty());
    let one = deliveries(&test, &webhook).await.remove(0);
    assert!(one.failed_at.is_none() && one.error.unwrap().contains("307"));
    receiver.answer(Reply::Status(410));
    test.clock.advance(Duration::from_secs(6));
    assert_eq!(deliver(&test).await, 0);
    let one = deliveries(&test, &webhook).await.remove(0);
    assert!(one.failed_at.is_some());
}

/// What settings do not allow is refused where it is added, and not sent where it was added under
/// other settings.
async fn what_lies_inside_is_not_written_to(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, webhook, _) = listen(&test).await;
    let strict = test
        .open_otherwise(
            |settings| settings.webhooks = Deliverer::new(Rules::default()),
            None,
        )
        .await
        .unwrap()
        .unwrap();
    for (url, code) in [
        (receiver.url("/"), "private"),
        ("https://10.1.2.3/".to_owned(), "private"),
        ("https://[fd00::1]/".to_owned(), "private"),
        ("http://hooks.example/".to_owned(), "not_https"),
        ("https://ada:secret@hooks.example/".to_owned(), "invalid"),
        ("hooks.example".to_owned(), "invalid"),
    ] {
        match strict.add_webhook(&wanting(url.clone(), &[])).await {
            Err(Refusal::Validation(errors)) => {
                assert_eq!((&*errors[0].field, errors[0].code), ("url", code), "{url}");
                assert!(!errors[0].message.contains("secret"));
            }
            _ => panic!("{url} is not refused"),
        }
    }
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    assert_eq!(strict.deliver_due_notices().await.unwrap(), 0);
    assert!(receiver.seen().is_empty());
    let one = deliveries(&test, &webhook).await.remove(0);
    assert!(one.error.unwrap().contains("webhooks.allow_private"));
    let tried = strict.try_webhook(webhook.id).await.unwrap();
    assert!(tried.failure.is_some() && receiver.seen().is_empty());
}

async fn wrong_wishes_are_named(driver: Driver) {
    let test = start(driver).await;
    for (events, description, field) in [
        (&["tenant.exploded"][..], None, "events"),
        (&["ping"], None, "events"),
        (&["tenant.created", ""], None, "events"),
        (&[], Some("x".repeat(201)), "description"),
        (&[], Some("two\nlines".to_owned()), "description"),
    ] {
        let mut new = wanting("https://hooks.example/".to_owned(), events);
        new.description = description;
        match test.service.add_webhook(&new).await {
            Err(Refusal::Validation(errors)) => assert_eq!(errors[0].field, field),
            _ => panic!("{new:?} is not refused"),
        }
    }
    // There is an end to it.
    for _ in 0..64 {
        let new = wanting("https://hooks.example/".to_owned(), &[]);
        test.service.add_webhook(&new).await.unwrap();
    }
    let new = wanting("https://hooks.example/".to_owned(), &[]);
    refused!(test.service.add_webhook(&new).await, Refusal::Conflict(_));
}

on_both!(
    what_is_not_taken_is_tried_again_for_three_days,
    who_is_back_gets_what_waited,
    gone_is_gone_and_nobody_is_followed,
    what_lies_inside_is_not_written_to,
    wrong_wishes_are_named,
);
