//! Opening an installation: only with the key and under the rule it was begun with.

use tenantry_core::tenant::EmailUniqueness;
use tenantry_keys::sealing::MasterKey;
use tenantry_saga::Faults;
use tenantry_service::{KeyringError, OpenError};
use tenantry_testkit::service::{Driver, PASSWORD, TestControl};
use tenantry_testkit::{on_both, seeded_entropy};

use crate::people::{ADA, one, sign_in_twice, start, try_in};

async fn another_master_key_opens_nothing(driver: Driver) {
    let test = start(driver).await;
    let wrong = MasterKey::generate(&seeded_entropy(99));
    let opened = test.open_otherwise(|_| {}, Some(&wrong)).await.unwrap();
    refused!(opened, OpenError::Keyring(KeyringError::WrongMasterKey));
    let opened = test.open_otherwise(|_| {}, None).await.unwrap();
    assert!(opened.is_ok());
}

async fn the_rule_about_addresses_is_fixed(driver: Driver) {
    let test = start(driver).await;
    let opened = test
        .open_otherwise(
            |settings| settings.email_uniqueness = EmailUniqueness::Global,
            None,
        )
        .await
        .unwrap();
    refused!(
        opened,
        OpenError::Keyring(KeyringError::Uniqueness {
            wanted: "global",
            fixed: "per_tenant",
        })
    );
}

async fn what_was_issued_before_a_restart_counts_after_it(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    test.service.close().await;
    let next = test.beside(Faults::none()).await.unwrap();
    ada.expect_live(&next.service).await;
    one(try_in(&next, None, ADA, PASSWORD).await.unwrap());
}

/// Processes that start for the first time at the same moment bring the schema up together.
async fn first_starts_at_once(driver: Driver) {
    let control = TestControl::start(driver).await.unwrap();
    let (one, two, three) = tokio::join!(control.open(), control.open(), control.open());
    for opened in [one, two, three] {
        let mut tx = opened.unwrap().begin().await.unwrap();
        tx.instance().ping().await.unwrap();
    }
}

async fn two_processes_sign_with_the_same_key(driver: Driver) {
    let test = start(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    ada.expect_live(&other.service).await;
    assert_eq!(test.service.jwks().keys.len(), 1);
}

on_both!(
    another_master_key_opens_nothing,
    the_rule_about_addresses_is_fixed,
    what_was_issued_before_a_restart_counts_after_it,
    first_starts_at_once,
    two_processes_sign_with_the_same_key,
);
