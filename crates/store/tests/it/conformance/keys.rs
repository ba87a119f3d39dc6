//! Data keys and signing keys.

use std::time::Duration;

use tenantry_store::ErrorKind;
use tenantry_store::control::{SealedDataKey, SealedSigningKey};

use crate::support::{Bench, Dialect};

on_both! {
    data_keys_come_in_the_order_they_were_made,
    signing_keys_come_back_as_they_were,
}

async fn data_keys_come_in_the_order_they_were_made(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let late = SealedDataKey {
        id: bench.uuid(),
        sealed: vec![0, 255, 7],
    };
    let early = SealedDataKey {
        id: bench.uuid(),
        sealed: Vec::new(),
    };
    apply!(
        bench,
        keys().add_data_key(&late, bench.now() + Duration::from_secs(1))
    );
    apply!(bench, keys().add_data_key(&early, bench.now()));
    let listed = look!(bench, keys().list_data_keys());
    let listed: Vec<_> = listed.into_iter().map(|key| (key.id, key.sealed)).collect();
    assert_eq!(
        listed,
        [(early.id, early.sealed), (late.id, late.sealed.clone())]
    );
    assert_eq!(
        refused!(bench, keys().add_data_key(&late, bench.now())),
        ErrorKind::Unique
    );
}

async fn signing_keys_come_back_as_they_were(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let key = |kid: &str, age: u64, retired| SealedSigningKey {
        kid: kid.to_owned(),
        sealed_seed: vec![1; 60],
        public_key: vec![2; 32],
        created_at: bench.now() - Duration::from_hours(age),
        retired_at: retired,
    };
    let (young, old) = (key("young", 1, None), key("old", 9, Some(bench.now())));
    apply!(bench, keys().add_signing_key(&young));
    apply!(bench, keys().add_signing_key(&old));
    let listed = look!(bench, keys().list_signing_keys());
    assert_eq!(format!("{listed:?}"), format!("{:?}", [&old, &young]));
    assert_eq!(
        refused!(bench, keys().add_signing_key(&old)),
        ErrorKind::Unique
    );
}
