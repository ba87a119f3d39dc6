//! The installation's own record.

use tenantry_core::session::SessionDriver;
use tenantry_core::tenant::EmailUniqueness;
use tenantry_store::control::{InstanceRow, SessionHome};

use crate::support::{Bench, Dialect};

on_both! {
    where_sessions_lie_is_remembered,
    an_installation_has_one_id,
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

async fn where_sessions_lie_is_remembered(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let settle = async |driver| apply!(bench, instance().settle_sessions(driver));
    assert_eq!(settle(SessionDriver::Redis).await, None, "no record yet");
    let row = InstanceRow {
        key_check: vec![1],
        email_uniqueness: EmailUniqueness::PerTenant,
    };
    assert!(apply!(bench, instance().add(&row, bench.now())));
    assert_eq!(settle(SessionDriver::Redis).await, None, "a new one");
    let home = async || apply!(bench, instance().session_home());
    assert_eq!(home().await.switches, 0, "they lay nowhere else before");
    for (driver, before, switches) in [
        (SessionDriver::File, Some(SessionDriver::Redis), 1),
        (SessionDriver::File, None, 1),
        (SessionDriver::Database, Some(SessionDriver::File), 2),
        (SessionDriver::File, Some(SessionDriver::Database), 3),
    ] {
        assert_eq!(settle(driver).await, before);
        let (driver, now) = (Some(driver), home().await);
        assert_eq!(now, SessionHome { driver, switches });
    }
}

async fn an_installation_has_one_id(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (first, second) = (bench.uuid(), bench.uuid());
    assert_eq!(
        apply!(bench, instance().identify(first)),
        None,
        "there is none yet"
    );
    let row = InstanceRow {
        key_check: vec![1],
        email_uniqueness: EmailUniqueness::PerTenant,
    };
    assert!(apply!(bench, instance().add(&row, bench.now())));
    assert_eq!(apply!(bench, instance().identify(first)), Some(first));
    assert_eq!(apply!(bench, instance().identify(second)), Some(first));
}
