//! Checking every tenant: what belongs to none, servers that can't be asked, bounded connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Isolation;
use tenantry_saga::Faults;
use tenantry_service::tenants::TenantView;
use tenantry_store::cluster::{DatabaseName, Login, RoleKind};
use tenantry_testkit::cluster::{Application, number, superuser};
use tenantry_testkit::service::{Options, PASSWORD, Tenants, TestService};

use crate::check::{codes, found};
use crate::check_server::{AWAY, start, with_application};
use crate::damages::{Damage, Place, inject, placement};
use crate::people::{ADA, OTHER, id, try_in};

/// The registry forgets a tenant, as one restored from an older backup does.
async fn forget(test: &TestService, view: &TenantView) {
    let forgotten = Damage {
        place: Place::Registry,
        code: FindingCode::DatabaseOrphaned,
        forgets: false,
        sql: &[
            "DELETE FROM directory WHERE tenant_id = $T",
            "DELETE FROM tenant_database_users WHERE tenant_id = $T",
            "DELETE FROM tenant_databases WHERE tenant_id = $T",
            "DELETE FROM tenants WHERE id = $T",
        ],
    };
    inject(test, view, &forgotten).await;
}

async fn left(view: &TenantView) -> (i64, i64) {
    let name = DatabaseName::own(placement(view));
    let name = name.as_str();
    let count = async |what: &str| {
        number(&format!("SELECT COUNT(*) FROM {what}"))
            .await
            .unwrap()
    };
    (
        count(&format!("pg_database WHERE datname = '{name}'")).await,
        count(&format!("pg_roles WHERE starts_with(rolname, '{name}_')")).await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pruning_drops_only_what_carries_our_marker() {
    let test = start().await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (database, _) = with_application(&test, "with-database").await;
    let (roles, _) = with_application(&test, "with-roles").await;
    let foreign = test.make_tenant("foreign", ADA, OTHER).await.unwrap();
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
    for view in [&database, &roles, &foreign] {
        forget(&test, view).await;
    }
    let name = |view: &TenantView| DatabaseName::own(placement(view));
    superuser(&format!("DROP DATABASE {} WITH (FORCE)", name(&roles)))
        .await
        .unwrap();
    // Named like ours; what they say about themselves is another thing.
    superuser(&format!("COMMENT ON DATABASE {} IS 'mine'", name(&foreign)))
        .await
        .unwrap();
    let renamed = format!("renamed_{}", id(&acme).short());
    superuser(&format!(
        "CREATE ROLE {renamed};
         DO $$ BEGIN EXECUTE format('COMMENT ON ROLE {renamed} IS %L',
             (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{}_s')); END $$",
        name(&database).as_str()
    ))
    .await
    .unwrap();

    let findings = test.service.check_orphans().await.unwrap();
    let mut listed: Vec<_> = findings
        .iter()
        .map(|finding| (finding.code, finding.repairable))
        .collect();
    listed.sort_by_key(|(code, repairable)| (code.as_str(), *repairable));
    assert_eq!(
        listed,
        [
            (FindingCode::DatabaseOrphaned, true),
            (FindingCode::RoleOrphaned, false),
            (FindingCode::RoleOrphaned, true),
        ],
        "{findings:?}"
    );
    assert_eq!(left(&database).await, (1, 5), "a check drops nothing");
    assert_eq!(test.service.prune_orphans().await.unwrap(), 2);
    assert_eq!(test.service.prune_orphans().await.unwrap(), 0);
    assert_eq!(left(&database).await, (0, 0));
    assert_eq!(left(&roles).await, (0, 0));
    assert_eq!(left(&foreign).await, (1, 5));
    assert_eq!(left(&acme).await, (1, 5));
    assert_eq!(
        number(&format!(
            "SELECT COUNT(*) FROM pg_roles WHERE rolname = '{renamed}'"
        ))
        .await
        .unwrap(),
        1
    );
    assert!(try_in(&test, Some("acme"), ADA, PASSWORD).await.is_ok());
    superuser(&format!("DROP ROLE {renamed}")).await.unwrap();
    inject(&test, &foreign, &AWAY).await;
}

/// A server that can't be asked is no missing database, and is told for each tenant on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_told_as_such() {
    let test = start().await;
    for slug in ["acme", "globex", "initech"] {
        test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
    }
    let url = test.cluster().unwrap().url().to_owned();
    // Nobody listens on port 1 (RFC 6335: tcpmux, long unused); and an admin whom the server refuses.
    let nowhere = "postgres://admin:admin@127.0.0.1:1/postgres".to_owned();
    let refused = url.replace(":admin@", ":wrong@");
    for (url, why) in [
        (&nowhere, "can't be reached"),
        (&refused, "refuses the admin"),
    ] {
        let cut_off = test.beside_through(url, Faults::none()).await.unwrap();
        let fleet = cut_off.service.check_all(|_, _| {}).await.unwrap();
        let slugs: Vec<&str> = fleet
            .unsound
            .iter()
            .map(|report| report.tenant.slug.as_str())
            .collect();
        assert_eq!(slugs, ["acme", "globex", "initech"]);
        for finding in fleet
            .unsound
            .iter()
            .flat_map(|report| &report.findings)
            .chain(&fleet.loose)
        {
            assert_eq!(finding.code, FindingCode::ClusterUnreachable);
            assert!(
                !finding.repairable && finding.detail.contains(why),
                "{finding:?}"
            );
        }
        assert_eq!(fleet.loose.len(), 1);
        let acme = cut_off.service.find_tenant("acme").await.unwrap();
        let left = cut_off.service.repair_tenant(acme.tenant).await.unwrap();
        assert_eq!(codes(&left.findings), [FindingCode::ClusterUnreachable]);
    }
    let refusing = test.beside_through(&refused, Faults::none()).await.unwrap();
    assert_eq!(refusing.service.prune_orphans().await.unwrap(), 0);
    let back = test.beside_through(&url, Faults::none()).await.unwrap();
    assert!(back.service.check_all(|_, _| {}).await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_stands_still_has_a_name_of_its_own() {
    let test = start().await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for (kind, code) in [
        ("rotate", FindingCode::RotationStuck),
        ("restore", FindingCode::WorkflowStuck),
    ] {
        let tenant = test.control().literal(id(&view).uuid());
        let stuck = format!(
            "INSERT INTO workflows (id, kind, version, tenant_id, state, params, attempts, next_run_at,
                lease_until, fence, error, created_at)
             VALUES (gen_random_uuid(), '{kind}', 1, {tenant}, 'stuck', '{{}}', 3, 0, 0, 1, 'no role', 0)"
        );
        test.control().damage(&stuck).await.unwrap();
        let findings = found(&test, "acme").await;
        assert_eq!(codes(&findings), [code]);
        assert!(findings[0].detail.contains("no role"), "{findings:?}");
        test.control()
            .damage("DELETE FROM workflows WHERE state = 'stuck'")
            .await
            .unwrap();
    }
}

/// Many tenants are looked at by few connections, and each is said to be done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_is_checked_by_few_connections() {
    const TENANTS: usize = 24;
    let test = start().await;
    let mut roles = Vec::new();
    for number in 0..TENANTS {
        let slug = format!("acme-{number}");
        let view = test.make_tenant(&slug, ADA, PASSWORD).await.unwrap();
        let role = placement(&view).role(RoleKind::Login(Login::Service));
        roles.push(format!("'{}'", role.as_str()));
    }
    test.service.close().await;
    let test = test.beside(Faults::none()).await.unwrap();
    let open = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE usename IN ({})",
        roles.join(", ")
    );
    let most = AtomicUsize::new(0);
    let watching = async {
        loop {
            let open = usize::try_from(number(&open).await.unwrap()).unwrap();
            most.fetch_max(open, Ordering::Relaxed);
        }
    };
    let done = AtomicUsize::new(0);
    let checking = test.service.check_all(|count, total| {
        assert_eq!(done.fetch_add(1, Ordering::Relaxed) + 1, count);
        assert_eq!(total, TENANTS);
    });
    let fleet = tokio::select! {
        fleet = checking => fleet.unwrap(),
        () = watching => unreachable!("it watches for ever"),
    };
    assert!(fleet.is_sound(), "{fleet:?}");
    assert_eq!((fleet.checked, done.into_inner()), (TENANTS, TENANTS));
    let most = most.into_inner();
    assert!((1..=8).contains(&most), "{most} connections at once");

    let started = Instant::now();
    test.service.check_all(|_, _| {}).await.unwrap();
    let each = started.elapsed() / u32::try_from(TENANTS).unwrap();
    eprintln!("{each:?} a tenant, at most {most} connections");
    assert_eq!(number(&open).await.unwrap(), 0, "they are closed again");
}

/// However tenants are kept apart, a sound fleet has no findings, and repair finds its way.
async fn kept_apart(isolation: Isolation) {
    let options = Options::postgres()
        .with_tenants(Tenants::Cluster(isolation))
        .without_rate_limits();
    let test = TestService::start(options).await.unwrap();
    let (acme, url) = with_application(&test, "acme").await;
    let (globex, _) = with_application(&test, "globex").await;
    let fleet = test.service.check_all(|_, _| {}).await.unwrap();
    assert!(fleet.is_sound(), "{fleet:?}");
    let slot = placement(&acme).role(RoleKind::Login(Login::A));
    for (sql, code) in [
        (
            format!("ALTER ROLE {slot} NOLOGIN"),
            FindingCode::RoleDisabled,
        ),
        (
            format!("ALTER ROLE {slot} PASSWORD 'another'"),
            FindingCode::ApplicationRefused,
        ),
        (
            format!("ALTER ROLE {slot} RESET ALL"),
            FindingCode::RoleChanged,
        ),
    ] {
        superuser(&sql).await.unwrap();
        assert_eq!(codes(&found(&test, "acme").await), [code], "{sql}");
        let report = test
            .service
            .repair_tenant(acme.tenant.clone())
            .await
            .unwrap();
        assert_eq!(report.findings, [], "{sql}");
        assert!(Application::enter(&url).await.is_ok(), "{sql}");
    }
    forget(&test, &globex).await;
    let orphans = test.service.check_orphans().await.unwrap();
    assert_eq!(codes(&orphans), [FindingCode::DatabaseOrphaned]);
    assert_eq!(test.service.prune_orphans().await.unwrap(), 1);
    assert!(test.service.check_all(|_, _| {}).await.unwrap().is_sound());
    assert!(try_in(&test, Some("acme"), ADA, PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_in_schemas_are_checked_and_repaired() {
    kept_apart(Isolation::Schema).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_in_shared_tables_are_checked_and_repaired() {
    kept_apart(Isolation::Shared).await;
}
