//! Who has an address where, and that nobody takes an entry over.

use tenantry_core::tenant::Tenant;
use tenantry_core::{Generation, UserId};
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation};
use tenantry_store::{ErrorKind, Origin};

use crate::support::{Bench, Dialect};

on_both! {
    a_reservation_is_held,
    a_changed_address_has_two_entries_until_it_is_settled,
    what_was_reserved_anew_is_not_taken_out,
    an_address_may_live_in_many_tenants,
    a_global_address_lives_in_one_tenant,
    an_entry_of_another_generation_is_no_claim,
    only_people_of_active_tenants_are_found,
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

async fn a_reservation_is_held(dialect: Dialect) {
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
        look!(
            bench,
            directory().lookup(tenant.id, mine.user, &mine.address_hash)
        ),
        Some(mine.clone())
    );
    // Who has an address inside a tenant is the tenant's own constraint to say.
    let theirs = entry(&bench, &tenant, hash);
    assert_eq!(
        apply!(bench, directory().reserve(&theirs, false, now)),
        Reservation::Held
    );
    let nobodys = UserId::from_uuid(bench.uuid());
    assert!(!apply!(bench, directory().confirm(tenant.id, nobodys)));
    assert!(apply!(bench, directory().confirm(tenant.id, mine.user)));
    mine.state = EntryState::Confirmed;
    assert_eq!(
        look!(
            bench,
            directory().lookup(tenant.id, mine.user, &mine.address_hash)
        ),
        Some(mine)
    );
}

async fn a_changed_address_has_two_entries_until_it_is_settled(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let (old, now) = (entry(&bench, &tenant, bench.hash()), bench.now());
    apply!(bench, directory().reserve(&old, true, now));
    assert!(apply!(bench, directory().confirm(tenant.id, old.user)));
    let mut next = old.clone();
    next.address_hash = bench.hash();
    next.kind = EntryKind::Owner;
    assert_eq!(
        apply!(bench, directory().reserve(&next, true, now)),
        Reservation::Held
    );
    for hash in [old.address_hash, next.address_hash] {
        let mut tx = bench.read().await.unwrap();
        let found = tx.directory().find_active(hash, 10).await.unwrap();
        assert_eq!(found.len(), 1, "both lead to where it is verified");
    }
    assert_eq!(
        apply!(bench, directory().settle(&next, true, now)),
        Reservation::Held
    );
    let listed = look!(bench, directory().list_of(tenant.id, old.user));
    assert_eq!(listed.len(), 2);
    for listed in listed {
        let is_old = listed.entry.address_hash == old.address_hash;
        assert_eq!(listed.entry.state, EntryState::Confirmed);
        let removed = apply!(bench, directory().remove_listed(&listed));
        assert!(removed, "nobody reserved it since");
        if !is_old {
            assert_eq!(
                listed.entry.kind,
                EntryKind::Owner,
                "settling notes the kind"
            );
        }
    }
    assert_eq!(
        apply!(bench, directory().settle(&next, true, now)),
        Reservation::Held,
        "one that is missing is made"
    );
    let globex = bench.active_tenant("globex").await;
    let theirs = entry(&bench, &globex, next.address_hash);
    assert_eq!(
        apply!(bench, directory().settle(&theirs, true, now)),
        Reservation::Taken
    );
}

async fn what_was_reserved_anew_is_not_taken_out(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let mine = entry(&bench, &tenant, bench.hash());
    apply!(bench, directory().settle(&mine, false, bench.now()));
    let listed = look!(bench, directory().list_of(tenant.id, mine.user));
    let later = bench.time.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        apply!(bench, directory().unsettle(tenant.id, mine.user, later)),
        1
    );
    assert!(!apply!(bench, directory().remove_listed(&listed[0])));
    assert_eq!(
        apply!(bench, directory().remove_older(tenant.id, listed[0].at)),
        0,
        "made anew, and so not older"
    );
    let listed = look!(bench, directory().list_of(tenant.id, mine.user));
    assert_eq!(
        (listed[0].entry.state, listed[0].at),
        (EntryState::Reserved, later)
    );
    assert!(apply!(bench, directory().remove_listed(&listed[0])));
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
        look!(
            bench,
            directory().lookup(globex.id, second.user, &second.address_hash)
        ),
        None
    );
    assert_eq!(
        look!(
            bench,
            directory().lookup(acme.id, first.user, &first.address_hash)
        ),
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

async fn only_people_of_active_tenants_are_found(dialect: Dialect) {
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
    assert_eq!(count().await, 1, "who is found is verified in the tenant");
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
    let carried = look!(
        bench,
        directory().lookup(tenant.id, here.user, &here.address_hash)
    )
    .unwrap();
    assert_eq!(carried.generation, tenant.generation);
}

async fn an_entry_needs_its_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let nowhere = entry(&bench, &bench.draft("acme", 1), bench.hash());
    let kind = refused!(bench, directory().reserve(&nowhere, false, bench.now()));
    assert_eq!(kind, ErrorKind::Constraint);
}
