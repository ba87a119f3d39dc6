//! What the registry's own constraints refuse, whoever asks: also somebody at the database's
//! prompt.

use tenantry_core::{Generation, TenantStatus};
use tenantry_store::ErrorKind;

use crate::support::{Bench, Dialect, record};

on_both! {
    no_status_in_use_without_a_record,
    no_status_in_use_with_a_pending_record,
    no_status_in_use_with_the_record_of_another_generation,
    no_status_in_use_with_the_record_of_another_tenant,
    the_record_of_a_tenant_in_use_stays,
    a_tenant_in_use_keeps_its_generation,
    words_that_are_none_are_refused,
    deletion_and_its_date_go_together,
    a_verified_record_says_when_and_with_which_schema,
    a_session_has_tenant_and_generation_or_neither,
    a_tenant_with_records_is_not_removed,
}

/// Statuses in which people use the tenant, or will again.
const IN_USE: [&str; 2] = ["active", "suspended"];

async fn refused(bench: &Bench, sql: &str, id: uuid::Uuid) {
    let error = bench.raw(sql, id).await.expect_err(sql);
    assert_eq!(error.kind(), ErrorKind::Constraint, "{sql}: {error:?}");
}

async fn no_status_in_use_without_a_record(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&tenant)));
    for status in IN_USE {
        let plain = format!("UPDATE tenants SET status = '{status}' WHERE id = $1");
        refused(&bench, &plain, tenant.id.uuid()).await;
        let claiming = format!(
            "UPDATE tenants SET status = '{status}', database_state = 'verified' WHERE id = $1"
        );
        refused(&bench, &claiming, tenant.id.uuid()).await;
        let mut born = bench.draft("born", 2);
        born.status = status.parse().unwrap();
        assert_eq!(refused!(bench, tenants().add(&born)), ErrorKind::Constraint);
    }
    let kind = refused!(bench, tenants().activate(tenant.id, Generation::FIRST));
    assert_eq!(kind, ErrorKind::Constraint);
}

async fn no_status_in_use_with_a_pending_record(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    for status in IN_USE {
        for state in ["NULL", "'verified'", "'pending'"] {
            let sql = format!(
                "UPDATE tenants SET status = '{status}', database_state = {state} WHERE id = $1"
            );
            refused(&bench, &sql, tenant.id.uuid()).await;
        }
    }
    let kind = refused!(bench, tenants().activate(tenant.id, Generation::FIRST));
    assert_eq!(kind, ErrorKind::Constraint);
    bench.activate(&tenant, Generation::FIRST).await;
}

async fn no_status_in_use_with_the_record_of_another_generation(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let (id, first) = (tenant.id, Generation::FIRST);
    assert!(apply!(
        bench,
        tenants().begin_generation(id, TenantStatus::Active, first)
    ));
    let kind = refused!(bench, tenants().activate(id, first.next()));
    assert_eq!(
        kind,
        ErrorKind::Constraint,
        "only the first generation's record is verified"
    );
    let sql = "UPDATE tenants SET status = 'active', database_state = 'verified' WHERE id = $1";
    refused(&bench, sql, id.uuid()).await;
    apply!(
        bench,
        databases().add(&record(&tenant, first.next()), bench.now())
    );
    bench.activate(&tenant, first.next()).await;
}

async fn no_status_in_use_with_the_record_of_another_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let globex = bench.tenant("globex").await;
    let kind = refused!(bench, tenants().activate(globex.id, Generation::FIRST));
    assert_eq!(kind, ErrorKind::Constraint);
    let sql = format!(
        "UPDATE tenant_databases SET tenant_id = $1, generation = 7 WHERE name = '{}'",
        record(&acme, Generation::FIRST).name
    );
    refused(&bench, &sql, globex.id.uuid()).await;
}

async fn the_record_of_a_tenant_in_use_stays(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let id = tenant.id;
    let (active, suspended) = (TenantStatus::Active, TenantStatus::Suspended);
    for _ in IN_USE {
        for sql in [
            "DELETE FROM tenant_databases WHERE tenant_id = $1",
            "UPDATE tenant_databases SET state = 'pending' WHERE tenant_id = $1",
            "UPDATE tenant_databases SET state = 'retired' WHERE tenant_id = $1",
            "UPDATE tenant_databases SET generation = 2 WHERE tenant_id = $1",
            "UPDATE tenants SET database_state = NULL WHERE id = $1",
        ] {
            refused(&bench, sql, id.uuid()).await;
        }
        let kind = refused!(bench, databases().remove(id, Generation::FIRST));
        assert_eq!(kind, ErrorKind::Constraint);
        apply!(bench, tenants().change_status(id, active, suspended));
    }
}

async fn a_tenant_in_use_keeps_its_generation(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let sql = "UPDATE tenants SET generation = generation + 1 WHERE id = $1";
    refused(&bench, sql, tenant.id.uuid()).await;
}

