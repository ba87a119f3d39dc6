//! Changing the credentials of a tenant's applications, and the server's own, on a real server.

mod deaths;
mod links;
mod load;
mod own;
mod status;

use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::Isolation;
use tenantry_service::credentials::{Access, Reveal, Rotated};
use tenantry_service::{Refusal, Service};
use tenantry_testkit::cluster::Application;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{DRAIN, Driver, Options, PASSWORD, Tenants, TestService};

use crate::people::{ADA, id};

/// A tenant on a server, of which the registry lies there.
pub(crate) async fn start(driver: Driver) -> (TestService, TenantId) {
    start_with(driver, Isolation::Database).await
}

async fn start_with(driver: Driver, isolation: Isolation) -> (TestService, TenantId) {
    let options = Options::on(driver)
        .with_tenants(Tenants::Cluster(isolation))
        .without_rate_limits();
    let test = TestService::start(options).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    // So that what comes now is later.
    test.clock.advance(Duration::from_millis(1));
    (test, id(&view))
}

/// New credentials, now.
pub(crate) async fn rotate(service: &Service, tenant: TenantId) -> Result<Access, Refusal> {
    match service.rotate_credentials(tenant, Reveal::Now).await? {
        Rotated::Shown(access) => Ok(*access),
        Rotated::Mailed { .. } => panic!("they were to be shown"),
    }
}

/// Signs in with these credentials, or says why not.
pub(crate) async fn enter(access: &Access) -> Result<Application, String> {
    let entered = Application::enter(access.url.expose()).await;
    entered.map_err(|error| error.to_string())
}

/// What each of the applications' secrets has come to, the newest first.
pub(crate) async fn states(service: &Service, tenant: TenantId) -> Vec<(Slot, CredentialState)> {
    let all = service.list_credentials(tenant).await.unwrap();
    all.into_iter()
        .filter(|one| one.slot != Slot::Service)
        .map(|one| (one.slot, one.state))
        .collect()
}

