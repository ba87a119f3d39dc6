//! Repair mends what can be mended without guessing and leaves the rest as it is; pruning removes
//! what is surely ours and nothing else.

use tenantry_core::finding::FindingCode;
use tenantry_core::{Generation, TenantId};
use tenantry_saga::Faults;
use tenantry_service::tenants::TenantView;
use tenantry_store::files::database_name;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::check::{codes, fleet, found};
use crate::people::{ADA, OTHER, id, start, try_in};

/// The registry and the people of a tenant, to see whether anything changed.
async fn state(test: &TestService, view: &TenantView) -> (Vec<String>, Vec<u8>) {
    let file = test.tenant_file(id(view), view.tenant.generation);
    let people = std::fs::read(file).unwrap_or_default();
    (test.control().dump().await.unwrap(), people)
}

async fn repair(test: &TestService) -> Vec<FindingCode> {
    let view = test.service.find_tenant("acme").await.unwrap();
    let report = test.service.repair_tenant(view.tenant).await.unwrap();
    codes(&report.findings)
}

async fn what_can_be_mended_is_and_stays_so(driver: Driver) {
    let registry = [
        "DELETE FROM tenant_databases WHERE tenant_id = $T",
        "DELETE FROM directory WHERE tenant_id = $T",
        "UPDATE directory SET state = 'reserved' WHERE tenant_id = $T",
        "UPDATE directory SET generation = 7 WHERE tenant_id = $T",
    ];
    let people = ["UPDATE tenantry_stamp SET schema_version = 0"];
    for (sql, in_registry) in registry
        .into_iter()
        .map(|sql| (sql, true))
        .chain(people.into_iter().map(|sql| (sql, false)))
    {
        let (test, acme, globex) = fleet(driver).await;
        if in_registry {
            let sql = sql.replace("$T", &test.control().literal(id(&acme).uuid()));
            test.control().damage(&sql).await.unwrap();
        } else {
            test.damage_tenant(&acme, sql).await.unwrap();
        }
        assert_eq!(found(&test, "acme").await.len(), 1, "{sql}");
        let others = state(&test, &globex).await.1;
        assert_eq!(repair(&test).await, [], "{sql}");
        assert!(try_in(&test, None, ADA, PASSWORD).await.is_ok(), "{sql}");
        assert_eq!(state(&test, &globex).await.1, others);

        test.service.close().await;
        let next = test.beside(Faults::none()).await.unwrap();
        let mended = state(&next, &acme).await;
        assert_eq!(repair(&next).await, [], "{sql}");
        assert!(
            state(&next, &acme).await == mended,
            "a second repair changes nothing: {sql}"
        );
    }
}

async fn what_would_be_a_guess_is_left_as_it_is(driver: Driver) {
    for (code, sql) in [
        (FindingCode::StampMissing, "DELETE FROM tenantry_stamp"),
        (
            FindingCode::StampForeign,
            "UPDATE tenantry_stamp SET tenant_id = randomblob(16)",
        ),
        (
            FindingCode::SchemaNew,
            "UPDATE tenantry_stamp SET schema_version = 99",
        ),
        (
            FindingCode::OwnerMissing,
            "UPDATE tenantry_users SET role = 'member'",
        ),
    ] {
        let (test, acme, _) = fleet(driver).await;
        test.damage_tenant(&acme, sql).await.unwrap();
        let before = state(&test, &acme).await;
        assert_eq!(repair(&test).await, [code]);
        assert!(state(&test, &acme).await == before, "{sql}");
    }
    let (test, acme, _) = fleet(driver).await;
    let file = test.tenant_file(id(&acme), acme.tenant.generation);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(repair(&test).await, [FindingCode::DatabaseMissing]);
    assert!(!file.exists(), "nothing is made up");
}

/// A file of another tenant in the place of this one's is nobody's to write a record for.
async fn a_record_is_not_made_from_a_foreign_file(driver: Driver) {
    let (test, acme, globex) = fleet(driver).await;
    let file = |view: &TenantView| test.tenant_file(id(view), view.tenant.generation);
    std::fs::copy(file(&globex), file(&acme)).unwrap();
    let tenant = test.control().literal(id(&acme).uuid());
    let sql = format!("DELETE FROM tenant_databases WHERE tenant_id = {tenant}");
    test.control().damage(&sql).await.unwrap();
    let left = repair(&test).await;
    assert!(left.contains(&FindingCode::StampForeign), "{left:?}");
    assert!(left.contains(&FindingCode::RecordMissing), "{left:?}");
}

async fn pruning_removes_only_what_is_surely_ours(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let gone = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let kept = test.tenant_files().unwrap();
    test.service.close().await;
    let test = test.beside(Faults::none()).await.unwrap();
    let globex = test.control().literal(id(&gone).uuid());
    for table in ["directory", "tenant_databases"] {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = {globex}");
        test.control().damage(&sql).await.unwrap();
    }
    let sql = format!("DELETE FROM tenants WHERE id = {globex}");
    test.control().damage(&sql).await.unwrap();

    let folder = test.data_dir().join("tenants");
    let ours = database_name(id(&gone), Generation::FIRST);
    let stranger = database_name(
        TenantId::from_uuid(uuid::Uuid::from_u128(7)),
        Generation::FIRST,
    );
    let file = |name: &str| folder.join(name);
    // Another tenant's content under a name like ours, an unreadable one, one that never was ours,
    // and what an interrupted creation leaves.
    std::fs::copy(file(&format!("{ours}.db")), file(&format!("{stranger}.db"))).unwrap();
    let garbage = database_name(
        TenantId::from_uuid(uuid::Uuid::from_u128(8)),
        Generation::FIRST,
    );
    std::fs::write(file(&format!("{garbage}.db")), "not a database").unwrap();
    std::fs::write(file("notes.txt"), "mine").unwrap();
    let cut_off = format!("{}.tmp", database_name(id(&gone), Generation::FIRST.next()));
    std::fs::write(file(&cut_off), "half").unwrap();

    let findings = test.service.check_orphans().await.unwrap();
    assert!(
        findings
            .iter()
            .all(|finding| finding.code == FindingCode::DatabaseOrphaned)
    );
    let repairable = |yes: bool| {
        findings
            .iter()
            .filter(|finding| finding.repairable == yes)
            .count()
    };
    assert_eq!((repairable(true), repairable(false)), (2, 3));
    assert_eq!(test.service.prune_orphans().await.unwrap(), 2);
    assert_eq!(test.service.prune_orphans().await.unwrap(), 0);
    assert_eq!(test.service.check_orphans().await.unwrap().len(), 3);
    for name in [
        format!("{stranger}.db"),
        format!("{garbage}.db"),
        "notes.txt".to_owned(),
    ] {
        assert!(file(&name).exists(), "{name}");
    }
    for name in [format!("{ours}.db"), cut_off] {
        assert!(!file(&name).exists(), "{name}");
    }
    assert!(kept.iter().any(|name| name.starts_with(&ours)));
    assert!(try_in(&test, Some("acme"), ADA, PASSWORD).await.is_ok());
}

on_both!(
    what_can_be_mended_is_and_stays_so,
    what_would_be_a_guess_is_left_as_it_is,
    a_record_is_not_made_from_a_foreign_file,
    pruning_removes_only_what_is_surely_ours,
);
