//! Each kind of damage, done by hand, is found under its own name, and a sound fleet has none.

use std::path::Path;

use tenantry_core::finding::{Finding, FindingCode};
use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantView;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, OTHER, id, start, try_in};

pub(crate) fn codes(findings: &[Finding]) -> Vec<FindingCode> {
    findings.iter().map(|finding| finding.code).collect()
}

/// What a check of the tenant finds.
pub(crate) async fn found(test: &TestService, slug: &str) -> Vec<Finding> {
    let view = test.service.find_tenant(slug).await.unwrap();
    let report = test.service.check_tenant(view.tenant).await.unwrap();
    report.findings
}

/// Two sound tenants, in a process that has none of their databases open.
pub(crate) async fn fleet(driver: Driver) -> (TestService, TenantView, TenantView) {
    let first = start(driver).await;
    let acme = first.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let globex = first.make_tenant("globex", ADA, OTHER).await.unwrap();
    first.service.close().await;
    let test = first.beside(Faults::none()).await.unwrap();
    (test, acme, globex)
}

async fn a_sound_fleet_has_no_findings(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    for slug in ["acme", "globex"] {
        assert_eq!(found(&test, slug).await, []);
    }
    test.service.suspend_tenant(id(&acme)).await.unwrap();
    assert_eq!(found(&test, "acme").await, []);
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    assert_eq!(found(&test, "acme").await, []);
    test.service.restore_tenant(id(&acme)).await.unwrap();
    assert_eq!(found(&test, "acme").await, []);
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
}

/// Replaces a file as a careless hand would: another file under the same name.
fn put(path: &Path, content: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}

async fn expect_unusable(test: &TestService, at: &str) {
    let signed_in = try_in(test, Some("acme"), ADA, PASSWORD).await;
    refused!(signed_in, Refusal::TenantUnavailable, at);
    // One tenant's trouble is its own.
    assert!(try_in(test, Some("globex"), ADA, OTHER).await.is_ok());
    assert!(try_in(test, None, ADA, OTHER).await.is_ok());
}

async fn damaged_files_are_found_and_let_nobody_in(driver: Driver) {
    type Damage = fn(&Path, &Path);
    let damages: [(FindingCode, Damage); 4] = [
        (FindingCode::DatabaseMissing, |acme, _| {
            std::fs::remove_file(acme).unwrap();
        }),
        (FindingCode::DatabaseUnreadable, |acme, _| {
            put(acme, &[b'x'; 8192]);
        }),
        (FindingCode::SchemaMissing, |acme, _| put(acme, b"")),
        (FindingCode::StampForeign, |acme, globex| {
            put(acme, &std::fs::read(globex).unwrap());
        }),
    ];
    for (code, damage) in damages {
        let (test, acme, globex) = fleet(driver).await;
        let file = |view: &TenantView| test.tenant_file(id(view), view.tenant.generation);
        damage(&file(&acme), &file(&globex));
        let findings = found(&test, "acme").await;
        assert_eq!(codes(&findings), [code]);
        assert!(!findings[0].repairable);
        expect_unusable(&test, code.as_str()).await;
        assert_eq!(codes(&found(&test, "acme").await), [code], "found again");
        assert_eq!(found(&test, "globex").await, []);
    }
}

/// Also while the database is open, since a replaced file is noticed by its identity.
async fn a_file_that_is_replaced_while_open_lets_nobody_in(driver: Driver) {
    let (test, acme, globex) = fleet(driver).await;
    assert!(try_in(&test, Some("acme"), ADA, PASSWORD).await.is_ok());
    let file = |view: &TenantView| test.tenant_file(id(view), view.tenant.generation);
    put(&file(&acme), &std::fs::read(file(&globex)).unwrap());
    expect_unusable(&test, "replaced while open").await;
    assert_eq!(
        codes(&found(&test, "acme").await),
        [FindingCode::StampForeign]
    );
}

async fn damaged_stamps_are_found_and_let_nobody_in(driver: Driver) {
    for (code, sql) in [
        (FindingCode::StampMissing, "DELETE FROM tenantry_stamp"),
        (
            FindingCode::StampForeign,
            "UPDATE tenantry_stamp SET tenant_id = randomblob(16)",
        ),
        (
            FindingCode::StampForeign,
            "UPDATE tenantry_stamp SET generation = generation + 1",
        ),
        (
            FindingCode::SchemaNew,
            "UPDATE tenantry_stamp SET schema_version = 99",
        ),
    ] {
        let (test, acme, _) = fleet(driver).await;
        assert_eq!(test.damage_tenant(&acme, sql).await.unwrap(), 1);
        let findings = found(&test, "acme").await;
        assert_eq!(codes(&findings), [code], "{sql}");
        assert!(!findings[0].repairable);
        expect_unusable(&test, sql).await;
    }
}

/// A check looks and does not touch: what it found it finds again.
async fn an_old_schema_is_found_as_often_as_one_looks(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    let sql = "UPDATE tenantry_stamp SET schema_version = 0";
    test.damage_tenant(&acme, sql).await.unwrap();
    for _ in 0..2 {
        let findings = found(&test, "acme").await;
        assert_eq!(codes(&findings), [FindingCode::SchemaOld]);
        assert!(findings[0].repairable);
    }
}

