//! What receivers are told, and how.

use std::time::Duration;

use serde_json::json;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::tenants::TenantPatch;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::{Received, Receiver};
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use super::{deliver, deliveries, kinds, listen, wanting};
use crate::people::{ADA, id, start};

/// What notices of one moment are about; what happened at the same time is told in any order.
fn sorted(seen: &[Received]) -> Vec<String> {
    let mut kinds = kinds(seen);
    kinds.sort_unstable();
    kinds
}

async fn a_tenants_life_is_told(driver: Driver) {
    let test = start(driver).await;
    let (receiver, webhook, secret) = listen(&test).await;
    let service = &test.service;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    assert_eq!(
        receiver.seen().len(),
        0,
        "nothing is sent before somebody sends"
    );
    assert_eq!(deliver(&test).await, 2);
    let first = receiver.seen();
    assert_eq!(sorted(&first), ["tenant.created", "user.created"]);
    for one in &first {
        let seconds: i64 = one.header("webhook-timestamp").parse().unwrap();
        assert_eq!(seconds, test.clock.now().seconds());
        let signature = secret.sign(one.header("webhook-id"), seconds, &one.body);
        assert_eq!(one.header("webhook-signature"), signature);
        let tenant = &one.json()["data"]["tenant"];
        assert_eq!(tenant["id"], json!(id(&acme)));
        assert_eq!(
            (&tenant["slug"], &tenant["status"], &tenant["generation"]),
            (&json!("acme"), &json!("active"), &json!(1))
        );
        assert!(one.json()["timestamp"].is_string());
    }
    assert_ne!(first[0].header("webhook-id"), first[1].header("webhook-id"));
    let about = first
        .iter()
        .find(|one| one.json()["type"] == "user.created");
    let user = about.unwrap().json()["data"]["user"].clone();
    assert_eq!(
        (&user["email"], &user["role"]),
        (&json!(ADA), &json!("owner"))
    );

    // A pause before each, so that they come in the order of what happened.
    let tick = || test.clock.advance(Duration::from_millis(1));
    let step = async |wanted: &[&str]| {
        tick();
        let before = receiver.seen().len();
        assert_eq!(deliver(&test).await, wanted.len(), "{wanted:?}");
        assert_eq!(sorted(&receiver.seen()[before..]), wanted);
        receiver.seen().last().unwrap().json()["data"]["tenant"].clone()
    };
    service.suspend_tenant(id(&acme)).await.unwrap();
    assert_eq!(step(&["tenant.suspended"]).await["status"], "suspended");
    assert!(service.suspend_tenant(id(&acme)).await.is_err());
    assert_eq!(deliver(&test).await, 0, "what was refused is not told");
    service.resume_tenant(id(&acme)).await.unwrap();
    step(&["tenant.resumed"]).await;
    let patch = TenantPatch {
        name: Some("Acme & Co".to_owned()),
        ..TenantPatch::default()
    };
    service.patch_tenant(id(&acme), patch).await.unwrap();
    assert_eq!(step(&["tenant.updated"]).await["name"], "Acme & Co");
    service.delete_tenant(id(&acme), false).await.unwrap();
    let deleted = step(&["tenant.deleted"]).await;
    assert_eq!(deleted["status"], "deleted");
    assert!(deleted["purge_at"].is_string(), "{deleted}");
    service.restore_tenant(id(&acme)).await.unwrap();
    let restored = step(&["tenant.restored"]).await;
    assert_eq!(
        (&restored["generation"], &restored["purge_at"]),
        (&json!(2), &json!(null))
    );
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    service.recreate_tenant(id(&acme), &owner).await.unwrap();
    step(&["tenant.recreated", "user.created"]).await;
    service.delete_tenant(id(&acme), true).await.unwrap();
    let purged = step(&["tenant.deleted", "tenant.purged"]).await;
    assert_eq!(purged["purge_at"], json!(null));

    // Nothing of the tenant is left in what was told of it.
    assert!(deliveries(&test, &webhook).await.len() > 8);
    let left = test.control().mentions(id(&acme).uuid()).await.unwrap();
    assert_eq!(left, ["workflows"]);
    let kept = "SELECT COUNT(*) FROM webhook_deliveries WHERE LENGTH(sealed) > 0";
    assert_eq!(test.control().number(kept).await.unwrap(), 0);
}

