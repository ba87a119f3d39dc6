//! The key that stored values are sealed with: everything is sealed anew, whoever dies meanwhile, and
//! the old key goes once nothing names it.

use base64::prelude::BASE64_STANDARD;
use tenantry_core::application::Signup;
use tenantry_core::keys::OPENED_AFTER;
use tenantry_core::workflow::LogEvent;
use tenantry_core::{Locale, Timestamp};
use tenantry_service::applications::NewApplication;
use tenantry_service::keys::SealingRotation;
use tenantry_service::webhooks::NewWebhook;
use tenantry_testkit::service::{Isolation, LEASE, Options, Place, Tenants};
use uuid::Uuid;

use super::*;
use crate::people::{IP, try_in};

const EVE: &str = "eve@example.org";

async fn rotate(service: &Service) -> SealingRotation {
    service.rotate_sealing_key(|_, _| ()).await.unwrap()
}

/// The key that seals now.
async fn sealing(service: &Service) -> Uuid {
    let keys = keys(service, KeyKind::Sealing).await;
    let active = keys.iter().find(|key| key.state == "active").unwrap();
    active.id.parse().unwrap()
}

/// The tables with a value that names this key, also within a plan in base64.
async fn naming(test: &TestService, key: Uuid) -> Vec<String> {
    let head = [&[1], &key.as_bytes()[..14]].concat();
    let head = BASE64_STANDARD.encode(head);
    let mut tables = test.control().mentions(key).await.unwrap();
    let dump = test.control().dump().await.unwrap();
    for line in dump.iter().filter(|line| line.contains(&head)) {
        tables.extend(line.split(':').next().map(str::to_owned));
    }
    tables.sort();
    tables.dedup();
    tables
}

async fn add_webhook(service: &Service) {
    let new = NewWebhook {
        url: "http://127.0.0.1:1/in".to_owned(),
        events: Vec::new(),
        description: None,
    };
    service.add_webhook(&new).await.unwrap();
}

/// A tenant that was begun by a process which died.
async fn begun_tenant(test: &TestService, slug: &str) {
    let place = Place {
        kind: "provision".to_owned(),
        step: "owner".to_owned(),
        event: LogEvent::Started,
    };
    let (faults, reached) = place.halt(|_, _, _| None);
    let dying = test.beside(faults).await.unwrap();
    let slug = slug.to_owned();
    let making = tokio::spawn(async move { dying.make_tenant(&slug, EVE, PASSWORD).await });
    reached.wait().await;
    making.abort();
}

async fn everything_is_sealed_anew_and_opens(driver: Driver) {
    let options = Options::on(driver)
        .with_signup(Signup::Apply)
        .with_tenants(Tenants::Cluster(Isolation::Database));
    let test = TestService::start(options).await.unwrap();
    let service = &test.service;
    add_webhook(service).await;
    test.invite_tenant("acme", ADA).await.unwrap();
    let wish = NewApplication {
        name: "Globex".to_owned(),
        slug: "globex".to_owned(),
        email: EVE.to_owned(),
        full_name: None,
    };
    let ip = IP.parse().ok();
    service.apply(&wish, Locale::En, ip).await.unwrap();
    begun_tenant(&test, "initech").await;
    let old = sealing(service).await;
    let everywhere = [
        "clusters",
        "data_keys",
        "instance",
        "outbox",
        "signing_keys",
        "tenant_applications",
        "tenant_database_users",
        "webhook_deliveries",
        "webhooks",
        "workflows",
    ];
    assert_eq!(naming(&test, old).await, everywhere);

    let mut told = Vec::new();
    let done = service.rotate_sealing_key(|done, total| told.push((done, total)));
    let done = done.await.unwrap();
    assert!(done.made);
    assert_eq!((done.damaged, done.kept), (Vec::new(), Vec::new()));
    assert_ne!(done.id, old);
    assert_eq!(naming(&test, old).await, ["data_keys"]);
    assert_eq!(naming(&test, done.id).await, everywhere);
    let last = told.last().unwrap();
    assert_eq!(*last, (done.resealed, done.resealed), "{told:?}");
    assert_eq!(done.gone_at, Some(test.clock.now() + OPENED_AFTER));

    // All of it opens: here, for whoever opens the installation anew, and once the old key is gone.
    let new = test.beside(Faults::none()).await.unwrap();
    test.clock.advance(LEASE);
    new.tick().await.unwrap();
    assert!(try_in(&new, Some("initech"), EVE, PASSWORD).await.is_ok());
    test.setup_token_from_mail(ADA).await.unwrap();
    test.clock.advance(OPENED_AFTER.saturating_sub(LEASE));
    assert!(service.look_after_keys().await.unwrap() > 0);
    assert_eq!(states(service, KeyKind::Sealing).await, ["active"]);
    assert_eq!(naming(&test, old).await, [""; 0]);
    let latest = test.beside(Faults::none()).await.unwrap();
    latest.service.check_clusters(None).await.unwrap();
    assert!(
        try_in(&latest, Some("initech"), EVE, PASSWORD)
            .await
            .is_ok()
    );
}

