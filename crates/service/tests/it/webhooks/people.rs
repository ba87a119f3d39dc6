//! What receivers are told about a tenant's people.

use serde_json::json;
use tenantry_core::Role;
use tenantry_service::staff::{Acting, StaffChange};

use super::{deliver, listen};
use crate::bench::{Bench, cut_off, staff};

#[tokio::test]
async fn people_are_told_of_as_they_come_change_and_go() {
    let bench = Bench::in_files().await;
    let (receiver, ..) = listen(&bench.test).await;
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    let service = bench.service();
    let told = async || {
        bench
            .test
            .clock
            .advance(std::time::Duration::from_millis(1));
        let before = receiver.seen().len();
        deliver(&bench.test).await;
        let seen = receiver.seen()[before..].to_vec();
        let seen = seen.iter().map(|one| {
            let body = one.json();
            let user = &body["data"]["user"];
            (
                body["type"].clone(),
                user["email"].clone(),
                user["disabled"].clone(),
            )
        });
        seen.collect::<Vec<_>>()
    };
    let one = |kind: &str, email: &str, disabled: bool| {
        vec![(json!(kind), json!(email), json!(disabled))]
    };
    let sam = bench.add_unproven(&ada, "sam@told.example").await;
    assert_eq!(told().await, one("user.created", "sam@told.example", false));
    let out = StaffChange {
        disabled: Some(true),
        ..StaffChange::default()
    };
    service.change_staff(&acting, sam.id, out).await.unwrap();
    assert_eq!(told().await, one("user.updated", "sam@told.example", true));
    // What was refused is told to nobody.
    let taken = bench.create(&ada, staff("SAM@told.example", Role::Member));
    assert!(taken.await.is_err());
    assert_eq!(told().await, []);
    service.remove_staff(&acting, sam.id).await.unwrap();
    assert_eq!(told().await, one("user.deleted", "sam@told.example", true));

    // Somebody whose maker died before it told is told of by the reconciler.
    let tenant = bench.test.control().literal(acting.tenant().id().uuid());
    let mut waits = 0;
    let left = loop {
        let email = format!("late{waits}@told.example");
        let done = cut_off(
            Box::pin(bench.create(&ada, staff(&email, Role::Member))),
            waits,
        );
        assert!(done.await.is_none(), "no way to stop between the two");
        assert_eq!(told().await, [], "{waits}");
        let people = service
            .list_staff(acting.tenant(), None, 500)
            .await
            .unwrap();
        let reserved = format!(
            "SELECT COUNT(*) FROM directory WHERE tenant_id = {tenant} AND state = 'reserved'"
        );
        let open = bench.test.control().number(&reserved).await.unwrap() > 0;
        if open && people.iter().any(|user| user.email.as_str() == email) {
            break email;
        }
        waits += 1;
    };
    bench.reconcile_later().await;
    assert_eq!(told().await, one("user.updated", &left, false));
}
