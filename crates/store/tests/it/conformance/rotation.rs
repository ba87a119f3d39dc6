//! Secrets on their way from one state to the next, and the links that change them.

use std::time::Duration;

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, OneTimeId, TenantStatus};
use tenantry_store::control::{Credential, NewCredential, StoredSecret};

use super::users::{email, person};
use crate::support::{Bench, Dialect};

const FIRST: Generation = Generation::FIRST;
const HOUR: Duration = Duration::from_hours(1);

on_both! {
    the_one_that_counts_comes_first,
    what_retires_is_listed_as_long_as_it_matters,
    one_process_ends_a_secret,
    a_hold_stays_when_the_state_changes,
    quiet_is_noted_and_taken_back,
    old_service_secrets_fall_due_once,
    a_change_of_the_services_secret_is_found_again,
    an_owner_is_reminded_now_and_then,
    a_link_that_came_to_nothing_is_good_again,
    one_use_voids_every_link,
}

/// A secret in the state that these changes lead to.
async fn secret(
    bench: &Bench,
    tenant: &Tenant,
    slot: Slot,
    through: &[CredentialState],
) -> Credential {
    let serial = look!(bench, credentials().list(tenant.id, FIRST)).len();
    let new = NewCredential {
        tenant: tenant.id,
        generation: FIRST,
        serial: i64::try_from(serial).unwrap() + 1,
        slot,
        name: "role",
        sealed_secret: &[7; 9],
    };
    assert!(apply!(bench, credentials().add(&new, bench.now())));
    for to in through {
        let now = look!(bench, credentials().list(tenant.id, FIRST)).remove(0);
        assert!(apply!(
            bench,
            credentials().change_state(&now, *to, bench.now())
        ));
    }
    look!(bench, credentials().list(tenant.id, FIRST)).remove(0)
}

const ACTIVE: &[CredentialState] = &[CredentialState::Active];
const RETIRING: &[CredentialState] = &[CredentialState::Active, CredentialState::Retiring];

async fn change(bench: &Bench, tenant: &Tenant, from: TenantStatus, to: TenantStatus) {
    assert!(apply!(bench, tenants().change_status(tenant.id, from, to)));
}

/// A secret that counts.
pub(super) async fn active(bench: &Bench, tenant: &Tenant) -> Credential {
    secret(bench, tenant, Slot::A, ACTIVE).await
}

async fn the_one_that_counts_comes_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let usable = async || {
        let all = look!(bench, credentials().usable(acme.id, FIRST, Slot::Service));
        all.into_iter().map(|one| one.serial).collect::<Vec<_>>()
    };
    let first = secret(&bench, &acme, Slot::Service, &[]).await;
    assert_eq!(
        usable().await,
        [1],
        "while it is made there is but that one"
    );
    assert!(apply!(
        bench,
        credentials().change_state(&first, CredentialState::Active, bench.now())
    ));
    secret(&bench, &acme, Slot::Service, &[]).await;
    assert_eq!(usable().await, [1, 2]);
    let current = look!(bench, credentials().current(acme.id, FIRST, Slot::Service));
    assert_eq!(current.unwrap().serial, 1);
    assert!(look!(bench, credentials().usable(acme.id, FIRST, Slot::A)).is_empty());
}

async fn what_retires_is_listed_as_long_as_it_matters(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (acme, globex) = (
        bench.active_tenant("acme").await,
        bench.active_tenant("globex").await,
    );
    for tenant in [&acme, &globex] {
        secret(&bench, tenant, Slot::A, RETIRING).await;
        secret(&bench, tenant, Slot::B, ACTIVE).await;
    }
    let listed = async |after| {
        let all = look!(bench, credentials().list_retiring(after, 10));
        all.into_iter().map(|one| one.tenant).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, [acme.id, globex.id]);
    assert_eq!(listed(Some(acme.id)).await, [globex.id]);
    assert_eq!(look!(bench, credentials().list_retiring(None, 1)).len(), 1);
    change(&bench, &acme, TenantStatus::Active, TenantStatus::Suspended).await;
    assert_eq!(listed(None).await.len(), 2, "it may come back any time");
    change(
        &bench,
        &acme,
        TenantStatus::Suspended,
        TenantStatus::Purging,
    )
    .await;
    assert_eq!(listed(None).await, [globex.id], "its roles go anyway");
    assert!(apply!(
        bench,
        tenants().begin_generation(globex.id, TenantStatus::Active, FIRST)
    ));
    assert!(
        listed(None).await.is_empty(),
        "an earlier life's go with it"
    );
}

