//! Signing in with a PIN on an enrolled device.

use tenantry_core::session::SessionKind;
use tenantry_core::user::User;
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::pin::PinShown;
use tenantry_service::profile::ProfileChange;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::{Credential, Issued, Principal};
use tenantry_service::signin::Person;
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_testkit::service::{Options, PASSWORD, TestService, client};

use crate::bench::Bench;
use crate::people::{ADA, IP, by_email, named, one, try_in};

everywhere!(
    a_pin_opens_on_an_enrolled_device_alone,
    a_session_ends_with_its_device_and_its_pin,
);

const PIN: &str = "480216";

async fn enrol(bench: &Bench, by: &Principal, name: &str) -> (tenantry_core::DeviceId, String) {
    let acting = Acting::of(by).unwrap();
    let enrolled = bench.service().enrol_device(&acting, name).await.unwrap();
    (enrolled.device.id, enrolled.token.expose().clone())
}

async fn set_pin(bench: &Bench, by: &Principal, user: &User, pin: &str) -> Result<(), Refusal> {
    let acting = Acting::of(by)?;
    bench.service().set_pin(&acting, user.id, Some(pin)).await
}

async fn try_pin(
    test: &TestService,
    tenant: &Resolved,
    email: &str,
    pin: &str,
    device_token: &str,
) -> Result<(Person, Issued), Refusal> {
    let shown = PinShown { pin, device_token };
    let client = client(SessionKind::Api, IP);
    test.service
        .sign_in_with_pin(tenant, &by_email(email), shown, &client)
        .await
}

