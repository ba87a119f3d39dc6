//! Why a session ended is told to whoever holds what carried it, and to nobody else.

use tenantry_core::session::{EndReason, SessionKind};
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, OTHER, id, principal, sign_in, sign_in_twice};

on_each_session_driver! {
    each_reason_is_told,
    nobody_else_is_told,
}

async fn start(options: Options) -> TestService {
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test
}

/// Why the sessions of somebody who signed in ended, told alike to browser and client.
async fn why(test: &TestService, password: &str, end: impl AsyncFnOnce(&str)) -> Option<EndReason> {
    let twice = sign_in_twice(test, "acme", ADA, password).await;
    let (_, third) = sign_in(test, "acme", ADA, password, SessionKind::Browser).await;
    end(third.token.expose()).await;
    twice.expect_stale(&test.service, "ended").await;
    let mut told = Vec::new();
    for (_, credential) in twice.credentials() {
        told.push(test.service.why_ended(credential, None).await);
    }
    assert_eq!(told[0], told[1]);
    told[0]
}

async fn each_reason_is_told(options: Options) {
    let test = start(options).await;
    let acme = id(&test.service.find_tenant("acme").await.unwrap());
    let service = &test.service;
    let told = why(&test, PASSWORD, async |cookie| {
        let other = principal(&test, cookie).await;
        service.end_other_sessions(&other).await.unwrap();
    });
    assert_eq!(told.await, Some(EndReason::Revoked));
    let told = why(&test, PASSWORD, async |cookie| {
        let other = principal(&test, cookie).await;
        let change = service.change_password(&other, PASSWORD, OTHER, None);
        change.await.unwrap();
    });
    assert_eq!(told.await, Some(EndReason::Password));
    let told = why(&test, OTHER, async |_| {
        service.end_tenant_sessions(acme).await.unwrap();
    });
    assert_eq!(told.await, Some(EndReason::Tenant));
    // Also where nothing but the tenant's state ends it.
    let told = why(&test, OTHER, async |_| {
        service.suspend_tenant(acme).await.unwrap();
    });
    assert_eq!(told.await, Some(EndReason::Tenant));
    service.resume_tenant(acme).await.unwrap();

    let reused = sign_in_twice(&test, "acme", ADA, OTHER).await;
    service.refresh(&reused.refresh, None).await.unwrap();
    let again = service.refresh(&reused.refresh, None).await;
    refused!(again, Refusal::SessionStale);
    let told = service.why_ended(Credential::Bearer(&reused.bearer), None);
    assert_eq!(told.await, Some(EndReason::Reuse));
    // Of what ran out there is nothing to say.
    let unused = sign_in_twice(&test, "acme", ADA, OTHER).await;
    test.clock
        .advance(tenantry_service::sessions::ACCESS_TOKEN * 7);
    let cookie = Credential::Cookie(&unused.cookie);
    refused!(
        service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    assert_eq!(service.why_ended(cookie, None).await, None);
}

async fn nobody_else_is_told(options: Options) {
    let test = start(options).await;
    let globex = id(&test.make_tenant("globex", ADA, PASSWORD).await.unwrap());
    let service = &test.service;
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let live = principal(&test, &ada.cookie).await;
    service.sign_out_everywhere(&live).await.unwrap();
    // The browser did it itself.
    let reasons = [EndReason::Logout, EndReason::Revoked];
    for ((_, credential), reason) in ada.credentials().into_iter().zip(reasons) {
        let told = service.why_ended(credential, None).await;
        assert_eq!(told, Some(reason));
        // Under another tenant's hint it is garbage.
        assert_eq!(service.why_ended(credential, Some(globex)).await, None);
    }
    // One letter of the secret is another, or the kind.
    for text in [
        flipped(&ada.cookie),
        flipped(&ada.bearer),
        ada.refresh.clone(),
        String::new(),
    ] {
        assert_eq!(
            service.why_ended(Credential::Cookie(&text), None).await,
            None
        );
        assert_eq!(
            service.why_ended(Credential::Bearer(&text), None).await,
            None
        );
    }
}

/// The same with another letter in the middle.
fn flipped(token: &str) -> String {
    let middle = token.len() / 2;
    let other = if token.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..middle], &token[middle + 1..])
}
