//! What is done without anybody asking: every tenant is looked at now and then by one process, and
//! incomplete ones are announced once.

use std::time::Duration;

use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Isolation;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, RECONCILE, Tenants, TestService};

use crate::check::{codes, fleet, found};
use crate::people::{ADA, OTHER, id, try_in};

const MINUTE: Duration = Duration::from_mins(1);

/// What is recorded: each kind with the tenant it is about.
async fn recorded(test: &TestService) -> Vec<(FindingCode, Option<tenantry_core::TenantId>)> {
    let listed = test.service.list_findings((0, 0), 100).await.unwrap();
    let findings = listed.into_iter().map(|recorded| recorded.finding);
    findings
        .map(|finding| (finding.code, finding.tenant))
        .collect()
}

async fn a_pass_records_what_it_finds(driver: Driver) {
    let (test, acme, globex) = fleet(driver).await;
    assert_eq!(test.service.overview().last, None);
    assert_eq!(test.service.reconcile().await.unwrap(), 2);
    assert_eq!(recorded(&test).await, []);
    let last = test.service.overview().last.unwrap();
    assert_eq!(
        (last.tenants, last.next_at),
        (2, test.clock.now() + RECONCILE)
    );

    let tenant = test.control().literal(id(&acme).uuid());
    let sql = format!("DELETE FROM directory WHERE tenant_id = {tenant}");
    test.control().damage(&sql).await.unwrap();
    std::fs::write(test.data_dir().join("tenants").join("notes.txt"), "mine").unwrap();
    assert_eq!(test.service.reconcile().await.unwrap(), 0, "it is not due");
    assert_eq!(recorded(&test).await, []);
    test.clock.advance(RECONCILE);
    assert_eq!(test.service.reconcile().await.unwrap(), 2);
    let expected = [
        (FindingCode::DirectoryMissing, Some(id(&acme))),
        (FindingCode::DatabaseOrphaned, None),
    ];
    assert_eq!(recorded(&test).await, expected);
    assert_eq!(
        test.service.overview().findings,
        [
            (FindingCode::DatabaseOrphaned, 1),
            (FindingCode::DirectoryMissing, 1)
        ]
    );
    assert_eq!(
        codes(&found(&test, "acme").await),
        [expected[0].0],
        "nothing was mended"
    );

    let view = test.service.find_tenant("acme").await.unwrap();
    test.service.repair_tenant(view.tenant).await.unwrap();
    assert_eq!(recorded(&test).await, expected[1..]);
    test.clock.advance(RECONCILE);
    assert_eq!(test.service.reconcile().await.unwrap(), 2);
    assert_eq!(recorded(&test).await, expected[1..]);
    // What was found goes with whom it was found about.
    let tenant = test.control().literal(id(&globex).uuid());
    let sql = format!("DELETE FROM directory WHERE tenant_id = {tenant}");
    test.control().damage(&sql).await.unwrap();
    test.clock.advance(RECONCILE);
    test.service.reconcile().await.unwrap();
    assert_eq!(recorded(&test).await.len(), 2);
    test.service.delete_tenant(id(&globex), true).await.unwrap();
    assert_eq!(recorded(&test).await, expected[1..]);
}

async fn one_process_at_a_time(driver: Driver) {
    let (test, _, _) = fleet(driver).await;
    let beside = test.beside(Faults::none()).await.unwrap();
    for _ in 0..5 {
        let (here, there) = tokio::join!(test.service.reconcile(), beside.service.reconcile());
        assert_eq!(
            here.unwrap() + there.unwrap(),
            2,
            "one of them and not both"
        );
        test.clock.advance(RECONCILE);
    }
    // One that died in the middle is waited for, and not for ever.
    let now = test.clock.now();
    let mut tx = test.service.control().begin().await.unwrap();
    let claimed = tx.reconciler().claim(now, now + MINUTE).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claimed.is_some());
    assert_eq!(beside.service.reconcile().await.unwrap(), 0);
    test.clock.advance(MINUTE);
    assert_eq!(beside.service.reconcile().await.unwrap(), 2);
}

