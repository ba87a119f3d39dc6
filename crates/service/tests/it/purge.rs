//! A purged tenant leaves nothing, and only what is due is purged.

use std::time::Duration;

use tenantry_core::TenantStatus;
use tenantry_service::Refusal;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, OTHER, advance_until_just_before, id, sign_in_twice, start, try_in};

const GRACE: Duration = Duration::from_hours(7 * 24);

/// Names below the data folder that hold this text, mails excepted.
fn names_with(test: &TestService, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![test.data_dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.contains(text) {
                found.push(name);
            }
            if entry.file_type().unwrap().is_dir() && entry.path() != test.mail_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

async fn nothing_of_a_purged_tenant_is_left(driver: Driver) {
    let test = start(driver).await;
    let globex = test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let acme = test.invite_tenant("acme", ADA).await.unwrap();
    let key = test.service.idempotency_key("admin", "key", "request");
    test.clock.advance(Duration::from_millis(1));
    let third = TestService::new_tenant("initech", ADA, None).unwrap();
    let third = test
        .service
        .create_tenant(third, Some(key), Duration::from_secs(30))
        .await;
    assert!(third.is_ok());
    let initech = test.service.find_tenant("initech").await.unwrap();
    for view in [&acme, &initech] {
        let token = test.setup_token_from_mail(ADA).await.unwrap();
        let set = test
            .service
            .setup_password(&token, OTHER, Some(id(view)), None)
            .await;
        // The newest mail is Initech's; Acme's link stays unused.
        assert_eq!(set.is_ok(), id(view) == id(&initech));
    }
    sign_in_twice(&test, "initech", ADA, OTHER).await;
    let _ = try_in(&test, Some("acme"), ADA, OTHER).await;
    let before = test.control().mentions(id(&initech).uuid()).await.unwrap();
    for table in [
        "directory",
        "idempotency",
        "outbox",
        "sessions",
        "tenant_databases",
        "tenants",
    ] {
        assert!(before.iter().any(|name| name == table), "{table}");
    }

    for view in [&acme, &initech] {
        test.service.delete_tenant(id(view), true).await.unwrap();
        // That there was such work is history; what it was asked to do is forgotten.
        let left = test.control().mentions(id(view).uuid()).await.unwrap();
        assert_eq!(left, ["workflows"]);
        assert_eq!(names_with(&test, &id(view).short()), Vec::<String>::new());
        refused!(test.service.view(id(view)).await, Refusal::NotFound);
    }
    let asked = "SELECT DISTINCT params FROM workflows";
    assert_eq!(test.control().texts(asked).await.unwrap(), ["{}"]);
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
    assert_eq!(names_with(&test, &id(&globex).short()).len(), 3);
    sign_in_twice(&test, "globex", ADA, PASSWORD).await;

    // The name is free again, the id and the number never.
    let again = test.make_tenant("acme", ADA, OTHER).await.unwrap();
    assert_ne!(id(&again), id(&acme));
    assert_eq!(again.tenant.number, 4);
}

async fn a_deleted_tenant_is_purged_when_its_grace_ends(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    advance_until_just_before(&test, GRACE);
    test.service.sweep().await.unwrap();
    let there = test.service.view(id(&acme)).await.unwrap();
    assert_eq!(there.tenant.status, TenantStatus::Deleted);
    test.clock.advance(Duration::from_micros(1));
    test.service.sweep().await.unwrap();
    test.settle().await.unwrap();
    refused!(test.service.view(id(&acme)).await, Refusal::NotFound);
    assert_eq!(test.tenant_files().unwrap(), Vec::<String>::new());
}

/// What one part of the sweep meets keeps none of the others from its work.
async fn a_sweep_goes_on_where_a_part_fails(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    let broken = "ALTER TABLE tenant_applications RENAME TO away";
    test.control().damage(broken).await.unwrap();
    test.clock.advance(GRACE + Duration::from_micros(1));
    test.service.sweep().await.unwrap();
    test.settle().await.unwrap();
    refused!(test.service.view(id(&acme)).await, Refusal::NotFound);
}

async fn a_tenant_that_was_restored_is_not_purged(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    advance_until_just_before(&test, GRACE);
    test.service.restore_tenant(id(&acme)).await.unwrap();
    test.clock.advance(GRACE);
    test.service.sweep().await.unwrap();
    test.settle().await.unwrap();
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
}

/// Two nodes sweep at the same time.
async fn two_sweeps_at_once_purge_once(driver: Driver) {
    let test = start(driver).await;
    for slug in ["acme", "globex", "initech"] {
        let view = test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
        test.service.delete_tenant(id(&view), false).await.unwrap();
    }
    test.clock.advance(GRACE);
    let other = test.beside(tenantry_saga::Faults::none()).await.unwrap();
    let (one, two) = tokio::join!(test.service.sweep(), other.service.sweep());
    one.unwrap();
    two.unwrap();
    test.settle().await.unwrap();
    assert!(test.service.list_tenants(0, 10).await.unwrap().is_empty());
    let runs = test.service.list_workflows(None, 50).await.unwrap();
    assert_eq!(runs.iter().filter(|run| run.kind == "purge").count(), 3);
}

on_both!(
    nothing_of_a_purged_tenant_is_left,
    a_deleted_tenant_is_purged_when_its_grace_ends,
    a_sweep_goes_on_where_a_part_fails,
    a_tenant_that_was_restored_is_not_purged,
    two_sweeps_at_once_purge_once,
);
