//! Tenants: adding, finding, paging, and each change of status exactly once.

use std::time::Duration;

use tenantry_core::logo::LogoTag;
use tenantry_core::tenant::{Registration, Tenant};
use tenantry_core::{Colour, Generation, TenantId, TenantStatus};
use tenantry_store::control::{Entry, TenantPatch};
use tenantry_store::{ErrorKind, Hint, Origin};

use crate::support::{Bench, Dialect};

on_both! {
    numbers_are_given_once,
    what_was_added_is_found,
    a_taken_slug_is_an_outcome,
    a_taken_number_is_refused,
    lists_go_on_after_a_number,
    a_patch_changes_what_it_names,
    colour_and_logo_come_and_go,
    a_status_changes_once,
    a_generation_begins_once,
    deleted_tenants_fall_due,
    only_an_active_tenant_is_entered,
    a_tenant_goes_when_its_records_are_gone,
}

async fn numbers_are_given_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert_eq!(apply!(bench, tenants().next_number()), 1);
    assert_eq!(apply!(bench, tenants().next_number()), 2);
}

async fn what_was_added_is_found(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = Tenant {
        name: "Ämter & Söhne 株式会社".to_owned(),
        registration: Registration::Invite,
        colour: Some(Colour::new(0, 0x0f, 0xff)),
        ..bench.draft("acme", 7)
    };
    assert!(apply!(bench, tenants().add(&tenant)));
    let by_id = look!(bench, tenants().lookup(tenant.id)).unwrap();
    let by_slug = look!(bench, tenants().find_by_slug(&tenant.slug)).unwrap();
    let by_hint = look!(bench, tenants().find(&Hint::Slug(tenant.slug.clone()))).unwrap();
    for found in [by_id, by_slug, by_hint] {
        assert_eq!(format!("{found:?}"), format!("{tenant:?}"));
    }
    let nobody = TenantId::from_uuid(bench.uuid());
    assert!(look!(bench, tenants().lookup(nobody)).is_none());
    assert!(look!(bench, tenants().find_by_slug(&"other".parse().unwrap())).is_none());
}

async fn a_taken_slug_is_an_outcome(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(bench, tenants().add(&bench.draft("acme", 1))));
    // The transaction must be of use after the conflict: PostgreSQL ends it with the first error.
    let mut tx = bench.begin().await.unwrap();
    assert!(!tx.tenants().add(&bench.draft("acme", 2)).await.unwrap());
    assert!(tx.tenants().add(&bench.draft("globex", 2)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(look!(bench, tenants().list(0, 10)).len(), 2);
}

async fn a_taken_number_is_refused(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(bench, tenants().add(&bench.draft("acme", 1))));
    let kind = refused!(bench, tenants().add(&bench.draft("globex", 1)));
    assert_eq!(kind, ErrorKind::Unique);
}

async fn lists_go_on_after_a_number(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for (slug, number) in [
        ("eeee", 5),
        ("bbbb", 2),
        ("dddd", 4),
        ("aaaa", 1),
        ("cccc", 3),
    ] {
        assert!(apply!(bench, tenants().add(&bench.draft(slug, number))));
    }
    let mut seen = Vec::new();
    let mut after = 0;
    for size in [2, 2, 1, 0] {
        let page = look!(bench, tenants().list(after, 2));
        assert_eq!(page.len(), size);
        after = page.last().map_or(after, |last| last.number);
        seen.extend(page.into_iter().map(|tenant| tenant.slug.to_string()));
    }
    assert_eq!(seen, ["aaaa", "bbbb", "cccc", "dddd", "eeee"]);
}

async fn a_patch_changes_what_it_names(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    let patch = TenantPatch {
        name: Some("Acme".to_owned()),
        ..TenantPatch::default()
    };
    assert!(apply!(bench, tenants().patch(tenant.id, &patch)));
    let patch = TenantPatch {
        registration: Some(Registration::Open),
        verify_email: Some(false),
        ..TenantPatch::default()
    };
    assert!(apply!(bench, tenants().patch(tenant.id, &patch)));
    assert!(apply!(
        bench,
        tenants().patch(tenant.id, &TenantPatch::default())
    ));
    let now = look!(bench, tenants().lookup(tenant.id)).unwrap();
    assert_eq!(now.name, "Acme");
    assert_eq!(now.registration, Registration::Open);
    assert!(!now.verify_email);
    let nobody = TenantId::from_uuid(bench.uuid());
    assert!(!apply!(bench, tenants().patch(nobody, &patch)));
}

async fn colour_and_logo_come_and_go(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = bench.tenant("acme").await.id;
    let (colour, tag) = (Colour::new(0xff, 0xd4, 0), LogoTag::of_hash(&[7; 32]));
    let brand = |colour, logo| TenantPatch {
        colour,
        logo,
        ..TenantPatch::default()
    };
    for (patch, colour, logo) in [
        (brand(Some(Some(colour)), None), Some(colour), None),
        (brand(None, Some(Some(tag))), Some(colour), Some(tag)),
        (TenantPatch::default(), Some(colour), Some(tag)),
        (brand(Some(None), None), None, Some(tag)),
        (brand(None, Some(None)), None, None),
    ] {
        assert!(apply!(bench, tenants().patch(id, &patch)));
        let now = look!(bench, tenants().lookup(id)).unwrap();
        assert_eq!((now.colour, now.logo), (colour, logo));
    }
}

