//! Logos: one a tenant, found by what they are known by.

use tenantry_core::logo::{ImageKind, Logo, LogoTag};
use tenantry_store::ErrorKind;

use crate::support::{Bench, Dialect};

on_both! {
    a_logo_is_found_by_its_tag_alone,
    the_next_logo_takes_its_place,
    a_logo_goes_with_its_tenant,
    nobody_has_no_logo,
}

/// A PNG of 20 by 20 with something of its own.
fn logo(mark: u8) -> Logo {
    let mut body = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x14\0\0\0\x14\x08\x06\0\0\0".to_vec();
    body.extend([mark, 0, 255]);
    Logo::read(body).unwrap()
}

fn tag(mark: u8) -> LogoTag {
    LogoTag::of_hash(&[mark; 32])
}

async fn a_logo_is_found_by_its_tag_alone(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    // Two tenants may have the same.
    for slug in ["acme", "globex"] {
        let tenant = bench.tenant(slug).await;
        apply!(bench, logos().set(tenant.id, tag(1), &logo(1), bench.now()));
    }
    let found = look!(bench, logos().find(tag(1))).unwrap();
    assert_eq!(
        (found.kind, &found.body[..]),
        (ImageKind::Png, logo(1).body())
    );
    assert!(look!(bench, logos().find(tag(2))).is_none());
}

async fn the_next_logo_takes_its_place(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    for mark in [1, 2] {
        apply!(
            bench,
            logos().set(tenant.id, tag(mark), &logo(mark), bench.now())
        );
    }
    assert!(look!(bench, logos().find(tag(1))).is_none());
    assert!(look!(bench, logos().find(tag(2))).is_some());
    assert!(apply!(bench, logos().remove(tenant.id)));
    assert!(!apply!(bench, logos().remove(tenant.id)));
    assert!(look!(bench, logos().find(tag(2))).is_none());
}

async fn a_logo_goes_with_its_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&tenant)));
    apply!(bench, logos().set(tenant.id, tag(1), &logo(1), bench.now()));
    assert!(apply!(bench, tenants().remove(tenant.id)));
    assert!(look!(bench, logos().find(tag(1))).is_none());
}

async fn nobody_has_no_logo(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let nobody = bench.draft("acme", 1).id;
    let kind = refused!(bench, logos().set(nobody, tag(1), &logo(1), bench.now()));
    assert_eq!(kind, ErrorKind::Constraint);
}
