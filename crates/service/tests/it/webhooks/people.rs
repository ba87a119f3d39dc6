//! What receivers are told about a tenant's people.

use serde_json::json;
use tenantry_core::Role;
use tenantry_service::sessions::Principal;
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

    // Somebody whose maker died before it told is told of by the reconciler. Where a maker waits
    // differs from time to time, and what it had begun goes on without it: some come through, some
    // are never there, and each who is there in the end is told of once.
    let mut known = Vec::new();
    for tries in 0.. {
        assert!(tries < 400, "no way to stop between the two");
        let email = format!("late{tries}@told.example");
        let new = bench.create(&ada, staff(&email, Role::Member));
        let _came_through = cut_off(Box::pin(new), tries % 24).await;
        known.extend(told().await);
        let untold = known.len() < people_of(&bench, &ada).await;
        if untold && bench.listed("reserved").await > 0 {
            break;
        }
    }
    bench.reconcile_later().await;
    let late = told().await;
    assert!(
        late.iter().any(|(kind, ..)| kind == "user.updated"),
        "{late:?}"
    );
    known.extend(late);
    let mut emails: Vec<_> = known
        .iter()
        .map(|(_, email, _)| email.to_string())
        .collect();
    emails.sort();
    emails.dedup();
    assert_eq!(emails.len(), known.len(), "{known:?}");
    assert_eq!(emails.len(), people_of(&bench, &ada).await, "{known:?}");
}

/// How many there are beside the owner.
async fn people_of(bench: &Bench, owner: &Principal) -> usize {
    let acting = Acting::of(owner).unwrap();
    let people = bench.service().list_staff(acting.tenant(), None, 500).await;
    people.unwrap().len() - 1
}