async fn a_status_changes_once(dialect: Dialect) {
    use TenantStatus::{Active, Provisioning, Suspended};
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    let id = tenant.id;
    bench.activate(&tenant, Generation::FIRST).await;
    assert!(
        !apply!(bench, tenants().activate(id, Generation::FIRST)),
        "it is active already"
    );
    assert!(apply!(
        bench,
        tenants().change_status(id, Active, Suspended)
    ));
    assert!(!apply!(
        bench,
        tenants().change_status(id, Active, Suspended)
    ));
    assert_eq!(
        look!(bench, tenants().lookup(id)).unwrap().status,
        Suspended
    );
    let purge_at = bench.now() + Duration::from_hours(24);
    assert!(!apply!(
        bench,
        tenants().mark_deleted(id, Active, bench.now(), purge_at)
    ));
    assert!(apply!(
        bench,
        tenants().mark_deleted(id, Suspended, bench.now(), purge_at)
    ));
    assert!(!apply!(
        bench,
        tenants().mark_deleted(id, Suspended, bench.now(), purge_at)
    ));
    let deleted = look!(bench, tenants().lookup(id)).unwrap();
    assert_eq!(
        (deleted.deleted_at, deleted.purge_at),
        (Some(bench.now()), Some(purge_at))
    );
    assert!(apply!(
        bench,
        tenants().change_status(id, TenantStatus::Deleted, Provisioning)
    ));
    let back = look!(bench, tenants().lookup(id)).unwrap();
    assert_eq!((back.deleted_at, back.purge_at), (None, None));
}

async fn a_generation_begins_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let (id, first) = (tenant.id, Generation::FIRST);
    let begin = TenantStatus::Active;
    assert!(!apply!(
        bench,
        tenants().begin_generation(id, begin, first.next())
    ));
    assert!(apply!(bench, tenants().begin_generation(id, begin, first)));
    assert!(!apply!(bench, tenants().begin_generation(id, begin, first)));
    let now = look!(bench, tenants().lookup(id)).unwrap();
    assert_eq!(
        (now.generation, now.status),
        (first.next(), TenantStatus::Provisioning)
    );
    assert!(
        !apply!(bench, tenants().activate(id, first)),
        "that generation is over"
    );
}

async fn deleted_tenants_fall_due(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut ids = Vec::new();
    for (slug, hours) in [("later", 3), ("sooner", 1), ("middle", 2)] {
        let tenant = bench.active_tenant(slug).await;
        let purge_at = bench.now() + Duration::from_hours(hours);
        let from = TenantStatus::Active;
        assert!(apply!(
            bench,
            tenants().mark_deleted(tenant.id, from, bench.now(), purge_at)
        ));
        ids.push(tenant.id);
    }
    bench.active_tenant("lively").await;
    assert!(look!(bench, tenants().list_due_for_purge(bench.now(), 10)).is_empty());
    let then = bench.now() + Duration::from_hours(2);
    let due = look!(bench, tenants().list_due_for_purge(then, 10));
    assert_eq!(
        due.iter().map(|tenant| tenant.id).collect::<Vec<_>>(),
        [ids[1], ids[2]]
    );
    assert_eq!(look!(bench, tenants().list_due_for_purge(then, 1)).len(), 1);
}

async fn only_an_active_tenant_is_entered(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    let hint = Hint::Id(tenant.id);
    let entry = look!(bench, tenants().enter(&hint, Origin::Host));
    assert!(matches!(entry, Some(Entry::Closed(closed)) if closed.id == tenant.id));
    bench.activate(&tenant, Generation::FIRST).await;
    let Some(Entry::Open(ctx)) = look!(bench, tenants().enter(&hint, Origin::Header)) else {
        panic!("an active tenant is open");
    };
    assert_eq!((ctx.id(), ctx.generation()), (tenant.id, Generation::FIRST));
    assert_eq!(ctx.origin(), Origin::Header);
    let active = TenantStatus::Active;
    assert!(apply!(
        bench,
        tenants().change_status(tenant.id, active, TenantStatus::Suspended)
    ));
    let entry = look!(
        bench,
        tenants().enter(&Hint::Slug(tenant.slug.clone()), Origin::Host)
    );
    assert!(matches!(entry, Some(Entry::Closed(_))));
    let ctx = look!(bench, tenants().enter_regardless_of_status(tenant.id)).unwrap();
    assert_eq!(ctx.origin(), Origin::Operator);
    let nobody = TenantId::from_uuid(bench.uuid());
    assert!(look!(bench, tenants().enter(&Hint::Id(nobody), Origin::Host)).is_none());
    assert!(look!(bench, tenants().enter_regardless_of_status(nobody)).is_none());
}

async fn a_tenant_goes_when_its_records_are_gone(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let (id, first) = (tenant.id, Generation::FIRST);
    apply!(bench, tenants().release_database(id));
    let kind = refused!(bench, databases().remove(id, first));
    assert_eq!(
        kind,
        ErrorKind::Constraint,
        "an active tenant keeps its claim"
    );
    let (from, to) = (TenantStatus::Active, TenantStatus::Purging);
    assert!(apply!(bench, tenants().change_status(id, from, to)));
    assert_eq!(
        refused!(bench, databases().remove(id, first)),
        ErrorKind::Constraint
    );
    apply!(bench, tenants().release_database(id));
    assert_eq!(refused!(bench, tenants().remove(id)), ErrorKind::Constraint);
    apply!(bench, databases().remove(id, first));
    let domain = "INSERT INTO tenant_domains (domain, kind, tenant_id, token, created_at) VALUES ('a.example', 'host', $1, 't', 1)";
    bench.raw(domain, id.uuid()).await.unwrap();
    assert!(apply!(bench, tenants().remove(id)));
    assert!(!apply!(bench, tenants().remove(id)));
    assert!(look!(bench, tenants().lookup(id)).is_none());
}
