//! What happens to credentials as time goes by: the server changes its own, and owners are reminded
//! of theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_service::Service;
use tenantry_testkit::cluster::{number, superuser};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, TestService};

use super::{enter, rotate, start, states};
use crate::people::ADA;

const DAY: Duration = Duration::from_hours(24);

/// Another node, which changes the server's own credentials every thirty days and reminds owners
/// of theirs every ninety.
async fn node(test: &TestService) -> Service {
    let opened = test.open_otherwise(
        |settings| {
            settings.rotate_service = Some(30 * DAY);
            settings.rotate = Some(90 * DAY);
        },
        None,
    );
    opened.await.unwrap().unwrap()
}

/// Uses the tenant's database on a connection that is made for it.
async fn use_anew(service: &Service, tenant: TenantId) {
    // Nothing is idle long enough for the clock, so what is kept is closed by name.
    let view = service.view(tenant).await.unwrap();
    service.sweep().await.unwrap();
    let owners = service.rebuild_directory(&view.tenant).await;
    assert_eq!(owners.unwrap(), 1);
}

async fn own(service: &Service, tenant: TenantId) -> Vec<CredentialState> {
    let all = service.list_credentials(tenant).await.unwrap();
    all.into_iter()
        .filter(|one| one.slot == Slot::Service)
        .map(|one| one.state)
        .collect()
}

async fn the_server_changes_its_own(driver: Driver) {
    use CredentialState::{Active, Retired};
    let (test, tenant) = start(driver).await;
    let (one, two) = (node(&test).await, node(&test).await);
    for service in [&one, &two] {
        use_anew(service, tenant).await;
    }
    one.look_after_credentials().await.unwrap();
    assert_eq!(own(&one, tenant).await, [Active], "it is not old yet");
    for round in 1..4 {
        test.clock.advance(31 * DAY);
        one.look_after_credentials().await.unwrap();
        let mut states = vec![Active];
        states.resize(round + 1, Retired);
        assert_eq!(own(&one, tenant).await, states);
        for service in [&one, &two, &test.service] {
            use_anew(service, tenant).await;
        }
    }
    // A node for which it is switched off leaves them.
    test.clock.advance(31 * DAY);
    test.service.look_after_credentials().await.unwrap();
    assert_eq!(own(&one, tenant).await.len(), 4);
}

/// Both nodes get in whatever point the change has come to, and however long it stays there.
async fn a_change_that_stands_still_locks_nobody_out(driver: Driver) {
    use CredentialState::{Active, Pending, Retired};
    let (test, tenant) = start(driver).await;
    let (one, two) = (node(&test).await, node(&test).await);
    let role = one.list_credentials(tenant).await.unwrap()[0].user.clone();
    let admin = test.cluster().unwrap().admin();
    test.clock.advance(31 * DAY);
    // Recorded, and the role does not have it.
    superuser(&format!("ALTER ROLE {admin} NOCREATEROLE"))
        .await
        .unwrap();
    one.look_after_credentials().await.unwrap();
    assert_eq!(own(&one, tenant).await, [Pending, Active]);
    test.clock.advance(DAY);
    for service in [&one, &two] {
        use_anew(service, tenant).await;
    }
    // The role has it, and nobody could try it.
    superuser(&format!(
        "ALTER ROLE {admin} CREATEROLE; ALTER ROLE \"{role}\" CONNECTION LIMIT 0"
    ))
    .await
    .unwrap();
    for service in [&one, &two] {
        service.look_after_credentials().await.unwrap();
    }
    assert_eq!(own(&one, tenant).await, [Pending, Active]);
    superuser(&format!("ALTER ROLE \"{role}\" CONNECTION LIMIT 20"))
        .await
        .unwrap();
    test.clock.advance(DAY);
    for service in [&one, &two] {
        use_anew(service, tenant).await;
        let view = service.view(tenant).await.unwrap();
        let report = service.check_tenant(view.tenant).await.unwrap();
        assert_eq!(report.findings, []);
    }
    two.look_after_credentials().await.unwrap();
    assert_eq!(own(&one, tenant).await, [Active, Retired]);
    test.clock.advance(DAY);
    for service in [&one, &two] {
        use_anew(service, tenant).await;
    }
}

/// A node that connects all the time while the other changes the password all the time.
async fn a_node_that_connects_meanwhile_gets_in(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let (one, two) = (node(&test).await, node(&test).await);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let busy = tokio::spawn(async move {
        let mut times = 0;
        while !stopped.load(Ordering::SeqCst) {
            use_anew(&two, tenant).await;
            times += 1;
        }
        times
    });
    for _ in 0..60 {
        test.clock.advance(31 * DAY);
        one.look_after_credentials().await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    assert!(busy.await.unwrap() > 20);
    assert_eq!(own(&one, tenant).await.len(), 61);
    let live = number("SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'tenantry'");
    assert!(live.await.is_ok());
}

async fn an_owner_is_reminded(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let service = node(&test).await;
    let mails = async || {
        service.look_after_credentials().await.unwrap();
        test.mails().await.unwrap().len()
    };
    test.clock.advance(91 * DAY);
    assert_eq!(mails().await, 0, "there are none to change");
    let access = rotate(&service, tenant).await.unwrap();
    test.clock.advance(89 * DAY);
    assert_eq!(mails().await, 0);
    test.clock.advance(2 * DAY);
    assert_eq!(mails().await, 1);
    assert_eq!(mails().await, 1, "once");
    assert_eq!(test.mails().await.unwrap()[0].to, ADA);
    test.clock.advance(8 * DAY);
    assert_eq!(mails().await, 2, "and again when nothing was done");
    enter(&access).await.unwrap();
    assert_eq!(states(&service, tenant).await.len(), 1, "nothing changes");
    rotate(&service, tenant).await.unwrap();
    test.clock.advance(8 * DAY);
    assert_eq!(mails().await, 2);
}

on_both!(
    the_server_changes_its_own,
    a_change_that_stands_still_locks_nobody_out,
    a_node_that_connects_meanwhile_gets_in,
    an_owner_is_reminded,
);