async fn what_a_crash_left_in_the_directory_is_settled(driver: Driver) {
    let (test, acme, globex) = fleet(driver).await;
    let made = test.clock.now();
    let (acme, globex) = (id(&acme).uuid(), id(&globex).uuid());
    let stranger = test.control().literal(uuid::Uuid::from_u128(7));
    let (acme, globex) = (test.control().literal(acme), test.control().literal(globex));
    let hash = match driver {
        Driver::Sqlite => format!("x'{}'", "07".repeat(32)),
        Driver::Postgres => format!("'\\x{}'::bytea", "07".repeat(32)),
    };
    for sql in [
        // The row came and the confirmation did not.
        format!("UPDATE directory SET state = 'reserved' WHERE tenant_id = {acme}"),
        // The row never came.
        format!(
            "INSERT INTO directory (tenant_id, user_id, generation, address_hash, kind, state, created_at)
             VALUES ({globex}, {stranger}, 1, {hash}, 'staff', 'reserved', {})",
            made.micros()
        ),
    ] {
        test.control().damage(&sql).await.unwrap();
    }
    let counts = async || {
        let count = async |what: &str| {
            let sql = format!("SELECT COUNT(*) FROM directory WHERE {what}");
            test.control().number(&sql).await.unwrap()
        };
        (
            count("state = 'reserved'").await,
            count("state = 'confirmed'").await,
        )
    };
    assert_eq!(counts().await, (2, 1));
    test.clock.set(made + MINUTE * 9);
    test.service.reconcile().await.unwrap();
    assert_eq!(
        counts().await,
        (2, 1),
        "whoever reserved them may still be at it"
    );
    assert_eq!(recorded(&test).await.len(), 2);
    test.clock.set(made + MINUTE * 10 + RECONCILE);
    test.service.reconcile().await.unwrap();
    assert_eq!(counts().await, (0, 2));
    assert_eq!(recorded(&test).await, []);
    assert!(try_in(&test, None, ADA, PASSWORD).await.is_ok());
    assert!(try_in(&test, None, ADA, OTHER).await.is_ok());
}

async fn an_incomplete_tenant_is_announced_once(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    assert_eq!(test.service.watch_incomplete().await.unwrap(), 0);
    let faults = Faults::new(|kind, step, moment| {
        let here = (kind, step, moment) == ("recreate", "owner", Moment::BeforeForward);
        here.then_some(Fault::Fatal)
    });
    let broken = test.beside(faults).await.unwrap();
    let owner = TestService::new_tenant("acme", ADA, Some(OTHER))
        .unwrap()
        .owner;
    assert!(
        broken
            .service
            .recreate_tenant(id(&acme), &owner)
            .await
            .is_err()
    );
    let (here, there) = tokio::join!(
        test.service.watch_incomplete(),
        broken.service.watch_incomplete()
    );
    assert_eq!(here.unwrap() + there.unwrap(), 1, "one process says so");
    assert_eq!(
        test.service.watch_incomplete().await.unwrap(),
        0,
        "not again"
    );
    assert_eq!(test.service.overview().incomplete, 1);
    let incomplete = test.service.incomplete_tenants().await.unwrap();
    assert_eq!(incomplete.len(), 1);
    assert_eq!(incomplete[0].tenant.id, id(&acme));
    assert!(!incomplete[0].why.is_empty());

    let run = incomplete[0].workflow.unwrap();
    test.service.retry_workflow(run).await.unwrap();
    assert_eq!(test.service.watch_incomplete().await.unwrap(), 0);
    assert_eq!(test.service.overview().incomplete, 0);
    assert!(test.service.incomplete_tenants().await.unwrap().is_empty());
}

async fn a_tenant_in_the_making_for_too_long_is_incomplete(driver: Driver) {
    let (test, acme, _) = fleet(driver).await;
    let begun = test.clock.now();
    let tenant = test.control().literal(id(&acme).uuid());
    let making = format!("UPDATE tenants SET status = 'provisioning' WHERE id = {tenant}");
    test.control().damage(&making).await.unwrap();
    assert_eq!(
        codes(&found(&test, "acme").await),
        [FindingCode::ProvisioningStalled],
        "nobody is at it"
    );
    let run = test.control().literal(uuid::Uuid::from_u128(7));
    let running = format!(
        "INSERT INTO workflows (id, kind, version, tenant_id, state, params, attempts, next_run_at,
            lease_until, fence, created_at)
         VALUES ({run}, 'provision', 2, {tenant}, 'running', '{{}}', 1, 0, 0, 0, {})",
        begun.micros()
    );
    test.control().damage(&running).await.unwrap();
    test.clock
        .set(begun + MINUTE * 10 - Duration::from_micros(1));
    assert_eq!(found(&test, "acme").await, []);
    assert_eq!(test.service.watch_incomplete().await.unwrap(), 0);
    test.clock.set(begun + MINUTE * 10);
    assert_eq!(
        codes(&found(&test, "acme").await),
        [FindingCode::ProvisioningStalled]
    );
    assert_eq!(test.service.watch_incomplete().await.unwrap(), 1);
}

on_both!(
    a_pass_records_what_it_finds,
    one_process_at_a_time,
    what_a_crash_left_in_the_directory_is_settled,
    an_incomplete_tenant_is_announced_once,
    a_tenant_in_the_making_for_too_long_is_incomplete,
);

/// The background worker does it by itself, with tenants on a server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_reconciles_by_itself() {
    let options = Options::postgres().with_tenants(Tenants::Cluster(Isolation::Database));
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.control()
        .damage("DELETE FROM directory")
        .await
        .unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = test.service.clone();
    let working = tokio::spawn(async move {
        service
            .work(async {
                let _ = stopped.await;
            })
            .await;
    });
    let found = "SELECT COUNT(*) FROM findings WHERE code = 'directory_missing'";
    test.control().until(found).await.unwrap();
    stop.send(()).unwrap();
    working.await.unwrap();
}
