//! Clearing at an operator's word: what is meant goes and is counted, and nothing else.

use tenantry_core::TenantId;
use tenantry_service::Refusal;
use tenantry_service::resolve::Hints;
use tenantry_service::signin::SignedIn;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, SignedInTwice, id, one, sign_in_twice, try_in};
use crate::sessions::files;

on_each_session_driver! {
    everything_is_cleared_and_counted_by_tenant,
    one_tenant_is_cleared_and_the_others_stay,
    what_another_tenant_has_stays_byte_for_byte,
    one_that_lay_unused_is_not_counted,
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
    let acme = id(&test.service.find_tenant("acme").await.unwrap());
    let (cleared, deleted) = tokio::join!(
        test.service.clear_everything(false, |_, _| {}),
        test.service.delete_tenant(acme, false),
    );
    assert_eq!(cleared.unwrap().silent, 1);
    assert_eq!(deleted.unwrap().cleared.silent, 1, "told as well");
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

/// Everything that is stored of a tenant outside its own database: rows of the registry, files and keys
/// of sessions, with what is in them.
async fn stored(test: &TestService, tenant: TenantId) -> Vec<String> {
    let (plain, simple) = (tenant.to_string(), tenant.uuid().simple().to_string());
    let mut all = test.control().dump().await.unwrap();
    for path in files(&test.data_dir().join("sessions")) {
        let content = std::fs::read_to_string(&path).unwrap();
        all.push(format!("{path}: {content}"));
    }
    if let Some(redis) = test.redis() {
        let keys = redis.keys().unwrap().into_iter();
        all.extend(keys.map(|key| format!("{key}: {}", redis.ask(&["DUMP", &key]).unwrap())));
    }
    all.retain(|line| {
        let line = line.to_lowercase();
        line.contains(&plain) || line.contains(&simple)
    });
    all.sort();
    all
}

async fn what_another_tenant_has_stays_byte_for_byte(options: Options) {
    let (test, [_, in_globex]) = two(options).await;
    let service = &test.service;
    let [acme, globex] = ["acme", "globex"].map(|slug| service.find_tenant(slug));
    let (acme, globex) = (id(&acme.await.unwrap()), id(&globex.await.unwrap()));
    let (before, of_acme) = (stored(&test, globex).await, stored(&test, acme).await);
    assert!(before.len() > 4, "the dump sees nothing: {before:?}");
    let stays = async |after: &str| {
        assert_eq!(stored(&test, globex).await, before, "{after}");
        in_globex.expect_live(service).await;
    };
    assert_eq!(
        service.clear_tenant(acme, true).await.unwrap().sessions(),
        2
    );
    assert_ne!(stored(&test, acme).await, of_acme, "the dump sees an end");
    stays("cleared").await;
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let deleted = service.delete_tenant(acme, false).await.unwrap();
    assert_eq!(deleted.cleared.sessions(), 2);
    stays("deleted").await;
    let (_, cleared) = service.restore_tenant(acme).await.unwrap();
    assert_eq!(cleared.sessions(), 0, "they ended when it was deleted");
    stays("restored").await;
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let (_, cleared) = service.recreate_tenant(acme, None).await.unwrap();
    assert_eq!(cleared.sessions(), 2);
    stays("recreated").await;
    service.delete_tenant(acme, true).await.unwrap();
    stays("purged").await;
}

/// An owner's session ends an hour after its last use.
async fn one_that_lay_unused_is_not_counted(options: Options) {
    let (test, _) = two(options).await;
    let acme = id(&test.service.find_tenant("acme").await.unwrap());
    test.clock.advance(std::time::Duration::from_hours(2));
    sign_in_twice(&test, "globex", ADA, PASSWORD).await;
    let cleared = test.service.clear_tenant(acme, true).await.unwrap();
    assert_eq!(cleared.sessions(), 0);
    let cleared = test.service.clear_everything(true, |_, _| {}).await;
    assert_eq!(cleared.unwrap().sessions(), 2, "those of now");
    let deleted = test.service.delete_tenant(acme, false).await.unwrap();
    assert_eq!(deleted.cleared.sessions(), 0);
}