async fn words_that_are_none_are_refused(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let tables = [
        ("tenants", "id", "status", "'Active'"),
        ("tenants", "id", "status", "''"),
        ("tenants", "id", "isolation", "'none'"),
        ("tenants", "id", "registration", "'everybody'"),
        ("tenants", "id", "verify_email", "2"),
        ("tenants", "id", "generation", "0"),
        ("tenants", "id", "database_state", "'retired'"),
        ("tenant_databases", "tenant_id", "state", "'ready'"),
        ("tenant_databases", "tenant_id", "driver", "'mysql'"),
    ];
    for (table, key, column, value) in tables {
        let sql = format!("UPDATE {table} SET {column} = {value} WHERE {key} = $1");
        refused(&bench, &sql, tenant.id.uuid()).await;
    }
    for values in [
        "('a.example', 'web', $1, 1, 't', NULL, NULL)",
        "('a.example', 'host', NULL, 1, 't', NULL, NULL)",
        "(NULL, 'host', $1, 1, 't', NULL, NULL)",
        "('a.example', 'host', $1, 1, 't', 1, NULL)",
        "('a.example', 'host', $1, 1, 't', NULL, 1)",
    ] {
        let insert = "INSERT INTO tenant_domains (domain, kind, tenant_id, created_at, token, verified_at, next_check_at) VALUES";
        let sql = format!("{insert} {values}");
        // The parameter must be used, or PostgreSQL does not know its type.
        let sql = sql.replace("'host', NULL, 1", "'host', NULLIF($1, $1), 1");
        let sql = sql.replace("(NULL,", "(CAST(NULL AS TEXT),");
        refused(&bench, &sql, tenant.id.uuid()).await;
    }
    for sql in [
        "INSERT INTO workflow_log (workflow_id, seq, step, event, fence, at) VALUES ($1, 1, 's', 'begun', 1, 1)",
        "INSERT INTO workflows (id, kind, version, state, params, attempts, next_run_at, lease_until, fence, created_at)
         VALUES ($1, 'k', 1, 'paused', '{}', 0, 0, 0, 0, 0)",
        "INSERT INTO directory (tenant_id, user_id, generation, address_hash, kind, state, created_at)
         VALUES ($1, $1, 1, '', 'guest', 'reserved', 1)",
        "INSERT INTO directory (tenant_id, user_id, generation, address_hash, kind, state, created_at)
         VALUES ($1, $1, 1, '', 'owner', 'known', 1)",
    ] {
        // An empty string is a byte string to PostgreSQL, SQLite writes it with an x.
        let sql = match dialect {
            Dialect::Sqlite => sql.replace("1, '',", "1, x'',"),
            Dialect::Postgres => sql.to_owned(),
        };
        refused(&bench, &sql, tenant.id.uuid()).await;
    }
}

async fn deletion_and_its_date_go_together(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    for sql in [
        "UPDATE tenants SET status = 'deleted' WHERE id = $1",
        "UPDATE tenants SET status = 'deleted', deleted_at = 1 WHERE id = $1",
        "UPDATE tenants SET purge_at = 1 WHERE id = $1",
    ] {
        refused(&bench, sql, tenant.id.uuid()).await;
    }
    let (active, deleted) = (TenantStatus::Active, TenantStatus::Deleted);
    let kind = refused!(bench, tenants().change_status(tenant.id, active, deleted));
    assert_eq!(kind, ErrorKind::Constraint);
    let (now, id) = (bench.now(), tenant.id);
    assert!(apply!(bench, tenants().mark_deleted(id, active, now, now)));
    let sql = "UPDATE tenants SET purge_at = NULL WHERE id = $1";
    refused(&bench, sql, tenant.id.uuid()).await;
}

async fn a_verified_record_says_when_and_with_which_schema(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    for sql in [
        "UPDATE tenant_databases SET state = 'verified' WHERE tenant_id = $1",
        "UPDATE tenant_databases SET state = 'verified', verified_at = 1 WHERE tenant_id = $1",
        "UPDATE tenant_databases SET state = 'verified', schema_version = 1 WHERE tenant_id = $1",
    ] {
        refused(&bench, sql, tenant.id.uuid()).await;
    }
}

async fn a_session_has_tenant_and_generation_or_neither(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let bytes = match dialect {
        Dialect::Sqlite => "x''",
        Dialect::Postgres => "''",
    };
    let columns = "id, token_hash, kind, tenant_id, generation, subject_id, security_version,
                   created_at, last_seen_at, expires_at, idle_micros, ended_at, end_reason";
    for (kind, pair, end) in [
        ("browser", "$1, NULL", "NULL, NULL"),
        ("browser", "NULL, 1", "NULL, NULL"),
        ("browser", "$1, 1", "5, NULL"),
        ("browser", "$1, 1", "NULL, 'logout'"),
        ("fax", "$1, 1", "NULL, NULL"),
    ] {
        let sql = format!(
            "INSERT INTO sessions ({columns})
             VALUES ($1, {bytes}, '{kind}', {pair}, $1, 1, 1, 1, 1, 1, {end})"
        );
        refused(&bench, &sql, bench.uuid()).await;
    }
}

async fn a_tenant_with_records_is_not_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    refused(
        &bench,
        "DELETE FROM tenants WHERE id = $1",
        tenant.id.uuid(),
    )
    .await;
}