async fn one_process_ends_a_secret(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let retiring = secret(&bench, &acme, Slot::A, RETIRING).await;
    let hold = async |secret: &Credential| {
        let now = bench.now();
        apply!(bench, credentials().hold(secret, now, now + HOUR))
    };
    assert!(hold(&retiring).await);
    assert!(!hold(&retiring).await, "another has it");
    bench.time.advance(HOUR);
    assert!(hold(&retiring).await, "that one is gone");
    let until = bench.now() + HOUR;
    let release = async |until| apply!(bench, credentials().release(&retiring, until));
    assert!(!release(bench.now()).await, "that hold is another's");
    assert!(release(until).await);
    assert!(hold(&retiring).await, "it was given up");
    bench.time.advance(HOUR);
    let to = CredentialState::Retired;
    assert!(apply!(
        bench,
        credentials().change_state(&retiring, to, bench.now())
    ));
    assert!(!hold(&retiring).await, "it has ended");
}

async fn a_hold_stays_when_the_state_changes(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let active = secret(&bench, &acme, Slot::A, ACTIVE).await;
    let until = bench.now() + HOUR;
    assert!(apply!(
        bench,
        credentials().hold(&active, bench.now(), until)
    ));
    assert!(apply!(
        bench,
        credentials().change_state(&active, CredentialState::Retiring, bench.now())
    ));
    let retiring = look!(bench, credentials().list(acme.id, FIRST)).remove(0);
    for (secret, now, held) in [
        (&retiring, bench.now(), false),
        (&active, until, false),
        (&retiring, until, true),
    ] {
        let hold = apply!(bench, credentials().hold(secret, now, until + HOUR));
        assert_eq!(hold, held, "{:?} {now}", secret.state);
    }
}

async fn quiet_is_noted_and_taken_back(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let retiring = secret(&bench, &acme, Slot::A, RETIRING).await;
    let since = async || look!(bench, credentials().list(acme.id, FIRST))[0].quiet_since;
    assert_eq!(since().await, None);
    for at in [Some(bench.now()), None] {
        assert!(apply!(bench, credentials().mark_quiet(&retiring, at)));
        assert_eq!(since().await, at);
    }
    let to = CredentialState::Retired;
    assert!(apply!(
        bench,
        credentials().change_state(&retiring, to, bench.now())
    ));
    assert!(!apply!(
        bench,
        credentials().mark_quiet(&retiring, Some(bench.now()))
    ));
}

async fn old_service_secrets_fall_due_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (acme, globex) = (
        bench.active_tenant("acme").await,
        bench.active_tenant("globex").await,
    );
    secret(&bench, &acme, Slot::Service, ACTIVE).await;
    secret(&bench, &acme, Slot::A, ACTIVE).await;
    bench.time.advance(HOUR);
    secret(&bench, &globex, Slot::Service, ACTIVE).await;
    let due = async |limit| {
        let before = bench.now();
        let all = look!(bench, credentials().list_service_older(before, limit));
        all.into_iter()
            .map(|one| (one.tenant, one.serial))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(10).await, [(acme.id, 1)]);
    bench.time.advance(HOUR);
    assert_eq!(due(10).await, [(acme.id, 1), (globex.id, 1)]);
    assert_eq!(due(1).await, [(acme.id, 1)]);
    secret(&bench, &acme, Slot::Service, &[]).await;
    assert_eq!(due(10).await, [(globex.id, 1)], "its successor is there");
    change(&bench, &globex, TenantStatus::Active, TenantStatus::Purging).await;
    assert!(due(10).await.is_empty());
}

