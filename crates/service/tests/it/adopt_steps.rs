//! Adopting a database that fails or dies anywhere: the database is as it was, or the tenant whole.

use std::sync::Arc;
use std::time::Duration;

use tenantry_core::TenantStatus;
use tenantry_core::workflow::LogEvent;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_testkit::cluster::FORMER_PASSWORD;
use tenantry_testkit::service::{Driver, LEASE, PASSWORD, Place, TestService};

use crate::adopt::{adopt, expect_as_before, expect_sound, former, start, with_people};
use crate::people::{ADA, id, one, try_in};

/// The entries of the newest run's log.
async fn places(test: &TestService) -> Vec<Place> {
    let runs = test.service.list_workflows(None, 1).await.unwrap();
    assert_eq!(runs[0].kind, "adopt");
    let (_, log) = test.service.find_workflow(runs[0].id).await.unwrap();
    let places = log.into_iter().map(|entry| Place {
        kind: "adopt".to_owned(),
        step: entry.step,
        event: entry.event,
    });
    places.collect()
}

fn moves(test: &TestService) {
    // So that the next run is the newest.
    test.clock.advance(Duration::from_millis(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undone_at_any_step_it_is_as_before() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    let before = database.dump().await.unwrap();
    let view = adopt(&test, with_people("uml", &database)).await.unwrap();
    let steps: Vec<String> = places(&test)
        .await
        .into_iter()
        .filter(|place| place.event == LogEvent::Started)
        .map(|place| place.step)
        .collect();
    assert!(
        steps.contains(&"import_people".to_owned()) && steps.len() == 12,
        "{steps:?}"
    );
    test.service.delete_tenant(id(&view), true).await.unwrap();
    for step in steps {
        moves(&test);
        let failing = step.clone();
        let mut faults = Faults::new(move |kind, step, moment| {
            let here = (kind, step, moment) == ("adopt", failing.as_str(), Moment::AfterForward);
            here.then_some(Fault::Fatal)
        });
        faults.twice = true;
        let broken = test.beside(faults).await.unwrap();
        assert!(
            adopt(&broken, with_people("uml", &database)).await.is_err(),
            "{step}"
        );
        expect_as_before(&database, &before, &step).await;
        assert!(test.service.find_tenant("uml").await.is_err(), "{step}");
        for table in [
            "tenants",
            "adopted_databases",
            "tenant_databases",
            "directory",
            "outbox",
        ] {
            let count = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(
                test.control().number(&count).await.unwrap(),
                0,
                "{table}, {step}"
            );
        }
        assert_eq!(test.service.check_orphans().await.unwrap(), [], "{step}");
    }
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_anywhere_is_followed() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    let before = database.dump().await.unwrap();
    let twice = test.beside(Faults::every_step_twice()).await.unwrap();
    let view = adopt(&twice, with_people("uml", &database)).await.unwrap();
    let report = test
        .service
        .adoption_report(id(&view))
        .await
        .unwrap()
        .unwrap();
    let mut all = places(&test).await;
    // After what was finished all is as when the next step has begun.
    all.retain(|place| place.event == LogEvent::Started);
    all.dedup();
    test.service.delete_tenant(id(&view), true).await.unwrap();
    for place in all {
        moves(&test);
        let at = format!("died after {} {}", place.step, place.event);
        let (faults, reached) = place.halt(|_, _, _| None);
        let dying = Arc::new(test.beside(faults).await.unwrap());
        let (acting, new) = (Arc::clone(&dying), with_people("uml", &database));
        let acting = tokio::spawn(async move { adopt(&acting, new).await.is_ok() });
        tokio::time::timeout(Duration::from_secs(30), reached.wait())
            .await
            .unwrap_or_else(|_| panic!("{at}: never came there"));
        acting.abort();
        test.clock.advance(LEASE);
        test.settle().await.unwrap();
        let view = test.service.find_tenant("uml").await.unwrap();
        assert_eq!(view.tenant.status, TenantStatus::Active, "{at}");
        let again = test
            .service
            .adoption_report(id(&view))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(again, report, "{at}");
        let signed_in = try_in(&test, Some("uml"), "grace@example.org", FORMER_PASSWORD).await;
        one(signed_in.unwrap());
        let token = test.setup_token_from_mail(ADA).await.unwrap();
        test.service
            .setup_password(&token, PASSWORD, None, None)
            .await
            .unwrap();
        one(try_in(&test, Some("uml"), ADA, PASSWORD).await.unwrap());
        expect_sound(&test, &view, &at).await;
        test.service.delete_tenant(id(&view), true).await.unwrap();
        expect_as_before(&database, &before, &at).await;
    }
    database.drop().await.unwrap();
}
