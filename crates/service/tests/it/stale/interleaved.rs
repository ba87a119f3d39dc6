//! A reader who is slow: between what it read and what it keeps, that is changed. The tenant's
//! database holds it there, with the table of people locked, and lets it go when the change is made.

use tenantry_core::session::EndReason;
use tenantry_core::tenant::TenantStatus;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::cluster::Session;
use tenantry_testkit::service::{Isolation, Options, PASSWORD, Tenants, TestService};

use crate::people::{ADA, id, sign_in_twice};

const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%tenantry_users%' AND datname = ";

async fn locked(test: &TestService, database: &str) -> Session {
    let mut session = test.cluster().unwrap().session(database).await.unwrap();
    let lock = "BEGIN; LOCK TABLE tenantry.tenantry_users IN ACCESS EXCLUSIVE MODE";
    session.run(lock).await.unwrap();
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_writes_nothing_back() {
    let there = Tenants::Cluster(Isolation::Database);
    let test = TestService::start(Options::postgres().with_tenants(there)).await;
    let test = test.unwrap();
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
        let mut session = locked(&test, &database).await;
        // It has read session and tenant by then, and waits for the person.
        let (service, cookie) = (test.service.clone(), ada.cookie.clone());
        let reading = tokio::spawn(async move {
            let cookie = Credential::Cookie(&cookie);
            service.authenticate(cookie, None).await.map(drop)
        });
        let waiting = format!("{WAITING} '{database}'");
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
