//! A reader who is slow: between what it read and what it keeps, that is changed. The tenant's
//! database holds it there, with the table of people locked, and lets it go when the change is made.

use tenantry_core::Role;
use tenantry_core::session::{EndReason, SessionKind};
use tenantry_core::tenant::TenantStatus;
use tenantry_service::Refusal;
use tenantry_service::pin::PinShown;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::Credential;
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_testkit::cluster::Session;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Isolation, Options, PASSWORD, Tenants, TestService, client};

use crate::bench::Bench;
use crate::people::{ADA, IP, by_email, id, sign_in_twice};

/// Whether somebody waits for this table in this database.
fn waiting(table: &str, database: &str) -> String {
    format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND query LIKE '%{table}%' AND datname = '{database}'"
    )
}

async fn locked(test: &TestService, database: &str, table: &str) -> Session {
    let mut session = test.cluster().unwrap().session(database).await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE tenantry.{table} IN ACCESS EXCLUSIVE MODE");
    session.run(&lock).await.unwrap();
    session
}

fn on_a_server(options: Options) -> Options {
    options.with_tenants(Tenants::Cluster(Isolation::Database))
}

async fn a_slow_reader_writes_nothing_back(options: Options) {
    let test = TestService::start(on_a_server(options)).await.unwrap();
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let tenant = id(&view);
    let shown = test.service.find_tenant("acme").await.unwrap();
    let database = shown.database.unwrap().name;
    let active = TenantStatus::Active;
    assert_eq!(shown.tenant.status, active);
    for change in [
        "signed out",
        "sessions cleared",
        "suspended in the registry",
    ] {
        let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
        let mut session = locked(&test, &database, "tenantry_users").await;
        // It has read session and tenant by then, and waits for the person.
        let (service, cookie) = (test.service.clone(), ada.cookie.clone());
        let reading = tokio::spawn(async move {
            let cookie = Credential::Cookie(&cookie);
            service.authenticate(cookie, None).await.map(drop)
        });
        let waiting = waiting("tenantry_users", &database);
        test.cluster().unwrap().until(&waiting).await.unwrap();
        assert!(!reading.is_finished());
        match change {
            "signed out" => {
                let sessions = test.service.sessions_of(&ada.person).await.unwrap();
                for session in sessions {
                    test.service.sign_out(&session.handle()).await.unwrap();
                }
            }
            "sessions cleared" => {
                test.service.end_tenant_sessions(tenant).await.unwrap();
            }
            _ => {
                let mut tx = test.service.control().begin().await.unwrap();
                let mut tenants = tx.tenants();
                let suspended = TenantStatus::Suspended;
                let changed = tenants.change_status(tenant, active, suspended).await;
                assert!(changed.unwrap());
                tx.commit().await.unwrap();
            }
        }
        session.run("COMMIT").await.unwrap();
        // It began before the change, and may be answered as of then.
        reading.await.unwrap().unwrap();
        // Whoever asks from now on is not.
        for _ in 0..3 {
            let cookie = Credential::Cookie(&ada.cookie);
            let answer = test.service.authenticate(cookie, None).await;
            refused!(answer, Refusal::SessionStale, change);
        }
    }
    let ended = test.service.session_counts().ended;
    let of = |reason| {
        ended
            .iter()
            .find(|(why, _)| *why == reason)
            .map(|(_, n)| *n)
    };
    assert_eq!(of(EndReason::Logout), Some(2));
    assert_eq!(of(EndReason::Tenant), Some(2));
}

/// The person's mark is taken before the person is read. Here the person was read, the table of devices is
/// waited for, and what the person may do is changed, of which only the person's mark tells.
async fn what_changes_about_a_person_meanwhile_counts(options: Options) {
    let bench = Bench::open(on_a_server(options)).await;
    let (test, service) = (&bench.test, bench.service());
    let shown = service.find_tenant("acme").await.unwrap();
    let database = shown.database.unwrap().name;
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    let pin = "480216";
    let till = "till@example.org";
    let user = bench.add(&ada, till, Role::Member).await;
    service.set_pin(&acting, user.id, Some(pin)).await.unwrap();
    let device = service.enrol_device(&acting, "Till").await.unwrap();
    let shown = PinShown {
        pin,
        device_token: device.token.expose(),
    };
    let client = client(SessionKind::Browser, IP);
    let login = by_email(till);
    let signed_in = service.sign_in_with_pin(&Resolved::None, &login, shown, &client);
    let cookie = signed_in.await.unwrap().1.token.expose().clone();

    let mut session = locked(test, &database, "tenantry_devices").await;
    let reading = tokio::spawn({
        let (service, cookie) = (service.clone(), cookie.clone());
        async move {
            let cookie = Credential::Cookie(&cookie);
            service.authenticate(cookie, None).await.map(drop)
        }
    });
    let waiting = waiting("tenantry_devices", &database);
    test.cluster().unwrap().until(&waiting).await.unwrap();
    let out = StaffChange {
        disabled: Some(true),
        ..StaffChange::default()
    };
    service.change_staff(&acting, user.id, out).await.unwrap();
    assert!(!reading.is_finished());
    session.run("COMMIT").await.unwrap();
    // It began before the change, and may be answered as of then.
    reading.await.unwrap().unwrap();
    for _ in 0..3 {
        let answer = service.authenticate(Credential::Cookie(&cookie), None);
        refused!(answer.await, Refusal::SessionStale);
    }
}

on_each_session_driver!(
    a_slow_reader_writes_nothing_back,
    what_changes_about_a_person_meanwhile_counts,
);
