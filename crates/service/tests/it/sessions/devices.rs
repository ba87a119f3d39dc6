//! A session that began with a PIN counts no more once its device or that PIN is gone, whatever its
//! own record says.

use tenantry_core::session::{EndReason, SessionKind};
use tenantry_core::user::User;
use tenantry_core::{DeviceId, Role};
use tenantry_saga::Faults;
use tenantry_service::Refusal;
use tenantry_service::pin::PinShown;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::{Credential, Issued, Principal};
use tenantry_service::staff::Acting;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, client};

use crate::bench::Bench;
use crate::people::{IP, by_email};

on_each_session_driver! {
    it_counts_no_more_without_its_device_and_its_pin,
    who_died_before_ending_it_is_made_up_for,
}

const TILL: &str = "till@pins.example";
const PIN: &str = "480216";

/// An owner, and somebody who has a PIN.
async fn with_pin(options: Options) -> (Bench, Principal, User) {
    let bench = Bench::open(options).await;
    let ada = bench.owner().await;
    let user = bench.add(&ada, TILL, Role::Member).await;
    let acting = Acting::of(&ada).unwrap();
    let set = bench.service().set_pin(&acting, user.id, Some(PIN));
    set.await.unwrap();
    (bench, ada, user)
}

async fn enrol(bench: &Bench, acting: &Acting<'_>) -> (DeviceId, String) {
    let enrolled = bench.service().enrol_device(acting, "Till").await.unwrap();
    (enrolled.device.id, enrolled.token.expose().clone())
}

async fn begun(bench: &Bench, pin: &str, device_token: &str) -> Issued {
    let shown = PinShown { pin, device_token };
    let client = client(SessionKind::Api, IP);
    let login = by_email(TILL);
    let signed_in = bench
        .service()
        .sign_in_with_pin(&Resolved::None, &login, shown, &client);
    signed_in.await.unwrap().1
}

/// Asks a process that keeps nothing in memory yet.
async fn counts(bench: &Bench, issued: &Issued) -> bool {
    let fresh = bench.test.beside(Faults::none()).await.unwrap();
    let bearer = Credential::Bearer(issued.access_token.as_ref().unwrap().expose());
    match fresh.service.authenticate(bearer, None).await {
        Ok(_) => true,
        Err(Refusal::SessionStale) => {
            let renewed = fresh.service.refresh(issued.token.expose(), None).await;
            refused!(renewed, Refusal::SessionStale);
            false
        }
        Err(refusal) => panic!("refused otherwise: {refusal:?}"),
    }
}

async fn it_counts_no_more_without_its_device_and_its_pin(options: Options) {
    let (bench, ada, user) = Box::pin(with_pin(options)).await;
    let (acting, service) = (Acting::of(&ada).unwrap(), bench.service());
    let (device, at_till) = enrol(&bench, &acting).await;
    let (_, at_desk) = enrol(&bench, &acting).await;
    let till = begun(&bench, PIN, &at_till).await;
    let desk = begun(&bench, PIN, &at_desk).await;
    service.remove_device(&acting, device).await.unwrap();
    // As if whoever did it had died before the sessions were ended.
    assert_eq!(bench.test.revive_sessions().await.unwrap(), 1);
    assert!(!counts(&bench, &till).await);
    assert!(counts(&bench, &desk).await);
    // The same digits set anew are another PIN; and so is none.
    for pin in [Some(PIN), Some(PIN), None] {
        let last = begun(&bench, PIN, &at_desk).await;
        assert!(counts(&bench, &last).await);
        service.set_pin(&acting, user.id, pin).await.unwrap();
        bench.test.revive_sessions().await.unwrap();
        assert!(!counts(&bench, &last).await, "{pin:?}");
        assert!(!counts(&bench, &desk).await);
    }
}

async fn who_died_before_ending_it_is_made_up_for(options: Options) {
    let (bench, ada, _) = Box::pin(with_pin(options)).await;
    let (acting, service) = (Acting::of(&ada).unwrap(), bench.service());
    let (device, at_till) = enrol(&bench, &acting).await;
    let till = begun(&bench, PIN, &at_till).await;
    let bearer = Credential::Bearer(till.access_token.as_ref().unwrap().expose());
    service.remove_device(&acting, device).await.unwrap();
    bench.test.revive_sessions().await.unwrap();
    assert_eq!(service.why_ended(bearer, None).await, None);
    refused!(
        service.remove_device(&acting, device).await,
        Refusal::NotFound
    );
    let why = service.why_ended(bearer, None).await;
    assert_eq!(
        why,
        Some(EndReason::Admin),
        "it is marked as ended after all"
    );
}