async fn a_new_key_is_opened_with_by_whoever_does_not_know_it_yet(driver: Driver) {
    let test = start(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    rotate(&test.service).await;
    test.invite_tenant("acme", ADA).await.unwrap();
    assert_eq!(other.service.send_due_mail().await.unwrap(), 1);
    assert!(
        !other.service.follow_keys().await.unwrap(),
        "it knows by now"
    );
}

async fn what_is_sealed_late_is_sealed_anew_before_the_key_goes(driver: Driver) {
    let test = start(driver).await;
    let late = test.beside(Faults::none()).await.unwrap();
    let old = sealing(&test.service).await;
    rotate(&test.service).await;
    add_webhook(&late.service).await;
    assert_eq!(naming(&test, old).await, ["data_keys", "webhooks"]);
    assert_eq!(test.service.look_after_keys().await.unwrap(), 1);
    assert_eq!(naming(&test, old).await, ["data_keys"]);
    // Processes share the looking.
    add_webhook(&late.service).await;
    assert_eq!(test.service.look_after_keys().await.unwrap(), 0);
    test.clock.advance(A_WHILE);
    assert_eq!(test.service.look_after_keys().await.unwrap(), 1);
    // The others follow, and seal with the old one no more.
    assert!(late.service.follow_keys().await.unwrap());
    add_webhook(&late.service).await;
    assert_eq!(naming(&test, old).await, ["data_keys"]);
    test.clock.advance(OPENED_AFTER.saturating_sub(2 * A_WHILE));
    assert_eq!(test.service.look_after_keys().await.unwrap(), 0);
    assert_eq!(states(&test.service, KeyKind::Sealing).await.len(), 2);
    test.clock.advance(Duration::from_hours(1));
    assert_eq!(test.service.look_after_keys().await.unwrap(), 1);
    assert_eq!(states(&test.service, KeyKind::Sealing).await, ["active"]);
}

/// Cuts the secrets of all webhooks, so that none opens.
async fn cut_webhooks(test: &TestService, count: u64) {
    let cut = "UPDATE webhooks SET sealed_secret = substr(sealed_secret, 1, 40)";
    assert_eq!(test.control().damage(cut).await.unwrap(), count);
}

fn kinds(done: &SealingRotation) -> Vec<(&'static str, &'static str, usize)> {
    let kinds = done.damaged.iter();
    kinds
        .map(|values| (values.table, values.column, values.count))
        .collect()
}

/// What is said of each sealing key that retires: how many values name it, and when it goes.
async fn retiring(service: &Service) -> Vec<(Option<usize>, Option<Timestamp>)> {
    let mut keys = keys(service, KeyKind::Sealing).await;
    keys.retain(|key| key.state == "retiring");
    // Made at one moment, they come in no order.
    let mut all: Vec<_> = keys.iter().map(|key| (key.values, key.until)).collect();
    all.sort();
    all
}

/// A value that can't be opened keeps the key it names, and no other, and nobody from exchanging the
/// key that seals, as often as he likes.
async fn a_key_stays_while_anything_names_it(driver: Driver) {
    let test = start(driver).await;
    let service = &test.service;
    let old = sealing(service).await;
    add_webhook(service).await;
    cut_webhooks(&test, 1).await;
    add_webhook(service).await;
    let mut last = old;
    for turn in 1..4 {
        let done = rotate(service).await;
        assert!(done.made, "exchange {turn}");
        assert_ne!(done.id, last, "exchange {turn}");
        assert_eq!(kinds(&done), [("webhooks", "sealed_secret", 1)]);
        assert!(done.damaged[0].remedy.contains("add it anew"));
        assert_eq!(done.kept, [old]);
        assert_eq!(
            naming(&test, last).await.contains(&"webhooks".to_owned()),
            last == old
        );
        last = done.id;
    }
    // No date is promised for the one that stays, and the others keep theirs.
    let goes = Some(test.clock.now() + OPENED_AFTER);
    assert_eq!(
        retiring(service).await,
        [(Some(0), goes), (Some(0), goes), (Some(1), None)]
    );
    test.clock.advance(OPENED_AFTER);
    assert_eq!(service.look_after_keys().await.unwrap(), 2);
    assert_eq!(retiring(service).await, [(Some(1), None)]);
    assert_eq!(naming(&test, old).await, ["data_keys", "webhooks"]);
    let forget = "DELETE FROM webhooks WHERE length(sealed_secret) = 40";
    assert_eq!(test.control().damage(forget).await.unwrap(), 1);
    assert!(retiring(service).await[0].1.is_some());
    test.clock.advance(Duration::from_hours(1));
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(naming(&test, old).await, [""; 0]);
}

/// A value that names no key of ours, or is too short to name any, stops nothing and keeps nothing.
async fn what_names_no_key_keeps_none(driver: Driver) {
    let test = start(driver).await;
    let service = &test.service;
    for octets in [1, 17] {
        add_webhook(service).await;
        // The first octets stand for a key that never was.
        let sql = match driver {
            Driver::Sqlite => {
                "UPDATE webhooks SET sealed_secret = CAST(substr(sealed_secret, 30, {}) AS BLOB)"
            }
            Driver::Postgres => "UPDATE webhooks SET sealed_secret = substr(sealed_secret, 30, {})",
        };
        let sql = format!(
            "{} WHERE length(sealed_secret) > 30",
            sql.replace("{}", &octets.to_string())
        );
        assert_eq!(test.control().damage(&sql).await.unwrap(), 1);
    }
    let done = rotate(service).await;
    assert!(done.made);
    assert_eq!(kinds(&done), [("webhooks", "sealed_secret", 2)]);
    assert_eq!(done.kept, [] as [Uuid; 0]);
    assert_eq!(done.gone_at, Some(test.clock.now() + OPENED_AFTER));
    test.clock.advance(OPENED_AFTER);
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(states(service, KeyKind::Sealing).await, ["active"]);
}

/// Beside values that do not open, one that was left to be done is: that is no new exchange.
async fn what_was_begun_is_finished_beside_what_does_not_open(driver: Driver) {
    let test = start(driver).await;
    let late = test.beside(Faults::none()).await.unwrap();
    add_webhook(&test.service).await;
    cut_webhooks(&test, 1).await;
    let first = rotate(&test.service).await;
    add_webhook(&late.service).await;
    let finished = rotate(&test.service).await;
    assert_eq!((finished.made, finished.id), (false, first.id));
    assert_eq!((finished.resealed, finished.damaged.len()), (1, 1));
    let next = rotate(&test.service).await;
    assert!(next.made);
    assert_ne!(next.id, first.id);
}

async fn whoever_comes_next_finishes_what_was_begun(driver: Driver) {
    let test = start(driver).await;
    let old = sealing(&test.service).await;
    add_webhook(&test.service).await;
    test.invite_tenant("acme", ADA).await.unwrap();
    for (table, by_command) in [("signing_keys", true), ("webhooks", false)] {
        let place = Place {
            kind: "key".to_owned(),
            step: table.to_owned(),
            event: LogEvent::Succeeded,
        };
        let (faults, reached) = place.halt(|_, _, _| None);
        let dying = test.beside(faults).await.unwrap();
        let before = sealing(&test.service).await;
        let rotating = tokio::spawn(async move { rotate(&dying.service).await });
        reached.wait().await;
        rotating.abort();
        let new = sealing(&test.service).await;
        assert_ne!(new, before);
        let halfway = naming(&test, before).await;
        assert!(halfway.contains(&"outbox".to_owned()), "{halfway:?}");
        assert!(!halfway.contains(&table.to_owned()), "{halfway:?}");
        if by_command {
            let finished = rotate(&test.service).await;
            assert_eq!((finished.made, finished.id), (false, new));
            assert!(finished.resealed > 0);
        } else {
            test.clock.advance(A_WHILE);
            assert!(test.service.look_after_keys().await.unwrap() > 0);
        }
        assert_eq!(naming(&test, before).await, ["data_keys"]);
    }
    assert_eq!(naming(&test, old).await, ["data_keys"]);
    assert_eq!(test.service.send_due_mail().await.unwrap(), 1);
}

async fn of_two_at_once_one_makes_a_key(driver: Driver) {
    let test = start(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let old = sealing(&test.service).await;
    add_webhook(&test.service).await;
    let (one, two) = tokio::join!(rotate(&test.service), rotate(&other.service));
    assert_eq!(one.id, two.id);
    assert!(one.made != two.made, "{one:?} {two:?}");
    assert_eq!(naming(&test, old).await, ["data_keys"]);
    assert_eq!(states(&test.service, KeyKind::Sealing).await.len(), 2);
}

on_both!(
    everything_is_sealed_anew_and_opens,
    a_new_key_is_opened_with_by_whoever_does_not_know_it_yet,
    what_is_sealed_late_is_sealed_anew_before_the_key_goes,
    a_key_stays_while_anything_names_it,
    what_names_no_key_keeps_none,
    what_was_begun_is_finished_beside_what_does_not_open,
    whoever_comes_next_finishes_what_was_begun,
    of_two_at_once_one_makes_a_key,
);
