//! The history of tenants' database users.

use tenantry_core::Generation;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::Tenant;
use tenantry_store::ErrorKind;
use tenantry_store::control::{Credential, NewCredential};

use crate::support::{Bench, Dialect};

const FIRST: Generation = Generation::FIRST;

on_both! {
    a_secret_comes_back_as_added,
    a_slot_changes_from_one_secret_to_the_next,
    of_a_kind_one_is_in_each_state,
    a_state_changes_from_what_was_read,
    the_history_goes_with_the_record,
}

async fn added(bench: &Bench, tenant: &Tenant, serial: i64, slot: Slot) -> bool {
    let name = format!("role_{slot}");
    let new = NewCredential {
        tenant: tenant.id,
        generation: FIRST,
        serial,
        slot,
        name: &name,
        sealed_secret: &[7; 9],
    };
    apply!(bench, credentials().add(&new, bench.now()))
}

async fn newest(bench: &Bench, tenant: &Tenant) -> Credential {
    look!(bench, credentials().list(tenant.id, FIRST)).remove(0)
}

async fn moved(bench: &Bench, credential: &Credential, to: CredentialState) -> bool {
    apply!(
        bench,
        credentials().change_state(credential, to, bench.now())
    )
}

async fn a_secret_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    assert!(added(&bench, &tenant, 1, Slot::Service).await);
    assert!(
        !added(&bench, &tenant, 1, Slot::A).await,
        "a serial is given once"
    );
    let credential = Credential {
        tenant: tenant.id,
        generation: FIRST,
        serial: 1,
        slot: Slot::Service,
        name: "role_service".to_owned(),
        state: CredentialState::Pending,
        sealed_secret: Some(vec![7; 9]),
        created_at: bench.now(),
        activated_at: None,
        retired_at: None,
        quiet_since: None,
    };
    assert_eq!(
        look!(bench, credentials().list(tenant.id, FIRST)),
        std::slice::from_ref(&credential)
    );
    let current = look!(
        bench,
        credentials().current(tenant.id, FIRST, Slot::Service)
    );
    assert_eq!(current, Some(credential));
    let other = look!(bench, credentials().current(tenant.id, FIRST, Slot::A));
    assert_eq!(other, None);
    let next = look!(bench, credentials().list(tenant.id, FIRST.next()));
    assert!(next.is_empty());
}

async fn a_slot_changes_from_one_secret_to_the_next(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    assert!(added(&bench, &tenant, 1, Slot::A).await);
    let first = newest(&bench, &tenant).await;
    assert!(moved(&bench, &first, CredentialState::Active).await);
    assert!(added(&bench, &tenant, 2, Slot::B).await);
    let first = look!(bench, credentials().current(tenant.id, FIRST, Slot::A)).unwrap();
    assert_eq!(first.activated_at, Some(bench.now()));
    assert!(moved(&bench, &first, CredentialState::Retiring).await);
    let second = newest(&bench, &tenant).await;
    assert!(moved(&bench, &second, CredentialState::Active).await);
    let none = look!(bench, credentials().current(tenant.id, FIRST, Slot::A));
    assert_eq!(none, None, "what drains is not handed out");
    let all = look!(bench, credentials().list(tenant.id, FIRST));
    assert!(moved(&bench, &all[1], CredentialState::Retired).await);
    let all = look!(bench, credentials().list(tenant.id, FIRST));
    assert_eq!(all[0].state, CredentialState::Active);
    assert_eq!(all[1].state, CredentialState::Retired);
    assert_eq!(all[1].retired_at, Some(bench.now()));
    assert_eq!(all[1].sealed_secret, None, "its secret is gone");
    assert!(
        added(&bench, &tenant, 3, Slot::A).await,
        "the slot is free again"
    );
}

async fn of_a_kind_one_is_in_each_state(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    assert!(added(&bench, &tenant, 1, Slot::Service).await);
    assert!(
        added(&bench, &tenant, 2, Slot::A).await,
        "the service is another kind"
    );
    assert!(
        !added(&bench, &tenant, 3, Slot::B).await,
        "two would be pending"
    );
    assert!(!added(&bench, &tenant, 3, Slot::Service).await);
    let first = newest(&bench, &tenant).await;
    assert!(moved(&bench, &first, CredentialState::Active).await);
    assert!(
        !added(&bench, &tenant, 3, Slot::A).await,
        "the slot is in use"
    );
    assert!(added(&bench, &tenant, 3, Slot::B).await);
    let second = newest(&bench, &tenant).await;
    let active = CredentialState::Active;
    let refused = refused!(
        bench,
        credentials().change_state(&second, active, bench.now())
    );
    assert_eq!(refused, ErrorKind::Unique);
}

async fn a_state_changes_from_what_was_read(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    assert!(added(&bench, &tenant, 1, Slot::A).await);
    let read = newest(&bench, &tenant).await;
    assert!(moved(&bench, &read, CredentialState::Active).await);
    assert!(!moved(&bench, &read, CredentialState::Retired).await);
    assert_eq!(newest(&bench, &tenant).await.state, CredentialState::Active);
}

async fn the_history_goes_with_the_record(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (acme, globex) = (bench.tenant("acme").await, bench.tenant("globex").await);
    assert!(added(&bench, &acme, 1, Slot::Service).await);
    assert!(added(&bench, &globex, 1, Slot::Service).await);
    apply!(bench, databases().remove(acme.id, FIRST));
    assert!(look!(bench, credentials().list(acme.id, FIRST)).is_empty());
    assert_eq!(look!(bench, credentials().list(globex.id, FIRST)).len(), 1);
}
