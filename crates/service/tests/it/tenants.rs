//! Making tenants.

use tenantry_core::tenant::Isolation;
use tenantry_core::{Generation, TenantStatus};
use tenantry_service::Refusal;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService, WAIT};

use crate::people::{ADA, OTHER, id, one, start, try_in};

async fn a_tenant_is_made_whole(driver: Driver) {
    let test = start(driver).await;
    let view = test.invite_tenant("acme", ADA).await.unwrap();
    assert_eq!(view.tenant.status, TenantStatus::Active);
    assert_eq!(view.tenant.generation, Generation::FIRST);
    assert_eq!((view.code.as_str(), view.tenant.number), ("TEN00001", 1));
    assert_eq!(view.url, "http://acme.localhost:8000/");
    let database = view.database.clone().unwrap();
    assert!(database.verified_at.is_some());
    let file = test.tenant_file(id(&view), Generation::FIRST);
    assert!(file.exists());
    let report = test.service.check_tenant(view.tenant).await.unwrap();
    assert_eq!(report.findings, []);

    let mails = test.mails().await.unwrap();
    assert_eq!(mails.len(), 1);
    let text = mails[0].text.clone().unwrap();
    assert!(text.contains("http://acme.localhost:8000/setup/password/"));
}

async fn a_taken_slug_is_refused_and_leaves_nothing(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (files, tables) = (test.tenant_files().unwrap(), test.control().dump().await);
    let again = TestService::new_tenant("acme", "grace@example.org", Some(OTHER)).unwrap();
    let refused = test.service.create_tenant(again, None, WAIT).await;
    refused!(refused, Refusal::SlugTaken);
    assert_eq!(test.tenant_files().unwrap(), files);
    assert_eq!(test.control().dump().await.unwrap(), tables.unwrap());
    let there = test.service.find_tenant("acme").await.unwrap();
    assert_eq!(id(&there), id(&acme));
}

async fn a_request_that_makes_no_sense_names_each_field(driver: Driver) {
    let test = start(driver).await;
    let mut new = TestService::new_tenant("acme", ADA, Some("too short")).unwrap();
    "  ".clone_into(&mut new.name);
    new.isolation = Isolation::Schema;
    // A cluster that is not there says nothing about what could be isolated how on it.
    for (cluster, field) in [
        (None, "isolation"),
        (Some("local"), "isolation"),
        (Some("elsewhere"), "cluster"),
    ] {
        new.cluster = cluster.map(str::to_owned);
        let refused = test.service.create_tenant(new.clone(), None, WAIT).await;
        let Err(Refusal::Validation(errors)) = refused else {
            panic!("it was taken");
        };
        let fields: Vec<&str> = errors.iter().map(|error| &*error.field).collect();
        assert_eq!(fields, ["name", field, "owner.password"]);
    }
    assert!(test.tenant_files().unwrap().is_empty());
}

async fn of_many_with_one_slug_one_is_made(driver: Driver) {
    let test = start(driver).await;
    let tries: Vec<_> = (0..8)
        .map(|number| {
            let service = test.service.clone();
            let owner = format!("owner{number}@example.org");
            let new = TestService::new_tenant("acme", &owner, None).unwrap();
            tokio::spawn(async move { service.create_tenant(new, None, WAIT).await })
        })
        .collect();
    let mut made = 0;
    for outcome in tries {
        match outcome.await.unwrap() {
            Ok(_) => made += 1,
            Err(refusal) => assert!(matches!(refusal, Refusal::SlugTaken), "{refusal:?}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(test.service.list_tenants(0, 10).await.unwrap().len(), 1);
    assert_eq!(test.mails().await.unwrap().len(), 1);
}

/// Where an address belongs to one tenant only, also of two that are made at once.
async fn a_global_address_belongs_to_one_tenant(driver: Driver) {
    let options = Options::on(driver).with_global_addresses();
    let test = TestService::start(options).await.unwrap();
    let tries: Vec<_> = ["acme", "globex", "initech"]
        .into_iter()
        .map(|slug| {
            let service = test.service.clone();
            let new = TestService::new_tenant(slug, ADA, None).unwrap();
            tokio::spawn(async move { service.create_tenant(new, None, WAIT).await })
        })
        .collect();
    let mut made = 0;
    for outcome in tries {
        match outcome.await.unwrap() {
            Ok(_) => made += 1,
            Err(refusal) => assert!(matches!(refusal, Refusal::EmailTaken), "{refusal:?}"),
        }
    }
    assert_eq!(made, 1);
    expect_one_tenant(&test).await;

    let late = TestService::new_tenant("umbrella", "ADA@example.org", None).unwrap();
    let late = test.service.create_tenant(late, None, WAIT).await;
    refused!(late, Refusal::EmailTaken);
    expect_one_tenant(&test).await;
}

async fn expect_one_tenant(test: &TestService) {
    let tenants = test.service.list_tenants(0, 10).await.unwrap();
    assert_eq!(tenants.len(), 1);
    for table in ["tenant_databases", "directory", "outbox"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(test.control().number(&count).await.unwrap(), 1, "{table}");
    }
    let files = test.tenant_files().unwrap();
    let databases = files.iter().filter(|name| {
        let path = std::path::Path::new(name);
        path.extension().is_some_and(|extension| extension == "db")
    });
    assert_eq!(databases.count(), 1, "{files:?}");
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
}

/// An address that another tenant holds is refused before the tenant's own people are given up.
async fn recreating_with_a_taken_address_changes_nothing(driver: Driver) {
    let options = Options::on(driver).with_global_addresses();
    let test = TestService::start(options).await.unwrap();
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    test.make_tenant("globex", "grace@example.org", OTHER)
        .await
        .unwrap();
    let owner = TestService::new_tenant("acme", "grace@example.org", Some(PASSWORD))
        .unwrap()
        .owner;
    let refused = test.service.recreate_tenant(acme, &owner).await;
    refused!(refused, Refusal::EmailTaken);
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    // Its own address it may keep.
    let owner = TestService::new_tenant("acme", ADA, Some(OTHER))
        .unwrap()
        .owner;
    test.service.recreate_tenant(acme, &owner).await.unwrap();
    one(try_in(&test, Some("acme"), ADA, OTHER).await.unwrap());
}

on_both!(
    a_tenant_is_made_whole,
    a_taken_slug_is_refused_and_leaves_nothing,
    a_request_that_makes_no_sense_names_each_field,
    of_many_with_one_slug_one_is_made,
    a_global_address_belongs_to_one_tenant,
    recreating_with_a_taken_address_changes_nothing,
);