async fn a_tenant_without_an_owner_is_found(driver: Driver) {
    for sql in [
        "UPDATE tenantry_users SET role = 'admin'",
        "UPDATE tenantry_users SET disabled_at = 1",
    ] {
        let (test, acme, _) = fleet(driver).await;
        test.damage_tenant(&acme, sql).await.unwrap();
        let findings = found(&test, "acme").await;
        assert_eq!(codes(&findings), [FindingCode::OwnerMissing], "{sql}");
        assert!(!findings[0].repairable);
    }
}

async fn a_directory_out_of_step_is_found(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    let tenant = test.control().literal(id(&acme).uuid());
    let stranger = test.control().literal(uuid::Uuid::from_u128(7));
    let other = octets(driver);
    for (code, sql) in [
        (
            FindingCode::DirectoryMissing,
            format!("UPDATE directory SET state = 'reserved' WHERE tenant_id = {tenant}"),
        ),
        (
            FindingCode::DirectoryExtra,
            format!("UPDATE directory SET address_hash = {other} WHERE tenant_id = {tenant}"),
        ),
        (
            FindingCode::DirectoryExtra,
            format!("UPDATE directory SET generation = 9 WHERE tenant_id = {tenant}"),
        ),
        (
            FindingCode::DirectoryExtra,
            format!(
                "INSERT INTO directory (tenant_id, user_id, generation, address_hash, kind, state, created_at)
                 SELECT tenant_id, {stranger}, 1, {other}, kind, state, 0 FROM directory
                 WHERE tenant_id <> {tenant}"
            ),
        ),
        (
            FindingCode::DirectoryMissing,
            format!("DELETE FROM directory WHERE tenant_id = {tenant}"),
        ),
    ] {
        test.control().damage(&sql).await.unwrap();
        let slug = if sql.starts_with("INSERT") { "globex" } else { "acme" };
        let findings = found(&test, slug).await;
        assert_eq!(codes(&findings), [code], "{sql}");
        assert!(findings[0].repairable);
        let view = test.service.find_tenant(slug).await.unwrap();
        let repaired = test.service.repair_tenant(view.tenant).await.unwrap();
        assert_eq!(repaired.findings, [], "{sql}");
        assert!(try_in(&test, None, ADA, PASSWORD).await.is_ok(), "{sql}");
    }
}

/// 32 octets as SQL writes them.
fn octets(driver: Driver) -> String {
    let digits = "07".repeat(32);
    match driver {
        Driver::Sqlite => format!("x'{digits}'"),
        Driver::Postgres => format!("'\\x{digits}'::bytea"),
    }
}

async fn a_missing_record_is_found(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    let tenant = test.control().literal(id(&acme).uuid());
    let sql = format!("DELETE FROM tenant_databases WHERE tenant_id = {tenant}");
    assert_eq!(test.control().damage(&sql).await.unwrap(), 1);
    let findings = found(&test, "acme").await;
    assert_eq!(codes(&findings), [FindingCode::RecordMissing]);
    assert!(findings[0].repairable);
    assert_eq!(test.service.check_orphans().await.unwrap(), []);

    let file = test.tenant_file(id(&acme), acme.tenant.generation);
    std::fs::remove_file(file).unwrap();
    let findings = found(&test, "acme").await;
    assert_eq!(
        codes(&findings),
        [FindingCode::RecordMissing, FindingCode::DatabaseMissing]
    );
    assert!(!findings[0].repairable, "there is nothing to make it from");
}

async fn work_that_stands_still_is_found(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    let faults = Faults::new(|kind, step, moment| {
        let here = (kind, step, moment) == ("recreate", "owner", Moment::BeforeForward);
        here.then_some(Fault::Fatal)
    });
    let broken = test.beside(faults).await.unwrap();
    let owner = TestService::new_tenant("acme", ADA, Some(OTHER))
        .unwrap()
        .owner;
    let recreated = broken.service.recreate_tenant(id(&acme), &owner).await;
    assert!(recreated.is_err());
    let findings = found(&test, "acme").await;
    assert_eq!(
        codes(&findings),
        [FindingCode::WorkflowStuck, FindingCode::ProvisioningFailed]
    );
    assert!(findings[0].detail.contains("tenantry workflow retry"));

    let runs = test.service.list_workflows(None, 10).await.unwrap();
    let stuck = runs.iter().find(|run| run.state == WorkflowState::Stuck);
    let stuck = stuck.unwrap().id;
    test.service.retry_workflow(stuck).await.unwrap();
    assert_eq!(found(&test, "acme").await, []);
    assert!(try_in(&test, Some("acme"), ADA, OTHER).await.is_ok());
}

on_both!(
    a_sound_fleet_has_no_findings,
    damaged_files_are_found_and_let_nobody_in,
    a_file_that_is_replaced_while_open_lets_nobody_in,
    damaged_stamps_are_found_and_let_nobody_in,
    an_old_schema_is_found_as_often_as_one_looks,
    a_tenant_without_an_owner_is_found,
    a_directory_out_of_step_is_found,
    a_missing_record_is_found,
    work_that_stands_still_is_found,
);