async fn what_had_a_grace_is_told_as_deleted_once(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, ..) = listen(&test).await;
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    test.clock.advance(Duration::from_hours(7 * 24));
    test.service.sweep().await.unwrap();
    test.settle().await.unwrap();
    deliver(&test).await;
    assert_eq!(kinds(&receiver.seen()), ["tenant.deleted", "tenant.purged"]);
}

async fn who_wants_less_is_told_less(driver: Driver) {
    let test = start(driver).await;
    let receiver = Receiver::start().await.unwrap();
    let new = wanting(
        receiver.url("/"),
        &["tenant.deleted", "user.created", "tenant.deleted"],
    );
    let (record, _) = test.service.add_webhook(&new).await.unwrap();
    assert_eq!(record.events.len(), 2);
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.clock.advance(Duration::from_millis(1));
    test.service.delete_tenant(id(&acme), true).await.unwrap();
    assert_eq!(deliver(&test).await, 2);
    assert_eq!(kinds(&receiver.seen()), ["user.created", "tenant.deleted"]);
    // Who is removed is told nothing more.
    test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    test.service.remove_webhook(record.id).await.unwrap();
    assert_eq!(deliver(&test).await, 0);
    assert!(test.service.list_webhooks().await.unwrap().is_empty());
}

/// A tenant that is never made is told to nobody; one that was active for a moment and was taken
/// back is told as both.
async fn what_is_taken_back_is_not_told(driver: Driver) {
    let test = start(driver).await;
    let (receiver, ..) = listen(&test).await;
    for (step, moment, told) in [
        ("verify", Moment::AfterForward, &[][..]),
        ("activate", Moment::BeforeForward, &[]),
        (
            "activate",
            Moment::AfterForward,
            &["tenant.created", "tenant.deleted", "user.created"],
        ),
    ] {
        let faults =
            Faults::new(move |_, at, when| ((at, when) == (step, moment)).then_some(Fault::Fatal));
        let broken = test.beside(faults).await.unwrap();
        assert!(broken.make_tenant("acme", ADA, PASSWORD).await.is_err());
        test.settle().await.unwrap();
        let before = receiver.seen().len();
        deliver(&test).await;
        let kinds = sorted(&receiver.seen()[before..]);
        assert_eq!(kinds, told, "{moment:?} of {step}");
        test.clock.advance(Duration::from_millis(1));
    }
}

async fn an_incomplete_tenant_is_told_once(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (receiver, ..) = listen(&test).await;
    let faults = Faults::new(|kind, step, moment| {
        let here = (kind, step, moment) == ("recreate", "owner", Moment::BeforeForward);
        here.then_some(Fault::Fatal)
    });
    let broken = test.beside(faults).await.unwrap();
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    assert!(
        broken
            .service
            .recreate_tenant(id(&acme), &owner)
            .await
            .is_err()
    );
    for _ in 0..2 {
        test.service.watch_incomplete().await.unwrap();
        broken.service.watch_incomplete().await.unwrap();
    }
    assert_eq!(deliver(&test).await, 1);
    let seen = receiver.seen();
    assert_eq!(kinds(&seen), ["tenant.incomplete"]);
    let data = &seen[0].json()["data"];
    assert_eq!(data["tenant"]["slug"], "acme");
    assert!(!data["detail"].as_str().unwrap().is_empty());
}

on_both!(
    a_tenants_life_is_told,
    what_had_a_grace_is_told_as_deleted_once,
    who_wants_less_is_told_less,
    what_is_taken_back_is_not_told,
    an_incomplete_tenant_is_told_once,
);
