//! Who has an address where, and that nobody takes an entry over.

use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, UserId};
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation};
use tenantry_store::{ErrorKind, Origin};

use crate::support::{Bench, Dialect};

on_both! {
    a_reservation_is_held_or_taken,
    an_address_may_live_in_many_tenants,
    a_global_address_lives_in_one_tenant,
    an_entry_of_another_generation_is_no_claim,
    only_confirmed_people_of_active_tenants_are_found,
    entries_are_listed_and_removed,
    entries_follow_a_carried_over_tenant,
    an_entry_needs_its_tenant,
}

fn entry(bench: &Bench, tenant: &Tenant, address_hash: [u8; 32]) -> DirectoryEntry {
    DirectoryEntry {
        tenant: tenant.id,
        generation: tenant.generation,
        user: UserId::from_uuid(bench.uuid()),
        address_hash,
        kind: EntryKind::Staff,
        state: EntryState::Reserved,
    }
}

async fn a_reservation_is_held_or_taken(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let hash = bench.hash();
    let mut mine = entry(&bench, &tenant, hash);
    mine.kind = EntryKind::Owner;
    let now = bench.now();
    assert_eq!(
        apply!(bench, directory().reserve(&mine, false, now)),
        Reservation::Held
    );
    assert_eq!(
        apply!(bench, directory().reserve(&mine, false, now)),
        Reservation::Held
    );
    assert_eq!(
        look!(bench, directory().lookup(tenant.id, mine.user)),
        Some(mine.clone())
    );
    let theirs = entry(&bench, &tenant, hash);
    assert_eq!(
        apply!(bench, directory().reserve(&theirs, false, now)),
        Reservation::Taken
    );
    let mut moved = mine.clone();
    moved.address_hash = bench.hash();
    assert_eq!(
        apply!(bench, directory().reserve(&moved, false, now)),
        Reservation::Taken
    );
    assert!(apply!(bench, directory().confirm(tenant.id, mine.user)));
    assert!(!apply!(bench, directory().confirm(tenant.id, theirs.user)));
    mine.state = EntryState::Confirmed;
    assert_eq!(
        look!(bench, directory().lookup(tenant.id, mine.user)),
        Some(mine)
    );
}

async fn an_address_may_live_in_many_tenants(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let hash = bench.hash();
    for slug in ["acme", "globex"] {
        let tenant = bench.active_tenant(slug).await;
        let here = entry(&bench, &tenant, hash);
        let outcome = apply!(bench, directory().reserve(&here, false, bench.now()));
        assert_eq!(outcome, Reservation::Held);
        assert!(apply!(bench, directory().confirm(tenant.id, here.user)));
    }
    let found = bench
        .read()
        .await
        .unwrap()
        .directory()
        .find_active(hash, 10)
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|placed| placed.ctx.origin() == Origin::Directory)
    );
    let slugs: Vec<_> = found
        .iter()
        .map(|placed| placed.ctx.tenant().slug.as_str())
        .collect();
    assert_eq!(slugs, ["acme", "globex"]);
    let found = bench
        .read()
        .await
        .unwrap()
        .directory()
        .find_active(hash, 1)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}

async fn a_global_address_lives_in_one_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let hash = bench.hash();
    let now = bench.now();
    let acme = bench.active_tenant("acme").await;
    let globex = bench.active_tenant("globex").await;
    let (first, second) = (entry(&bench, &acme, hash), entry(&bench, &globex, hash));
    assert_eq!(
        apply!(bench, directory().reserve(&first, true, now)),
        Reservation::Held
    );
    assert_eq!(
        apply!(bench, directory().reserve(&second, true, now)),
        Reservation::Taken
    );
    assert_eq!(
        look!(bench, directory().lookup(globex.id, second.user)),
        None
    );
    assert_eq!(
        look!(bench, directory().lookup(acme.id, first.user)),
        Some(first.clone())
    );
    let other = entry(&bench, &globex, bench.hash());
    assert_eq!(
        apply!(bench, directory().reserve(&other, true, now)),
        Reservation::Held
    );
    apply!(bench, directory().remove(acme.id, first.user));
    assert_eq!(
        apply!(bench, directory().reserve(&second, true, now)),
        Reservation::Held
    );
}

