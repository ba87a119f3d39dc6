//! No sealed value is forgotten when the data key is exchanged: each column of octets in the schemas
//! is known either as one that holds sealed values or as one that does not.

use std::collections::BTreeSet;

use tenantry_store::Db;
use tenantry_store::control::SealedColumn;

use crate::support::{Bench, Dialect};

/// Columns of octets that hold nothing sealed with a data key: hashes, public keys, images, and the
/// data keys, which are sealed under the master key.
const OTHERS: &[(&str, &str)] = &[
    ("audit", "hash"),
    ("audit_chain", "last_hash"),
    ("audit_chain", "mac"),
    ("audit_chain", "pruned_hash"),
    ("data_keys", "sealed_key"),
    ("directory", "address_hash"),
    ("directory", "global_hash"),
    ("idempotency", "key_hash"),
    ("idempotency", "request_hash"),
    ("idempotent_answers", "key_hash"),
    ("idempotent_answers", "request_hash"),
    ("one_time_secrets", "secret_hash"),
    ("sessions", "pin_digest"),
    ("sessions", "token_hash"),
    ("signing_keys", "public_key"),
    ("tenant_applications", "secret_hash"),
    ("tenant_logos", "body"),
    ("throttle", "key_hash"),
];

async fn columns(db: &Db) -> BTreeSet<(String, String)> {
    let Db::Postgres(pool) = db else {
        unreachable!("it is on a server")
    };
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name <> 'tenantry_migrations'
                 AND (data_type = 'bytea' OR column_name LIKE '%seal%')";
    let rows = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    rows.into_iter().collect()
}

fn named(columns: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let named = columns.iter();
    named
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_octets_is_sealed_anew_or_known_not_to_be_sealed() {
    let bench = Bench::open(Dialect::Postgres).await;
    let there = columns(bench.control.db()).await;
    let sealed: Vec<_> = SealedColumn::ALL.iter().map(|one| one.name()).collect();
    let (sealed, others) = (named(&sealed), named(OTHERS));
    assert_eq!(sealed.intersection(&others).count(), 0);
    let known: BTreeSet<_> = sealed.union(&others).cloned().collect();
    let difference =
        |a: &BTreeSet<_>, b: &BTreeSet<_>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(
        difference(&there, &known),
        Vec::<(String, String)>::new(),
        "name each in SealedColumn, so that it is sealed anew, or here in OTHERS"
    );
    assert_eq!(
        difference(&known, &there),
        Vec::<(String, String)>::new(),
        "there is no such column"
    );
}

/// The re-sealer looks at the control database alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_database_holds_nothing_sealed() {
    let bench = Bench::open(Dialect::Postgres).await;
    let there = columns(&bench.people().await.db).await;
    let hashes = |column: &str| column.ends_with("_hash");
    let strange: Vec<_> = there.iter().filter(|(_, column)| !hashes(column)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(!there.is_empty(), "no column was read");
}