async fn a_change_of_the_services_secret_is_found_again(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (acme, globex) = (
        bench.active_tenant("acme").await,
        bench.active_tenant("globex").await,
    );
    let changing = async |after| {
        let all = look!(bench, credentials().list_service_changing(after, 10));
        all.into_iter()
            .map(|one| (one.tenant, one.serial))
            .collect::<Vec<_>>()
    };
    // One in the making has no other beside it, and is not the business of a change.
    secret(&bench, &globex, Slot::Service, &[]).await;
    secret(&bench, &acme, Slot::Service, ACTIVE).await;
    assert!(changing(None).await.is_empty());
    secret(&bench, &acme, Slot::Service, &[]).await;
    assert_eq!(changing(None).await, [(acme.id, 2)]);
    assert!(changing(Some(acme.id)).await.is_empty());
    change(&bench, &acme, TenantStatus::Active, TenantStatus::Purging).await;
    assert!(changing(None).await.is_empty());
}

async fn an_owner_is_reminded_now_and_then(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    secret(&bench, &acme, Slot::Service, ACTIVE).await;
    let old = secret(&bench, &acme, Slot::A, ACTIVE).await;
    let due = async || {
        let (before, last) = (bench.now(), bench.now() - HOUR);
        look!(bench, credentials().list_to_remind(before, last, 10)).len()
    };
    assert_eq!(due().await, 0, "it is fresh");
    bench.time.advance(HOUR);
    assert_eq!(due().await, 1);
    let remind = async || {
        let (last, now) = (bench.now() - HOUR, bench.now());
        apply!(bench, credentials().mark_reminded(&old, last, now))
    };
    assert!(remind().await);
    assert!(!remind().await, "another node did");
    assert_eq!(due().await, 0);
    bench.time.advance(HOUR + Duration::from_micros(1));
    assert_eq!(due().await, 1);
    assert!(remind().await);
    bench.time.advance(HOUR * 2);
    secret(&bench, &acme, Slot::B, &[]).await;
    assert_eq!(due().await, 0, "a change is under way");
}

async fn a_link_that_came_to_nothing_is_good_again(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    apply!(people, users().add(&ada));
    let link = link(&bench);
    apply!(people, secrets().add(ada.id, &link));
    let (id, purpose, now) = (link.id, link.purpose, bench.now());
    assert!(!apply!(people, secrets().give_back(id, purpose, now)));
    let used = apply!(people, secrets().use_up(id, purpose, &link.hash, now));
    assert!(used.is_some());
    let later = now + HOUR / 2;
    assert!(
        !apply!(people, secrets().give_back(id, purpose, later)),
        "somebody else used it"
    );
    assert!(!apply!(
        people,
        secrets().give_back(id, Purpose::Reset, now)
    ));
    assert!(apply!(people, secrets().give_back(id, purpose, now)));
    let used = apply!(people, secrets().use_up(id, purpose, &link.hash, later));
    assert!(used.is_some());
}

async fn one_use_voids_every_link(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let addresses = [email("ada@example.com"), email("bob@example.com")];
    let mut links = Vec::new();
    for address in &addresses {
        let somebody = person(&bench, address);
        apply!(people, users().add(&somebody));
        links.push(link(&bench));
        let link = links.last().unwrap();
        apply!(people, secrets().add(somebody.id, link));
        let other = StoredSecret {
            purpose: Purpose::Reset,
            ..self::link(&bench)
        };
        apply!(people, secrets().add(somebody.id, &other));
    }
    let now = bench.now();
    assert_eq!(
        apply!(people, secrets().void(Purpose::Credentials, now)),
        2,
        "and none of another purpose"
    );
    for link in &links {
        let (id, purpose) = (link.id, link.purpose);
        let found = apply!(people, secrets().find_good(id, purpose, &link.hash, now));
        assert_eq!(found, None);
    }
}

fn link(bench: &Bench) -> StoredSecret {
    StoredSecret {
        id: OneTimeId::from_uuid(bench.uuid()),
        purpose: Purpose::Credentials,
        hash: bench.hash(),
        created_at: bench.now(),
        expires_at: bench.now() + HOUR,
    }
}
