//! The installation's own record.

use tenantry_core::tenant::EmailUniqueness;
use tenantry_store::control::InstanceRow;

use crate::support::{Bench, Dialect};

on_both! {
    the_first_record_stays,
}

async fn the_first_record_stays(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    look!(bench, instance().ping());
    assert!(look!(bench, instance().find()).is_none());
    let row = |byte, email_uniqueness| InstanceRow {
        key_check: vec![byte; 40],
        email_uniqueness,
    };
    let first = row(1, EmailUniqueness::Global);
    assert!(apply!(bench, instance().add(&first, bench.now())));
    let second = row(2, EmailUniqueness::PerTenant);
    assert!(!apply!(bench, instance().add(&second, bench.now())));
    let found = look!(bench, instance().find()).unwrap();
    assert_eq!(found.key_check, first.key_check);
    assert_eq!(found.email_uniqueness, EmailUniqueness::Global);
}