/// How long the refusal says to wait.
pub(crate) fn wait<T>(outcome: Result<T, Refusal>) -> Duration {
    match outcome {
        Err(Refusal::ConflictFor(_, wait)) => wait,
        Err(other) => panic!("refused otherwise: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// Looks after credentials once the old ones' time is over.
pub(crate) async fn drain(test: &TestService) {
    test.clock.advance(DRAIN);
    test.service.look_after_credentials().await.unwrap();
}

async fn slots_take_turns(driver: Driver) {
    use CredentialState::{Active, Retired, Retiring};
    let (test, tenant) = start(driver).await;
    let service = &test.service;
    assert_eq!(states(service, tenant).await, [], "none before the first");
    let first = rotate(service, tenant).await.unwrap();
    assert!(first.old.is_none());
    assert_eq!(first.schema, "app");
    enter(&first).await.unwrap();
    assert_eq!(states(service, tenant).await, [(Slot::A, Active)]);

    test.clock.advance(Duration::from_secs(7));
    let second = rotate(service, tenant).await.unwrap();
    assert_ne!(first.user, second.user);
    let until = test.clock.now() + DRAIN;
    assert_eq!(second.old, Some((first.user.clone(), until)));
    for access in [&first, &second] {
        enter(access).await.unwrap();
    }
    assert_eq!(
        states(service, tenant).await,
        [(Slot::B, Active), (Slot::A, Retiring)]
    );
    test.clock.advance(DRAIN / 3);
    let refused = rotate(service, tenant).await;
    assert_eq!(wait(refused), DRAIN * 2 / 3);
    let refused = service.rotate_credentials(tenant, Reveal::ByMail).await;
    assert_eq!(wait(refused), DRAIN * 2 / 3);

    // Whoever asks once the time is over need not wait for the housekeeping.
    test.clock.advance(DRAIN * 2 / 3);
    let mut session = enter(&first).await.unwrap();
    let third = rotate(service, tenant).await.unwrap();
    assert_eq!(third.user, first.user);
    assert!(enter(&first).await.is_err(), "the password is another");
    assert!(session.run("SELECT 1").await.is_err(), "and sessions end");
    enter(&second).await.unwrap();
    enter(&third).await.unwrap();
    drain(&test).await;
    assert!(enter(&second).await.is_err());
    assert_eq!(
        states(service, tenant).await,
        [(Slot::A, Active), (Slot::B, Retired), (Slot::A, Retired)]
    );
    let listed = service.list_credentials(tenant).await.unwrap();
    assert_eq!(listed.last().unwrap().slot, Slot::Service);
    assert!(listed[1].retired_at.is_some());
}

async fn of_two_nodes_one_changes_them(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let other = test.beside(tenantry_saga::Faults::none()).await.unwrap();
    // The very first leaves none to drain, so a second right behind it is no second at once.
    rotate(&test.service, tenant).await.unwrap();
    for _ in 0..5 {
        let (one, two) = tokio::join!(
            rotate(&test.service, tenant),
            rotate(&other.service, tenant)
        );
        let (won, lost) = match (one, two) {
            (Ok(won), lost @ Err(_)) | (lost @ Err(_), Ok(won)) => (won, lost),
            (Ok(_), Ok(_)) => panic!("both changed them"),
            (Err(one), Err(two)) => panic!("neither did: {one:?}, {two:?}"),
        };
        wait(lost);
        enter(&won).await.unwrap();
        drain(&test).await;
        enter(&won).await.unwrap();
    }
}

async fn nobody_uses_the_old_ones_so_they_end_early(driver: Driver) {
    use CredentialState::{Active, Retired, Retiring};
    let (test, tenant) = start(driver).await;
    let service = &test.service;
    let first = rotate(service, tenant).await.unwrap();
    let old = enter(&first).await.unwrap();
    let second = rotate(service, tenant).await.unwrap();
    let look = async || {
        test.clock.advance(Duration::from_mins(1));
        service.look_after_credentials().await.unwrap();
        states(service, tenant).await[1].1
    };
    assert_eq!(look().await, Retiring, "nobody has the new ones yet");
    let new = enter(&second).await.unwrap();
    assert_eq!(look().await, Retiring, "somebody still has the old ones");
    old.leave().await.unwrap();
    until_left(&first).await;
    assert_eq!(look().await, Retiring, "seen for the first time");
    let back = enter(&first).await.unwrap();
    assert_eq!(look().await, Retiring, "somebody came back");
    back.leave().await.unwrap();
    until_left(&first).await;
    assert_eq!(look().await, Retiring);
    assert_eq!(look().await, Retired, "for a minute nobody was there");
    assert!(enter(&first).await.is_err());
    new.leave().await.unwrap();
    assert_eq!(states(service, tenant).await[0], (Slot::B, Active));
}

/// The server has noticed that a login's sessions are over.
async fn until_left(access: &Access) {
    let count = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = '{}'",
        access.user
    );
    while tenantry_testkit::cluster::number(&count).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
}

async fn other_work_takes_the_place_of_a_drain(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let service = &test.service;
    let first = rotate(service, tenant).await.unwrap();
    let second = rotate(service, tenant).await.unwrap();
    service.suspend_tenant(tenant).await.unwrap();
    for access in [&first, &second] {
        assert!(enter(access).await.is_err(), "nobody gets in");
    }
    service.resume_tenant(tenant).await.unwrap();
    for access in [&first, &second] {
        enter(access).await.unwrap();
    }
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    service.recreate_tenant(tenant, &owner).await.unwrap();
    for access in [&first, &second] {
        assert!(enter(access).await.is_err(), "of an earlier life");
    }
    assert_eq!(states(service, tenant).await, []);
    let third = rotate(service, tenant).await.unwrap();
    rotate(service, tenant).await.unwrap();
    service.delete_tenant(tenant, false).await.unwrap();
    refused!(rotate(service, tenant).await, Refusal::Conflict(_));
    assert!(enter(&third).await.is_err());
    drain(&test).await;
    assert_eq!(
        states(service, tenant).await.last().unwrap().1,
        CredentialState::Retired,
        "ended in its time all the same"
    );
    service.delete_tenant(tenant, true).await.unwrap();
    let left = test
        .control()
        .number("SELECT COUNT(*) FROM tenant_database_users");
    assert_eq!(left.await.unwrap(), 0);
    service.look_after_credentials().await.unwrap();
}

/// What the shown URL opens: the application's own schema, and people without a secret.
async fn the_shown_access_reaches_its_own_and_no_secret(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let access = rotate(&test.service, tenant).await.unwrap();
    let mut app = enter(&access).await.unwrap();
    app.run("CREATE TABLE orders (id BIGINT); INSERT INTO app.orders VALUES (1)")
        .await
        .unwrap();
    let email = app.text("SELECT email FROM users").await.unwrap();
    assert_eq!(email, ADA);
    let columns = app
        .text("SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_schema = 'app' AND table_name = 'users'")
        .await
        .unwrap();
    assert!(
        !columns.contains("hash") && !columns.contains("secret"),
        "{columns}"
    );
    for forbidden in [
        "SELECT password_hash FROM tenantry.tenantry_users",
        "UPDATE users SET email = 'eve@example.org'",
        "DROP VIEW users",
        "CREATE TABLE public.mine (id BIGINT)",
        "CREATE SCHEMA mine",
        "SET ROLE postgres",
    ] {
        assert!(app.run(forbidden).await.is_err(), "{forbidden}");
    }
    // What the application made stays its own when the slots change.
    let next = rotate(&test.service, tenant).await.unwrap();
    let mut app = enter(&next).await.unwrap();
    app.run("INSERT INTO orders VALUES (2); ALTER TABLE orders ADD note TEXT")
        .await
        .unwrap();
}

/// Where tenants share a database or tables, what is shown still opens one tenant's own.
async fn neighbours_rotate_too(isolation: Isolation) {
    const BOB: &str = "bob@example.org";
    let (test, acme) = start_with(Driver::Postgres, isolation).await;
    let other = test.make_tenant("globex", BOB, PASSWORD).await.unwrap();
    let first = rotate(&test.service, acme).await.unwrap();
    let others = rotate(&test.service, id(&other)).await.unwrap();
    assert_ne!(first.schema, others.schema);
    for (access, email) in [(&first, ADA), (&others, BOB)] {
        let mut app = enter(access).await.unwrap();
        app.run("CREATE TABLE orders (id BIGINT)").await.unwrap();
        let seen = app.text("SELECT string_agg(email, ' ') FROM users").await;
        assert_eq!(seen.unwrap(), email);
    }
    let mut app = enter(&first).await.unwrap();
    let theirs = format!("SELECT id FROM \"{}\".orders", others.schema);
    assert!(app.run(&theirs).await.is_err());
    let second = rotate(&test.service, acme).await.unwrap();
    drain(&test).await;
    assert!(enter(&first).await.is_err());
    let mut app = enter(&second).await.unwrap();
    app.run("INSERT INTO orders VALUES (1)").await.unwrap();
    enter(&others).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_in_one_database_rotate_too() {
    neighbours_rotate_too(Isolation::Schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_in_the_same_tables_rotate_too() {
    neighbours_rotate_too(Isolation::Shared).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_no_credentials() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for reveal in [Reveal::Now, Reveal::ByMail] {
        let outcome = test.service.rotate_credentials(id(&view), reveal).await;
        refused!(outcome, Refusal::Conflict(_));
    }
    let listed = test.service.list_credentials(id(&view)).await.unwrap();
    assert_eq!(listed, []);
    assert!(test.mails().await.unwrap().is_empty());
}

on_both!(
    slots_take_turns,
    of_two_nodes_one_changes_them,
    nobody_uses_the_old_ones_so_they_end_early,
    other_work_takes_the_place_of_a_drain,
    the_shown_access_reaches_its_own_and_no_secret,
);