async fn a_pin_opens_on_an_enrolled_device_alone(bench: &Bench) {
    let ada = bench.owner().await;
    let user = bench.add(&ada, "till@pins.example", Role::Member).await;
    let (_, token) = enrol(bench, &ada, "Till 1").await;
    let test = &bench.test;
    let none = Resolved::None;
    // Before there is a PIN, and with another's or none.
    refused!(
        try_pin(test, &none, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials
    );
    set_pin(bench, &ada, &user, PIN).await.unwrap();
    let (person, issued) = try_pin(test, &none, "till@pins.example", PIN, &token)
        .await
        .unwrap();
    assert_eq!(person.tenant().unwrap().slug.as_str(), "acme");
    let bearer = issued.access_token.unwrap();
    let bearer = Credential::Bearer(bearer.expose());
    bench.service().authenticate(bearer, None).await.unwrap();
    let here = named(bench.service(), "acme").await.unwrap();
    try_pin(test, &here, "till@pins.example", PIN, &token)
        .await
        .unwrap();
    for (email, pin, token) in [
        ("till@pins.example", "480217", token.as_str()),
        ("till@pins.example", PASSWORD, &token),
        ("till@pins.example", PIN, "garbage"),
        ("till@pins.example", PIN, &token[..119]),
        ("nobody@pins.example", PIN, &token),
        (ADA, PIN, &token),
    ] {
        refused!(
            try_pin(test, &none, email, pin, token).await,
            Refusal::InvalidCredentials,
            email
        );
    }
    // A PIN is no password.
    refused!(
        try_in(test, Some("acme"), "till@pins.example", PIN).await,
        Refusal::InvalidCredentials
    );
    let acting = Acting::of(&ada).unwrap();
    for (bad, code) in [
        ("12345", "not_six_digits"),
        ("000000", "one_digit"),
        ("123456", "in_a_row"),
        ("121212", "repeats"),
    ] {
        let set = bench.service().set_pin(&acting, user.id, Some(bad)).await;
        let Err(Refusal::Validation(errors)) = set else {
            panic!("{bad} was taken");
        };
        assert_eq!((&*errors[0].field, errors[0].code), ("pin", code));
    }
    // Kept out is kept out.
    let out = StaffChange {
        disabled: Some(true),
        ..StaffChange::default()
    };
    let service = bench.service();
    service.change_staff(&acting, user.id, out).await.unwrap();
    refused!(
        try_pin(test, &none, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials
    );
    let listed = service.list_devices(acting.tenant(), None, 10).await;
    let listed = listed.unwrap();
    let used = listed.iter().find(|device| device.name == "Till 1");
    assert!(used.unwrap().last_used_at.is_some());
}

async fn a_session_ends_with_its_device_and_its_pin(bench: &Bench) {
    let ada = bench.owner().await;
    let user = bench.add(&ada, "ends@pins.example", Role::Member).await;
    set_pin(bench, &ada, &user, PIN).await.unwrap();
    let (till, at_till) = enrol(bench, &ada, "Till 2").await;
    let (_, at_desk) = enrol(bench, &ada, "Desk").await;
    let (test, service, none) = (&bench.test, bench.service(), Resolved::None);
    let begun = async |token: &str| {
        let signed_in = try_pin(test, &none, "ends@pins.example", PIN, token).await;
        signed_in.unwrap().1.access_token.unwrap().expose().clone()
    };
    let (one, other) = (begun(&at_till).await, begun(&at_desk).await);
    let by_password = bench.principal("ends@pins.example").await;
    let acting = Acting::of(&ada).unwrap();
    service.remove_device(&acting, till).await.unwrap();
    refused!(
        service.remove_device(&acting, till).await,
        Refusal::NotFound
    );
    refused!(
        service.authenticate(Credential::Bearer(&one), None).await,
        Refusal::SessionStale
    );
    refused!(
        try_pin(test, &none, "ends@pins.example", PIN, &at_till).await,
        Refusal::InvalidCredentials
    );
    service
        .authenticate(Credential::Bearer(&other), None)
        .await
        .unwrap();
    set_pin(bench, &ada, &user, "902415").await.unwrap();
    refused!(
        service.authenticate(Credential::Bearer(&other), None).await,
        Refusal::SessionStale
    );
    refused!(
        try_pin(test, &none, "ends@pins.example", PIN, &at_desk).await,
        Refusal::InvalidCredentials
    );
    let left = service.sessions_of(&by_password.person).await.unwrap();
    assert_eq!(left.len(), 1, "the one by password lives on");
    service.set_pin(&acting, user.id, None).await.unwrap();
    refused!(
        try_pin(test, &none, "ends@pins.example", "902415", &at_desk).await,
        Refusal::InvalidCredentials
    );
}

/// A device's token names its tenant and the life it was enrolled in.
#[tokio::test]
async fn a_device_of_another_tenant_is_garbage() {
    let bench = Bench::in_files().await;
    let globex = bench.test.make_tenant("globex", ADA, PASSWORD);
    let globex = globex.await.unwrap();
    let ada = bench.owner().await;
    let user = bench.add(&ada, "till@pins.example", Role::Member).await;
    set_pin(&bench, &ada, &user, PIN).await.unwrap();
    let (_, token) = enrol(&bench, &ada, "Till 1").await;
    let (test, service) = (&bench.test, bench.service());
    let there = named(service, "globex").await.unwrap();
    refused!(
        try_pin(test, &there, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials
    );
    service.suspend_tenant(globex.tenant.id).await.unwrap();
    let closed = named(service, "globex").await.unwrap();
    refused!(
        try_pin(test, &closed, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials
    );
    let acme = crate::people::id(&bench.acme);
    service.suspend_tenant(acme).await.unwrap();
    let closed = named(service, "acme").await.unwrap();
    refused!(
        try_pin(test, &closed, "till@pins.example", PIN, &token).await,
        Refusal::TenantUnavailable
    );
    refused!(
        try_pin(test, &Resolved::None, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials
    );
    service.delete_tenant(acme, false).await.unwrap();
    service.restore_tenant(acme).await.unwrap();
    refused!(
        try_pin(test, &Resolved::None, "till@pins.example", PIN, &token).await,
        Refusal::InvalidCredentials,
        "enrolled in an earlier life"
    );
}

/// Guesses at PIN and password share one count, and nobody learns who is there.
#[tokio::test]
async fn a_wrong_pin_counts_as_a_wrong_password_does() {
    let bench = Bench::limited().await;
    let ada = bench.owner().await;
    let user = bench.add(&ada, "till@pins.example", Role::Member).await;
    set_pin(&bench, &ada, &user, PIN).await.unwrap();
    let (_, token) = enrol(&bench, &ada, "Till 1").await;
    let test = &bench.test;
    let here = named(bench.service(), "acme").await.unwrap();
    for email in ["till@pins.example", "nobody@pins.example"] {
        for _ in 0..3 {
            refused!(
                try_pin(test, &here, email, "902415", &token).await,
                Refusal::InvalidCredentials,
                email
            );
        }
        for _ in 0..2 {
            refused!(
                try_in(test, Some("acme"), email, "a wrong password!").await,
                Refusal::InvalidCredentials,
                email
            );
        }
        refused!(
            try_pin(test, &here, email, PIN, &token).await,
            Refusal::RateLimited(_),
            email
        );
        refused!(
            try_in(test, Some("acme"), email, PASSWORD).await,
            Refusal::RateLimited(_),
            email
        );
    }
    test.clock.advance(std::time::Duration::from_mins(1));
    try_pin(test, &here, "till@pins.example", PIN, &token)
        .await
        .unwrap();
    one(try_in(test, Some("acme"), "till@pins.example", PASSWORD)
        .await
        .unwrap());
}

/// A PIN is weaker than a password: a session that began with one decides nothing about who gets into
/// the account.
#[tokio::test]
async fn a_session_begun_with_a_pin_leaves_the_account_as_it_is() {
    let bench = Bench::in_files().await;
    let ada = bench.owner().await;
    let till = "till@pins.example";
    let user = bench.add(&ada, till, Role::Member).await;
    set_pin(&bench, &ada, &user, PIN).await.unwrap();
    let (device, token) = enrol(&bench, &ada, "Till 1").await;
    let (test, service) = (&bench.test, bench.service());
    let with_password = bench.principal(till).await;
    let (_, issued) = try_pin(test, &Resolved::None, till, PIN, &token)
        .await
        .unwrap();
    // A renewed session is the same one.
    let (_, renewed) = service.refresh(issued.token.expose(), None).await.unwrap();
    for issued in [&issued, &renewed] {
        let access = issued.access_token.as_ref().unwrap();
        let bearer = Credential::Bearer(access.expose());
        let principal = service.authenticate(bearer, None).await.unwrap();
        assert_eq!(principal.device, Some(device));
        for email in ["other@pins.example", "TILL@pins.example"] {
            let change = ProfileChange {
                email: Some(email.parse().unwrap()),
                ..ProfileChange::default()
            };
            let changed = service.change_profile(&principal, change, Locale::En);
            refused!(changed.await, Refusal::Forbidden, email);
        }
        let another = "another horse battery";
        let changed = service.change_password(&principal, PASSWORD, another, None);
        refused!(changed.await, Refusal::Forbidden);
        let other = with_password.session.id.uuid();
        let ended = service.end_own_session(&principal, other).await;
        refused!(ended, Refusal::Forbidden);
        refused!(
            service.sign_out_everywhere(&principal).await,
            Refusal::Forbidden
        );
        refused!(
            service.end_other_sessions(&principal).await,
            Refusal::Forbidden
        );
        let named = ProfileChange {
            full_name: Some(Some("Till".to_owned())),
            ..ProfileChange::default()
        };
        let changed = service.change_profile(&principal, named, Locale::En);
        assert_eq!(changed.await.unwrap().email_pending, None);
    }
    let access = renewed.access_token.unwrap();
    let bearer = Credential::Bearer(access.expose());
    let principal = service.authenticate(bearer, None).await.unwrap();
    let own = principal.session.id.uuid();
    service.end_own_session(&principal, own).await.unwrap();
    refused!(
        service.authenticate(bearer, None).await,
        Refusal::SessionStale
    );
    assert_eq!(with_password.device, None);
    let ended = service.sign_out_everywhere(&with_password).await;
    assert_eq!(ended.unwrap(), 1);
}

/// Whoever takes the device away while somebody signs in on it ends that session too.
#[tokio::test]
async fn a_device_that_goes_while_somebody_signs_in_leaves_no_session() {
    let bench = Bench::in_files().await;
    let ada = bench.owner().await;
    let user = bench.add(&ada, "till@pins.example", Role::Member).await;
    set_pin(&bench, &ada, &user, PIN).await.unwrap();
    let acting = Acting::of(&ada).unwrap();
    for turn in 0..12 {
        let (device, token) = enrol(&bench, &ada, &format!("Till {turn}")).await;
        let later = async {
            for _ in 0..turn * 4 {
                tokio::task::yield_now().await;
            }
            bench.service().remove_device(&acting, device).await
        };
        let (signed_in, removed) = tokio::join!(
            try_pin(
                &bench.test,
                &Resolved::None,
                "till@pins.example",
                PIN,
                &token
            ),
            later
        );
        removed.unwrap();
        if let Ok((_, issued)) = signed_in {
            let bearer = issued.access_token.unwrap();
            let bearer = Credential::Bearer(bearer.expose());
            refused!(
                bench.service().authenticate(bearer, None).await,
                Refusal::SessionStale,
                format!("turn {turn}")
            );
        }
    }
    let live = "SELECT COUNT(*) FROM sessions WHERE device_id IS NOT NULL AND ended_at IS NULL";
    assert_eq!(bench.test.control().number(live).await.unwrap(), 0);
}

impl Bench {
    /// In files, with limits on wrong tries.
    async fn limited() -> Self {
        let test = TestService::start(Options::sqlite()).await.unwrap();
        let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
        Self { test, acme }
    }
}
