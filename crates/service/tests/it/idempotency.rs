//! Creates with an `Idempotency-Key`: asked for again, they make nothing more.

use std::collections::BTreeSet;
use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::idempotency::{Caller, Once};
use tenantry_service::tenants::{Created, IdempotencyKey};
use tenantry_service::{Refusal, Service};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService, WAIT};

use crate::people::{ADA, IP, id, named, start};

fn key(service: &Service, request: &str) -> IdempotencyKey {
    service.idempotency_key("admin", "key-1", request)
}

async fn create(service: &Service, slug: &str, key: IdempotencyKey) -> Result<TenantId, Refusal> {
    let new = TestService::new_tenant(slug, ADA, None).unwrap();
    match service.create_tenant(new, Some(key), WAIT).await? {
        Created::Active(view) | Created::Later(view, _) => Ok(view.tenant.id),
    }
}

async fn the_same_request_makes_one_tenant(driver: Driver) {
    let test = start(driver).await;
    let key = key(&test.service, "acme");
    let first = create(&test.service, "acme", key).await.unwrap();
    let again = create(&test.service, "acme", key).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(test.service.list_tenants(0, 10).await.unwrap().len(), 1);
    assert_eq!(test.mails().await.unwrap().len(), 1);
}

async fn another_request_under_the_key_is_a_conflict(driver: Driver) {
    let test = start(driver).await;
    let first = key(&test.service, "acme");
    create(&test.service, "acme", first).await.unwrap();
    let second = key(&test.service, "globex");
    refused!(
        create(&test.service, "globex", second).await,
        Refusal::Conflict(_)
    );
    // Another caller's key of the same name is another key.
    let other = test.service.idempotency_key("somebody", "key-1", "globex");
    create(&test.service, "globex", other).await.unwrap();
}

async fn of_ten_at_once_all_get_the_one_tenant(driver: Driver) {
    let test = start(driver).await;
    let key = key(&test.service, "acme");
    let tries: Vec<_> = (0..10)
        .map(|_| {
            let service = test.service.clone();
            tokio::spawn(async move { create(&service, "acme", key).await })
        })
        .collect();
    let mut made = BTreeSet::new();
    for outcome in tries {
        made.insert(outcome.await.unwrap().unwrap());
    }
    assert_eq!(made.len(), 1);
    assert_eq!(test.service.list_tenants(0, 10).await.unwrap().len(), 1);
    assert_eq!(test.mails().await.unwrap().len(), 1);
}

/// A slug that is taken uses no key up, and a create that was undone gives its key back.
async fn a_create_that_failed_can_be_asked_for_again(driver: Driver) {
    let test = start(driver).await;
    test.invite_tenant("acme", "grace@example.org")
        .await
        .unwrap();
    let first = key(&test.service, "acme");
    refused!(
        create(&test.service, "acme", first).await,
        Refusal::SlugTaken
    );

    let faults = Faults::new(|_, step, moment| {
        (step == "owner" && moment == Moment::AfterForward).then_some(Fault::Fatal)
    });
    let broken = test.beside(faults).await.unwrap();
    let second = key(&test.service, "globex");
    refused!(
        create(&broken.service, "globex", second).await,
        Refusal::Failed { .. }
    );
    create(&test.service, "globex", second).await.unwrap();
}

/// Who asks again while the first is still at it waits for the same tenant.
async fn asking_again_meanwhile_waits_for_the_same(driver: Driver) {
    let faults = Faults::new(|_, step, moment| {
        (step == "owner" && moment == Moment::BeforeForward).then_some(Fault::Halt)
    });
    let options = Options::on(driver).with_faults(faults);
    let test = TestService::start(options).await.unwrap();
    let key = key(&test.service, "acme");
    let new = || TestService::new_tenant("acme", ADA, None).unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let wait = Duration::from_millis(50);
        match test.service.create_tenant(new(), Some(key), wait).await {
            Ok(Created::Later(view, _)) => seen.insert(view.tenant.id),
            Ok(Created::Active(_)) => panic!("it can't be active"),
            Err(refusal) => panic!("{refusal:?}"),
        };
    }
    assert_eq!(seen.len(), 1);
}

/// Somebody unknown, under a key of the tenant's life before: what was done then is gone.
async fn a_key_is_another_in_a_tenants_next_life(driver: Driver) {
    let test = start(driver).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let service = &test.service;
    let begin = async || {
        let tenant = named(service, "acme").await.unwrap();
        let caller = Caller {
            principal: None,
            tenant: &tenant,
            ip: IP.parse().ok(),
        };
        service.begin_once(&caller, "key-1", "register").await
    };
    let Once::First(doing) = begin().await.unwrap() else {
        panic!("it was answered before");
    };
    service.keep_answer(doing, b"made").await.unwrap();
    let Once::Answered(answer) = begin().await.unwrap() else {
        panic!("it was not answered");
    };
    assert_eq!(answer.expose(), b"made");
    service.delete_tenant(acme, false).await.unwrap();
    service.restore_tenant(acme).await.unwrap();
    assert!(matches!(begin().await.unwrap(), Once::First(_)));
}

on_both!(
    a_key_is_another_in_a_tenants_next_life,
    the_same_request_makes_one_tenant,
    another_request_under_the_key_is_a_conflict,
    of_ten_at_once_all_get_the_one_tenant,
    a_create_that_failed_can_be_asked_for_again,
    asking_again_meanwhile_waits_for_the_same,
);
