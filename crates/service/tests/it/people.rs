//! What people do, in as few words as the tests need.

use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::session::SessionKind;
use tenantry_service::resolve::{Hints, Resolved};
use tenantry_service::sessions::{Credential, Issued, Principal};
use tenantry_service::signin::{Login, Person, SignedIn};
use tenantry_service::tenants::TenantView;
use tenantry_service::{Refusal, Service};
use tenantry_testkit::service::{Driver, Options, TestService, client};

/// An address that requests come from.
pub(crate) const IP: &str = "192.0.2.1";

pub(crate) const ADA: &str = "ada@example.org";

/// Two passwords, beside the one of the test kit.
pub(crate) const OTHER: &str = "a staple that is wrong";
pub(crate) const THIRD: &str = "three is company enough";

/// Asserts that something was refused in this way and no other.
macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        refused!($result, $pattern, "")
    };
    ($result:expr, $pattern:pat, $at:expr) => {
        match $result {
            Err($pattern) => {}
            Err(other) => panic!("{}: refused otherwise: {other:?}", $at),
            Ok(_) => panic!("{}: not refused", $at),
        }
    };
}

pub(crate) async fn start(driver: Driver) -> TestService {
    TestService::start(Options::on(driver)).await.unwrap()
}

/// The tenant that the header names.
pub(crate) async fn named(service: &Service, name: &str) -> Result<Resolved, Refusal> {
    let hints = Hints {
        header: Some(name.to_owned()),
        ..Hints::default()
    };
    service.resolve(&hints).await
}

pub(crate) fn by_email(email: &str) -> Login {
    Login::Email(email.parse().unwrap())
}

/// Tries to sign in from an address; without a slug no tenant is named.
pub(crate) async fn try_from(
    test: &TestService,
    slug: Option<&str>,
    email: &str,
    password: &str,
    ip: &str,
) -> Result<SignedIn, Refusal> {
    let tenant = match slug {
        Some(slug) => named(&test.service, slug).await?,
        None => Resolved::None,
    };
    let client = client(SessionKind::Browser, ip);
    test.service
        .sign_in(&tenant, &by_email(email), password, &client)
        .await
}

pub(crate) async fn try_in(
    test: &TestService,
    slug: Option<&str>,
    email: &str,
    password: &str,
) -> Result<SignedIn, Refusal> {
    try_from(test, slug, email, password, IP).await
}

/// Whoever signed in, without a choice to make.
pub(crate) fn one(signed_in: SignedIn) -> (Person, Issued) {
    match signed_in {
        SignedIn::Yes(both) => *both,
        SignedIn::Choose { tenants, .. } => panic!("{} tenants to choose from", tenants.len()),
    }
}

/// Signs in to a tenant, which must work.
pub(crate) async fn sign_in(
    test: &TestService,
    slug: &str,
    email: &str,
    password: &str,
    kind: SessionKind,
) -> (Person, Issued) {
    let tenant = named(&test.service, slug).await.unwrap();
    let client = client(kind, IP);
    let signed_in = test
        .service
        .sign_in(&tenant, &by_email(email), password, &client)
        .await;
    one(signed_in.unwrap())
}

/// A browser and an API client of one person.
pub(crate) struct SignedInTwice {
    pub(crate) person: Person,
    pub(crate) cookie: String,
    pub(crate) bearer: String,
    pub(crate) refresh: String,
}

pub(crate) async fn sign_in_twice(
    test: &TestService,
    slug: &str,
    email: &str,
    password: &str,
) -> SignedInTwice {
    let (person, browser) = sign_in(test, slug, email, password, SessionKind::Browser).await;
    let (_, api) = sign_in(test, slug, email, password, SessionKind::Api).await;
    SignedInTwice {
        person,
        cookie: browser.token.expose().clone(),
        bearer: api.access_token.unwrap().expose().clone(),
        refresh: api.token.expose().clone(),
    }
}

impl SignedInTwice {
    /// Both credentials, each with its name.
    pub(crate) fn credentials(&self) -> [(&'static str, Credential<'_>); 2] {
        [
            ("cookie", Credential::Cookie(&self.cookie)),
            ("bearer", Credential::Bearer(&self.bearer)),
        ]
    }

    pub(crate) async fn expect_live(&self, service: &Service) {
        for (name, credential) in self.credentials() {
            let answer = service.authenticate(credential, None).await;
            assert!(answer.is_ok(), "{name}: {:?}", answer.err());
        }
    }

    /// Asserts that neither counts any more, and that a refresh does not help.
    pub(crate) async fn expect_stale(&self, service: &Service, at: &str) {
        for (name, credential) in self.credentials() {
            let answer = service.authenticate(credential, None).await;
            refused!(answer, Refusal::SessionStale, format!("{name}, {at}"));
        }
        let answer = service.refresh(&self.refresh, None).await;
        refused!(answer, Refusal::SessionStale, format!("refresh, {at}"));
    }
}

pub(crate) async fn principal(test: &TestService, cookie: &str) -> Principal {
    let answer = test.service.authenticate(Credential::Cookie(cookie), None);
    std::sync::Arc::unwrap_or_clone(answer.await.unwrap())
}

/// Moves the clock to one microsecond before that long from now.
pub(crate) fn advance_until_just_before(test: &TestService, time: Duration) {
    let moment = test.clock.now() + time - Duration::from_micros(1);
    test.clock.set(moment);
}

pub(crate) fn id(view: &TenantView) -> TenantId {
    view.tenant.id
}

/// The tenant's people and their addresses may be the same elsewhere; the person is not.
pub(crate) fn tenant_of(person: &Person) -> TenantId {
    person.tenant().unwrap().id
}
