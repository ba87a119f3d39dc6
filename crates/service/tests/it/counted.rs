//! What strangers are refused leaves an entry in the audit, so it is counted before it is refused: who
//! tries again and again is told to wait, and fills no table.

use tenantry_core::Locale;
use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::applications::NewApplication;
use tenantry_service::pin::PinShown;
use tenantry_service::registration::NewRegistration;
use tenantry_testkit::service::{Options, PASSWORD, TestService, client};

use crate::people::{ADA, by_email, named};

/// More than a network is let try in a row.
const TRIES: usize = 60;

/// How often it was refused in the usual way before it was told to wait.
async fn until_limited<T, F: Future<Output = Result<T, Refusal>>>(
    what: &str,
    usual: impl Fn(&Refusal) -> bool,
    mut again: impl FnMut(usize) -> F,
) -> usize {
    for tried in 0..TRIES {
        match again(tried).await {
            Err(Refusal::RateLimited(_)) => return tried,
            Err(refusal) if usual(&refusal) => {}
            Err(refusal) => panic!("{what}: refused otherwise: {refusal:?}"),
            Ok(_) => panic!("{what}: not refused"),
        }
    }
    panic!("{what}: {TRIES} tries, and nobody had to wait")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_again_and_again_has_to_wait() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let acme = named(&test.service, "acme").await.unwrap();
    let service = &test.service;
    let forbidden = |refusal: &Refusal| matches!(refusal, Refusal::Forbidden);

    // Registering where nobody can.
    let from = client(SessionKind::Api, "192.0.2.10");
    let tried = until_limited("registering", forbidden, |number| {
        let new = NewRegistration {
            username: format!("grace{number}"),
            email: format!("grace{number}@example.org"),
            password: PASSWORD.to_owned(),
            full_name: None,
        };
        let (acme, from) = (&acme, &from);
        async move { service.register(acme, &new, Locale::En, from).await }
    });
    assert!(tried.await >= 10, "an honest network has room");

    // Asking for a tenant where nobody can.
    let tried = until_limited("asking", forbidden, |number| {
        let new = NewApplication {
            name: "Wish".to_owned(),
            slug: format!("wish-{number}"),
            email: format!("wish{number}@example.org"),
            full_name: None,
        };
        let ip = "192.0.2.11".parse().ok();
        async move { service.apply(&new, Locale::En, ip).await }
    });
    assert!(tried.await >= 10, "an honest network has room");

    // A PIN on no device.
    let wrong = |refusal: &Refusal| matches!(refusal, Refusal::InvalidCredentials);
    let from = client(SessionKind::Api, "192.0.2.12");
    until_limited("a PIN", wrong, |_| {
        let (acme, from) = (&acme, &from);
        async move {
            let shown = PinShown {
                pin: "902415",
                device_token: "garbage",
            };
            service
                .sign_in_with_pin(acme, &by_email(ADA), shown, from)
                .await
        }
    })
    .await;
}
