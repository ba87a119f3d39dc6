//! Acts that end sessions, while sessions take nothing in: what was done is answered as done, the
//! sessions count no more all the same, and what else belongs to it happens.

use tenantry_core::session::SessionDriver;
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::pin::PinShown;
use tenantry_service::profile::ProfileChange;
use tenantry_service::recovery::Way;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::Credential;
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_testkit::service::{Options, PASSWORD, client, link_token};

use crate::bench::Bench;
use crate::people::{IP, OTHER, by_email, one, principal, sign_in_twice, try_in};
use crate::recovery::ask;

const PIN: &str = "480216";

/// A Redis that answers, and takes nothing in or everything again.
fn set_refusing(bench: &Bench, refusing: bool) {
    let replicas = if refusing { "1" } else { "0" };
    let setting = ["CONFIG", "SET", "min-replicas-to-write", replicas];
    bench.test.redis().unwrap().ask(&setting).unwrap();
}

async fn in_redis() -> Bench {
    Bench::open(Options::sqlite().with_sessions(SessionDriver::Redis)).await
}

/// The token in the link of the newest mail to an address.
async fn link(bench: &Bench, to: &str, path: &str) -> String {
    let mails = bench.test.mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == to).unwrap();
    link_token(mail.text.as_deref().unwrap(), path).unwrap()
}

async fn mails_to(bench: &Bench, to: &str) -> usize {
    let mails = bench.test.mails().await.unwrap();
    mails.iter().filter(|mail| mail.to == to).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_about_others_is_answered_so() {
    let bench = in_redis().await;
    let (test, service) = (&bench.test, bench.service());
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    let promoted = bench.add(&ada, "promoted@ends.example", Role::Member).await;
    let removed = bench.add(&ada, "removed@ends.example", Role::Member).await;
    bench.add(&ada, "drawn@ends.example", Role::Member).await;
    let mut signed_in = Vec::new();
    for name in ["promoted", "removed", "drawn"] {
        let email = format!("{name}@ends.example");
        signed_in.push((name, sign_in_twice(test, "acme", &email, PASSWORD).await));
    }
    set_refusing(&bench, true);
    let change = StaffChange {
        role: Some(Role::Admin),
        ..StaffChange::default()
    };
    let changed = service.change_staff(&acting, promoted.id, change).await;
    assert_eq!(changed.unwrap().role, Role::Admin);
    service.remove_staff(&acting, removed.id).await.unwrap();
    let email = "drawn@ends.example".parse().unwrap();
    let drawn = service.reset_password_of(acting.tenant(), &email).await;
    let drawn = drawn.unwrap();
    for (name, twice) in &signed_in {
        twice.expect_stale(service, name).await;
    }
    // Where ending them is all that was asked for, it is told that it was not done.
    let ended = service.end_staff_sessions(&acting, promoted.id).await;
    refused!(ended, Refusal::Busy(_));
    set_refusing(&bench, false);
    one(
        try_in(test, Some("acme"), "drawn@ends.example", drawn.expose())
            .await
            .unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_did_about_the_own_account_is_answered_so() {
    let bench = in_redis().await;
    let (test, service) = (&bench.test, bench.service());
    let ada = bench.owner().await;
    let (forgot, moves, chose) = (
        "forgot@ends.example",
        "moves@ends.example",
        "chose@ends.example",
    );
    for email in [forgot, moves, chose] {
        bench.add(&ada, email, Role::Member).await;
    }
    let forgetful = sign_in_twice(test, "acme", forgot, PASSWORD).await;
    let moving = sign_in_twice(test, "acme", moves, PASSWORD).await;
    let chooser = sign_in_twice(test, "acme", chose, PASSWORD).await;
    ask(test, Some("acme"), forgot, Way::Link).await.unwrap();
    let reset = link(&bench, forgot, "/reset-password/").await;
    let change = ProfileChange {
        email: Some("moved@ends.example".parse().unwrap()),
        ..ProfileChange::default()
    };
    let mover = principal(test, &moving.cookie).await;
    let asked = service.change_profile(&mover, change, Locale::En).await;
    asked.unwrap();
    let proof = link(&bench, "moved@ends.example", "/verify-email/").await;
    let choosing = principal(test, &chooser.cookie).await;
    let before = [
        mails_to(&bench, forgot).await,
        mails_to(&bench, moves).await,
    ];
    set_refusing(&bench, true);
    let set = service.reset_password(&reset, OTHER, None, Locale::En, IP.parse().ok());
    set.await.unwrap();
    let confirmed = service.confirm_new_address(&proof, None, Some(&mover), Locale::En);
    assert!(!confirmed.await.unwrap().signed_in, "it could not go on");
    let changed = service.change_password(&choosing, PASSWORD, OTHER, None);
    changed.await.unwrap();
    for (name, twice) in [
        ("forgot", &forgetful),
        ("moves", &moving),
        ("chose", &chooser),
    ] {
        twice.expect_stale(service, name).await;
    }
    let after = [
        mails_to(&bench, forgot).await,
        mails_to(&bench, moves).await,
    ];
    assert_eq!(after, before.map(|count| count + 1), "the notices");
    set_refusing(&bench, false);
    for (email, password) in [
        (forgot, OTHER),
        ("moved@ends.example", PASSWORD),
        (chose, OTHER),
    ] {
        one(try_in(test, Some("acme"), email, password).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_about_devices_and_pins_is_answered_so() {
    let bench = in_redis().await;
    let service = bench.service();
    let ada = bench.owner().await;
    let acting = Acting::of(&ada).unwrap();
    let till = "till@ends.example";
    let user = bench.add(&ada, till, Role::Member).await;
    service.set_pin(&acting, user.id, Some(PIN)).await.unwrap();
    let mut sessions = Vec::new();
    let mut devices = Vec::new();
    for name in ["Till", "Desk"] {
        let enrolled = service.enrol_device(&acting, name).await.unwrap();
        devices.push(enrolled.device.id);
        let shown = PinShown {
            pin: PIN,
            device_token: enrolled.token.expose(),
        };
        let client = client(tenantry_core::session::SessionKind::Api, IP);
        let login = by_email(till);
        let signed_in = service.sign_in_with_pin(&Resolved::None, &login, shown, &client);
        sessions.push(signed_in.await.unwrap().1);
    }
    let is_stale = async |place: usize| {
        let bearer = sessions[place].access_token.as_ref().unwrap();
        let bearer = Credential::Bearer(bearer.expose());
        let answer = service.authenticate(bearer, None).await;
        let renewed = service.refresh(sessions[place].token.expose(), None).await;
        refused!(answer, Refusal::SessionStale, place);
        refused!(renewed, Refusal::SessionStale, place);
    };
    set_refusing(&bench, true);
    service.remove_device(&acting, devices[0]).await.unwrap();
    is_stale(0).await;
    let another = Some("902415");
    service.set_pin(&acting, user.id, another).await.unwrap();
    is_stale(1).await;
    set_refusing(&bench, false);
    is_stale(0).await;
    is_stale(1).await;
}