async fn an_entry_of_another_generation_is_no_claim(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let old = entry(&bench, &tenant, bench.hash());
    let now = bench.now();
    assert_eq!(
        apply!(bench, directory().reserve(&old, false, now)),
        Reservation::Held
    );
    let mut next = old.clone();
    next.generation = Generation::FIRST.next();
    assert_eq!(
        apply!(bench, directory().reserve(&next, false, now)),
        Reservation::Taken
    );
    assert_eq!(
        apply!(bench, directory().remove_earlier(tenant.id, old.generation)),
        0
    );
    assert_eq!(
        apply!(
            bench,
            directory().remove_earlier(tenant.id, next.generation)
        ),
        1
    );
    assert_eq!(
        apply!(bench, directory().reserve(&next, false, now)),
        Reservation::Held
    );
}

async fn only_confirmed_people_of_active_tenants_are_found(dialect: Dialect) {
    use tenantry_core::TenantStatus::{Active, Suspended};
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let hash = bench.hash();
    let here = entry(&bench, &tenant, hash);
    let count = async || {
        let found = bench
            .read()
            .await
            .unwrap()
            .directory()
            .find_active(hash, 10)
            .await
            .unwrap();
        found
            .iter()
            .filter(|placed| placed.user == here.user)
            .count()
    };
    apply!(bench, directory().reserve(&here, false, bench.now()));
    assert_eq!(count().await, 0, "reserved");
    apply!(bench, directory().confirm(tenant.id, here.user));
    assert_eq!(count().await, 1);
    apply!(bench, tenants().change_status(tenant.id, Active, Suspended));
    assert_eq!(count().await, 0, "suspended");
    apply!(bench, tenants().change_status(tenant.id, Suspended, Active));
    assert_eq!(count().await, 1);
    apply!(
        bench,
        tenants().begin_generation(tenant.id, Active, Generation::FIRST)
    );
    let next = Generation::FIRST.next();
    let record = crate::support::record(&tenant, next);
    apply!(bench, databases().add(&record, bench.now()));
    bench.activate(&tenant, next).await;
    assert_eq!(count().await, 0, "from an earlier generation");
}

async fn entries_are_listed_and_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let other = bench.active_tenant("globex").await;
    let mut entries = Vec::new();
    for _ in 0..3 {
        entries.push(entry(&bench, &tenant, bench.hash()));
    }
    for there in entries.iter().rev() {
        apply!(bench, directory().reserve(there, false, bench.now()));
    }
    let elsewhere = entry(&bench, &other, bench.hash());
    apply!(bench, directory().reserve(&elsewhere, false, bench.now()));
    assert_eq!(look!(bench, directory().list(tenant.id)), entries);
    apply!(bench, directory().remove(tenant.id, entries[0].user));
    apply!(bench, directory().remove(tenant.id, entries[0].user));
    assert_eq!(look!(bench, directory().list(tenant.id)), entries[1..]);
    assert_eq!(apply!(bench, directory().remove_tenant(tenant.id)), 2);
    assert!(look!(bench, directory().list(tenant.id)).is_empty());
    assert_eq!(look!(bench, directory().list(other.id)), [elsewhere]);
}

async fn entries_follow_a_carried_over_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut tenant = bench.active_tenant("acme").await;
    let here = entry(&bench, &tenant, bench.hash());
    apply!(bench, directory().reserve(&here, false, bench.now()));
    tenant.generation = tenant.generation.next();
    assert_eq!(apply!(bench, directory().carry_over(&tenant)), 1);
    let carried = look!(bench, directory().lookup(tenant.id, here.user)).unwrap();
    assert_eq!(carried.generation, tenant.generation);
}

async fn an_entry_needs_its_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let nowhere = entry(&bench, &bench.draft("acme", 1), bench.hash());
    let kind = refused!(bench, directory().reserve(&nowhere, false, bench.now()));
    assert_eq!(kind, ErrorKind::Constraint);
}
