//! Applications get in while their tenant is active, with what they had, and at no other time.

use std::time::Duration;

use tenantry_core::credential::CredentialState;
use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Isolation;
use tenantry_core::workflow::LogEvent;
use tenantry_core::{TenantId, TenantStatus};
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::credentials::Access;
use tenantry_testkit::cluster::{Application, number, superuser};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, LEASE, Place, RECONCILE, TestService};

use super::{drain, enter, rotate, start, start_with, states, wait};
use crate::check::{codes, found};
use crate::people::id;

async fn expect_out(access: &[&Access]) {
    for access in access {
        assert!(enter(access).await.is_err(), "{} gets in", access.user);
    }
}

async fn expect_in(access: &[&Access]) {
    for access in access {
        enter(access).await.unwrap();
    }
}

async fn expect_sound(test: &TestService) {
    for slug in ["acme", "globex"] {
        if test.service.find_tenant(slug).await.is_ok() {
            assert_eq!(found(test, slug).await, [], "{slug}");
        }
    }
}

async fn is_cut(session: &mut Application) -> bool {
    session.run("SELECT 1").await.is_err()
}

/// Both logins of one that is changing them, beside a tenant that notices nothing.
async fn a_status_opens_and_closes(isolation: Isolation) {
    let (test, acme) = start_with(Driver::Postgres, isolation).await;
    let service = &test.service;
    let other = test
        .make_tenant("globex", "bob@example.org", "correct horse battery")
        .await
        .unwrap();
    let theirs = rotate(service, id(&other)).await.unwrap();
    let mut neighbour = enter(&theirs).await.unwrap();
    let old = rotate(service, acme).await.unwrap();
    let new = rotate(service, acme).await.unwrap();
    let mut app = enter(&new).await.unwrap();
    app.run("CREATE TABLE orders (id BIGINT); INSERT INTO orders VALUES (1)")
        .await
        .unwrap();
    let mut sessions = [enter(&old).await.unwrap(), app];

    service.suspend_tenant(acme).await.unwrap();
    for session in &mut sessions {
        assert!(is_cut(session).await, "whoever is in has to go");
    }
    expect_out(&[&old, &new]).await;
    expect_sound(&test).await;
    assert!(!is_cut(&mut neighbour).await);
    refused!(rotate(service, acme).await, Refusal::Conflict(_));

    service.resume_tenant(acme).await.unwrap();
    expect_in(&[&old, &new]).await;
    expect_sound(&test).await;
    let mut app = enter(&new).await.unwrap();
    let orders = app.text("SELECT COUNT(*)::text FROM orders").await;
    assert_eq!(orders.unwrap(), "1", "nothing is lost");

    // What ends meanwhile does not come back.
    service.suspend_tenant(acme).await.unwrap();
    drain(&test).await;
    service.resume_tenant(acme).await.unwrap();
    expect_out(&[&old]).await;
    expect_in(&[&new]).await;
    expect_sound(&test).await;

    let mut session = enter(&new).await.unwrap();
    service.delete_tenant(acme, false).await.unwrap();
    assert!(is_cut(&mut session).await);
    expect_out(&[&old, &new]).await;
    expect_sound(&test).await;
    // The next life has roles of its own, and what an earlier one handed out counts no more.
    service.restore_tenant(acme).await.unwrap();
    expect_out(&[&old, &new]).await;
    let restored = rotate(service, acme).await.unwrap();
    let mut app = enter(&restored).await.unwrap();
    let orders = app.text("SELECT COUNT(*)::text FROM orders").await;
    assert_eq!(orders.unwrap(), "1");
    expect_in(&[&theirs]).await;
    expect_sound(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_opens_and_closes_a_database() {
    a_status_opens_and_closes(Isolation::Database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_opens_and_closes_a_schema() {
    a_status_opens_and_closes(Isolation::Schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_opens_and_closes_in_common_tables() {
    a_status_opens_and_closes(Isolation::Shared).await;
}

/// A process that dies between writing the status and doing what follows from it.
async fn set_status(test: &TestService, to: TenantStatus) {
    let sql = format!("UPDATE tenants SET status = '{to}'");
    assert_eq!(test.control().damage(&sql).await.unwrap(), 1);
}

async fn what_a_crash_left_is_found_and_mended(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let access = rotate(&test.service, tenant).await.unwrap();
    for by_hand in [true, false] {
        for (to, code) in [
            (TenantStatus::Suspended, FindingCode::LoginOpen),
            (TenantStatus::Active, FindingCode::LoginClosed),
        ] {
            set_status(&test, to).await;
            let findings = found(&test, "acme").await;
            assert_eq!(codes(&findings), [code], "{findings:?}");
            assert!(findings[0].repairable);
            if by_hand {
                let view = test.service.find_tenant("acme").await.unwrap();
                let report = test.service.repair_tenant(view.tenant).await.unwrap();
                assert_eq!(report.findings, []);
            } else {
                test.clock.advance(RECONCILE);
                assert_eq!(test.service.reconcile().await.unwrap(), 1);
                let recorded = test.service.list_findings((0, 0), 10).await.unwrap();
                assert!(recorded.is_empty(), "{recorded:?}");
            }
            assert_eq!(found(&test, "acme").await, []);
            let lets_in = to == TenantStatus::Active;
            assert_eq!(enter(&access).await.is_ok(), lets_in, "{to}");
        }
    }
}

/// What somebody else did to a login is an operator's to judge, not the reconciler's.
async fn a_login_that_others_closed_is_left_to_an_operator(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let access = rotate(&test.service, tenant).await.unwrap();
    superuser(&format!("ALTER ROLE \"{}\" NOLOGIN", access.user))
        .await
        .unwrap();
    test.clock.advance(RECONCILE);
    assert_eq!(test.service.reconcile().await.unwrap(), 1);
    expect_out(&[&access]).await;
    assert_eq!(
        codes(&found(&test, "acme").await),
        [FindingCode::RoleDisabled]
    );
}

async fn a_server_that_was_away_follows_later(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let access = rotate(&test.service, tenant).await.unwrap();
    let admin = test.cluster().unwrap().admin();
    let refuse = format!("ALTER ROLE {admin} NOCREATEROLE");
    let allow = format!("ALTER ROLE {admin} CREATEROLE");
    for suspended in [true, false] {
        superuser(&refuse).await.unwrap();
        let changed = if suspended {
            test.service.suspend_tenant(tenant).await
        } else {
            test.service.resume_tenant(tenant).await
        };
        let to = changed.unwrap().tenant.status;
        test.clock.advance(RECONCILE);
        assert_eq!(test.service.reconcile().await.unwrap(), 1);
        assert_eq!(enter(&access).await.is_ok(), suspended, "{to}: as before");
        assert_eq!(found(&test, "acme").await.len(), 1, "{to}");
        superuser(&allow).await.unwrap();
        // A hold that was left behind runs out.
        test.clock.advance(RECONCILE);
        assert_eq!(test.service.reconcile().await.unwrap(), 1);
        assert_eq!(enter(&access).await.is_ok(), !suspended, "{to}");
        assert_eq!(found(&test, "acme").await, [], "{to}");
    }
}

/// However two nodes come across each other, in the end the logins are as the status says.
async fn of_several_at_once_the_last_counts(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let access = rotate(&test.service, tenant).await.unwrap();
    for round in 0..10 {
        let (one, two) = tokio::join!(
            test.service.suspend_tenant(tenant),
            other.service.resume_tenant(tenant)
        );
        assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
        let status = test.service.view(tenant).await.unwrap().tenant.status;
        assert_eq!(found(&test, "acme").await, [], "{round} {status}");
        let lets_in = status == TenantStatus::Active;
        assert_eq!(enter(&access).await.is_ok(), lets_in, "{round} {status}");
        if lets_in {
            test.service.suspend_tenant(tenant).await.unwrap();
        }
    }
}

/// How many of the tenant's logins may sign in, by the server's own account.
async fn open_logins(tenant: TenantId) -> i64 {
    number(&format!(
        "SELECT COUNT(*) FROM pg_roles WHERE rolcanlogin AND rolname ~ '^t_{}_g1_[ab]$'",
        tenant.short()
    ))
    .await
    .unwrap()
}

/// A change that was begun before the tenant was suspended opens nothing after it.
async fn a_rotation_opens_no_suspended_tenant(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let mut known = rotate(&test.service, tenant).await.unwrap();
    for step in ["prepare", "set_password", "try_sign_in"] {
        let place = Place {
            kind: "rotate".to_owned(),
            step: step.to_owned(),
            event: LogEvent::Succeeded,
        };
        let (faults, reached) = place.halt(|_, _, _| None);
        let dying = test.beside(faults).await.unwrap();
        let acting = tokio::spawn(async move { rotate(&dying.service, tenant).await.map(drop) });
        let came = tokio::time::timeout(Duration::from_secs(30), reached.wait());
        came.await.unwrap();
        acting.abort();
        test.service.suspend_tenant(tenant).await.unwrap();
        assert_eq!(open_logins(tenant).await, 0, "{step}");
        test.clock.advance(LEASE);
        test.settle().await.unwrap();
        assert_eq!(open_logins(tenant).await, 0, "{step}");
        let switched = states(&test.service, tenant).await[0].1;
        assert_eq!(switched, CredentialState::Retiring, "{step}");
        assert_eq!(found(&test, "acme").await, [], "{step}");
        test.service.resume_tenant(tenant).await.unwrap();
        expect_in(&[&known]).await;
        known = rotate(&test.service, tenant).await.unwrap();
        expect_in(&[&known]).await;
        drain(&test).await;
    }
}

/// A secret that was withdrawn before anybody was shown it need not work.
async fn one_that_was_withdrawn_is_not_missed(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let faults = Faults::new(|_, step, moment| {
        ((step, moment) == ("set_password", Moment::BeforeForward)).then_some(Fault::Fatal)
    });
    let failing = test.beside(faults).await.unwrap();
    assert!(rotate(&failing.service, tenant).await.is_err());
    assert_eq!(
        states(&test.service, tenant).await[0].1,
        CredentialState::Retiring
    );
    assert_eq!(found(&test, "acme").await, []);
}

/// Whoever ends a login has it to itself: a repair would open what is just being closed, or close
/// what the next change has opened.
async fn a_repair_leaves_a_login_that_is_being_ended(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let old = rotate(&test.service, tenant).await.unwrap();
    let new = rotate(&test.service, tenant).await.unwrap();
    let hold = Duration::from_mins(2);
    let until = (test.clock.now() + hold).micros();
    let claim =
        format!("UPDATE tenant_database_users SET held_until = {until} WHERE state = 'retiring'");
    assert_eq!(test.control().damage(&claim).await.unwrap(), 1);
    superuser(&format!(
        "ALTER ROLE \"{}\" NOLOGIN PASSWORD NULL",
        old.user
    ))
    .await
    .unwrap();
    let repaired = async || {
        let view = test.service.find_tenant("acme").await.unwrap();
        test.service
            .repair_tenant(view.tenant)
            .await
            .unwrap()
            .findings
    };
    let left = repaired().await;
    assert_eq!(codes(&left), [FindingCode::RoleDisabled]);
    assert!(left[0].detail.contains("another process"), "{left:?}");
    expect_out(&[&old]).await;
    expect_in(&[&new]).await;
    test.clock.advance(hold);
    assert_eq!(repaired().await, []);
    expect_in(&[&old, &new]).await;
    // A repair that is done keeps nobody waiting.
    let held = "SELECT COUNT(*) FROM tenant_database_users WHERE held_until IS NOT NULL";
    assert_eq!(test.control().number(held).await.unwrap(), 0);
    wait(rotate(&test.service, tenant).await);
    drain(&test).await;
    expect_in(&[&rotate(&test.service, tenant).await.unwrap()]).await;
}

on_both!(
    what_a_crash_left_is_found_and_mended,
    a_login_that_others_closed_is_left_to_an_operator,
    a_server_that_was_away_follows_later,
    of_several_at_once_the_last_counts,
    a_rotation_opens_no_suspended_tenant,
    one_that_was_withdrawn_is_not_missed,
    a_repair_leaves_a_login_that_is_being_ended,
);
