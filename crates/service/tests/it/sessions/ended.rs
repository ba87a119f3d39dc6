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
    whoever_can_renew_no_more_is_told,
    what_a_purged_tenant_issued_has_ended_everywhere,
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
    // The person finds it in the list of the sessions, until the password is another.
    let (_, here) = sign_in(&test, "acme", ADA, OTHER, SessionKind::Browser).await;
    let here = principal(&test, here.token.expose()).await;
    let listed = service.list_reused(&here.person, 5).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].ended_at.is_some());
    let change = service.change_password(&here, OTHER, PASSWORD, None);
    change.await.unwrap();
    let (_, here) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let here = principal(&test, here.token.expose()).await;
    assert!(
        service
            .list_reused(&here.person, 5)
            .await
            .unwrap()
            .is_empty()
    );
    // Of what ran out there is nothing to say.
    let unused = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    test.clock
        .advance(tenantry_service::sessions::ACCESS_TOKEN * 7);
    let cookie = Credential::Cookie(&unused.cookie);
    refused!(
        service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    assert_eq!(service.why_ended(cookie, None).await, None);
    assert_eq!(service.why_not_renewed(&unused.refresh, None).await, None);
}

/// Whoever holds a refresh token is told as well, also one that was replaced meanwhile.
async fn whoever_can_renew_no_more_is_told(options: Options) {
    let test = start(options).await;
    let globex = id(&test.make_tenant("globex", ADA, PASSWORD).await.unwrap());
    let service = &test.service;
    let first = sign_in_twice(&test, "acme", ADA, PASSWORD).await.refresh;
    let (_, second) = service.refresh(&first, None).await.unwrap();
    refused!(service.refresh(&first, None).await, Refusal::SessionStale);
    for token in [&first, second.token.expose()] {
        refused!(service.refresh(token, None).await, Refusal::SessionStale);
        let told = service.why_not_renewed(token, None).await;
        assert_eq!(told, Some(EndReason::Reuse));
        // Under another tenant's hint it is garbage, and so is what is ours in no way.
        assert_eq!(service.why_not_renewed(token, Some(globex)).await, None);
        assert_eq!(service.why_not_renewed(&flipped(token), None).await, None);
    }
}

/// What was issued in a tenant that is no more has ended with it, wherever it is shown.
async fn what_a_purged_tenant_issued_has_ended_everywhere(options: Options) {
    let test = start(options).await;
    let acme = id(&test.service.find_tenant("acme").await.unwrap());
    let globex = id(&test.make_tenant("globex", ADA, PASSWORD).await.unwrap());
    let service = &test.service;
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    for (_, credential) in ada.credentials() {
        let shown = service.authenticate(credential, Some(globex)).await;
        refused!(shown, Refusal::AuthenticationRequired);
    }
    refused!(
        service.refresh(&ada.refresh, Some(globex)).await,
        Refusal::AuthenticationRequired
    );
    service.delete_tenant(acme, true).await.unwrap();
    for hinted in [None, Some(globex)] {
        for (_, credential) in ada.credentials() {
            refused!(
                service.authenticate(credential, hinted).await,
                Refusal::SessionStale
            );
            let told = service.why_ended(credential, hinted).await;
            assert_eq!(told, Some(EndReason::Tenant));
        }
        refused!(
            service.refresh(&ada.refresh, hinted).await,
            Refusal::SessionStale
        );
        let told = service.why_not_renewed(&ada.refresh, hinted).await;
        assert_eq!(told, Some(EndReason::Tenant));
        // One letter of it is another.
        let forged = flipped(&ada.cookie);
        let shown = service
            .authenticate(Credential::Cookie(&forged), hinted)
            .await;
        refused!(shown, Refusal::AuthenticationRequired);
    }
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
