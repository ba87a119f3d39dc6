//! Clearing at an operator's word: what is meant goes and is counted, and nothing else.

use tenantry_service::Refusal;
use tenantry_service::resolve::Hints;
use tenantry_service::signin::SignedIn;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, SignedInTwice, id, one, sign_in_twice, try_in};

on_each_session_driver! {
    everything_is_cleared_and_counted_by_tenant,
    one_tenant_is_cleared_and_the_others_stay,
}

/// Two tenants with somebody signed in twice in each.
async fn two(options: Options) -> (TestService, [SignedInTwice; 2]) {
    let test = TestService::start(options).await.unwrap();
    for slug in ["acme", "globex"] {
        test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
    }
    let people = [
        sign_in_twice(&test, "acme", ADA, PASSWORD).await,
        sign_in_twice(&test, "globex", ADA, PASSWORD).await,
    ];
    for person in &people {
        person.expect_live(&test.service).await;
    }
    (test, people)
}

async fn admin_signs_in(test: &TestService) -> tenantry_service::sessions::Issued {
    let email = "root@example.com".parse().unwrap();
    let made = test.service.create_admin(email, Some(PASSWORD));
    made.await.unwrap();
    let signed: SignedIn = try_in(test, None, "root@example.com", PASSWORD)
        .await
        .unwrap();
    one(signed).1
}

async fn everything_is_cleared_and_counted_by_tenant(options: Options) {
    let (test, people) = two(options).await;
    let root = admin_signs_in(&test).await;
    let cleared = test
        .service
        .clear_everything(false, |_, _| {})
        .await
        .unwrap();
    let of: Vec<_> = cleared
        .tenants
        .iter()
        .map(|tenant| (tenant.slug.as_str(), tenant.sessions))
        .collect();
    assert_eq!(of, [("acme", 0), ("globex", 0)]);
    // Two credentials each, and the names that led to the tenants.
    assert!(cleared.tenants.iter().all(|tenant| tenant.cache_keys > 2));
    assert_eq!((cleared.sessions(), cleared.silent), (0, 0));
    for person in &people {
        person.expect_live(&test.service).await;
    }

    let heard = std::cell::RefCell::new(Vec::new());
    let progress = |done, total| heard.borrow_mut().push((done, total));
    let cleared = test.service.clear_everything(true, progress).await.unwrap();
    assert_eq!(*heard.borrow(), [(0, 2), (1, 2), (2, 2)]);
    let sessions: Vec<_> = cleared
        .tenants
        .iter()
        .map(|tenant| tenant.sessions)
        .collect();
    assert_eq!((sessions, cleared.platform_sessions), (vec![2, 2], 1));
    assert_eq!(cleared.sessions(), 5);
    assert!(cleared.cache_keys() >= 4, "{cleared:?}");
    for person in &people {
        person.expect_stale(&test.service, "cleared").await;
    }
    let cookie = tenantry_service::sessions::Credential::Cookie(root.token.expose());
    let answer = test.service.authenticate(cookie, None).await;
    refused!(answer, Refusal::SessionStale);
    let again = test
        .service
        .clear_everything(true, |_, _| {})
        .await
        .unwrap();
    assert_eq!(again.sessions(), 0);
    sign_in_twice(&test, "acme", ADA, PASSWORD)
        .await
        .expect_live(&test.service)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_process_that_died_while_its_clock_was_ahead() {
    let (test, _) = two(Options::sqlite()).await;
    let dead = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let dead = test.control().literal(dead);
    let seen = test.clock.now().micros() + 10 * 60_000_000;
    let row =
        format!("INSERT INTO nodes (id, started_at, seen_at) VALUES ({dead}, {seen}, {seen})");
    assert_eq!(test.control().damage(&row).await.unwrap(), 1);
    let cleared = test.service.clear_everything(false, |_, _| {}).await;
    assert_eq!(cleared.unwrap().silent, 0);
    // Once that moment has come, it may be there.
    test.clock.advance(std::time::Duration::from_mins(10));
    let cleared = test.service.clear_everything(false, |_, _| {}).await;
    assert_eq!(cleared.unwrap().silent, 1);
}

async fn one_tenant_is_cleared_and_the_others_stay(options: Options) {
    let (test, [in_acme, in_globex]) = two(options).await;
    let root = admin_signs_in(&test).await;
    let acme = id(&test.service.find_tenant("acme").await.unwrap());
    let without = test.service.clear_tenant(acme, false).await.unwrap();
    assert!(without.cache_keys() > 2, "{without:?}");
    assert_eq!((without.sessions(), without.tenants.len()), (0, 1));
    // Clearing anew finds nothing, as nobody came meanwhile.
    let anew = test.service.clear_tenant(acme, false).await.unwrap();
    assert_eq!(anew.cache_keys(), 0);
    in_acme.expect_live(&test.service).await;

    let with = test.service.clear_tenant(acme, true).await.unwrap();
    assert_eq!((with.sessions(), with.platform_sessions), (2, 0));
    in_acme.expect_stale(&test.service, "cleared").await;
    in_globex.expect_live(&test.service).await;
    let cookie = tenantry_service::sessions::Credential::Cookie(root.token.expose());
    assert!(test.service.authenticate(cookie, None).await.is_ok());
    // What is kept of the other tenant stays too.
    let globex = id(&test.service.find_tenant("globex").await.unwrap());
    let other = test.service.clear_tenant(globex, false).await.unwrap();
    assert!(other.cache_keys() > 2, "{other:?}");

    let nobody = tenantry_core::TenantId::from_uuid(uuid::Uuid::from_u128(1));
    refused!(
        test.service.clear_tenant(nobody, true).await,
        Refusal::NotFound
    );
    // Names lead to tenants again as before.
    let hints = Hints {
        header: Some("acme".to_owned()),
        ..Hints::default()
    };
    assert_eq!(test.service.resolve(&hints).await.unwrap().id(), Some(acme));
}
