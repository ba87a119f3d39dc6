//! One password that fits in several tenants: somebody chooses.

use std::time::Duration;

use tenantry_core::Secret;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Tenant;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_service::signin::{Client, SignedIn};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService, client};

use crate::people::{ADA, IP, OTHER, principal, sign_in, start, tenant_of, try_in};

async fn choose(test: &TestService) -> (Secret<String>, Vec<Tenant>) {
    match try_in(test, None, ADA, PASSWORD).await.unwrap() {
        SignedIn::Choose {
            selection_token,
            tenants,
        } => (selection_token, tenants),
        SignedIn::Yes(_) => panic!("nothing to choose"),
    }
}

/// Ada has the same password at Acme and Globex, and another at Initech.
async fn three(driver: Driver) -> TestService {
    let test = start(driver).await;
    for (slug, password) in [("acme", PASSWORD), ("globex", PASSWORD), ("initech", OTHER)] {
        test.make_tenant(slug, ADA, password).await.unwrap();
    }
    test
}

fn browser() -> Client {
    client(SessionKind::Browser, IP)
}

async fn the_tenants_that_fit_are_offered_and_one_is_chosen(driver: Driver) {
    let test = three(driver).await;
    let (token, tenants) = choose(&test).await;
    let slugs = |tenants: &[Tenant]| -> Vec<String> {
        tenants
            .iter()
            .map(|tenant| tenant.slug.to_string())
            .collect()
    };
    assert_eq!(slugs(&tenants), ["acme", "globex"]);
    let offered = test.service.choices(token.expose()).await.unwrap();
    assert_eq!(slugs(&offered), ["acme", "globex"], "and is not used up");

    for wrong in ["initech", "nowhere", ""] {
        let chosen = test
            .service
            .select(token.expose(), wrong, None, &browser())
            .await;
        refused!(chosen, Refusal::TokenInvalid, wrong);
    }
    let client = browser();
    let chosen = test
        .service
        .select(token.expose(), "globex", None, &client)
        .await;
    let (person, issued) = chosen.unwrap();
    assert_eq!(tenant_of(&person), tenants[1].id);
    principal(&test, issued.token.expose()).await;
    for slug in ["globex", "acme"] {
        let again = test
            .service
            .select(token.expose(), slug, None, &browser())
            .await;
        refused!(again, Refusal::TokenInvalid, "used");
    }
    refused!(
        test.service.choices(token.expose()).await,
        Refusal::TokenInvalid
    );
}

async fn a_tenant_is_chosen_by_id_too(driver: Driver) {
    let test = three(driver).await;
    let (token, tenants) = choose(&test).await;
    let id = tenants[0].id.to_string();
    let (person, _) = test
        .service
        .select(token.expose(), &id, None, &browser())
        .await
        .unwrap();
    assert_eq!(tenant_of(&person), tenants[0].id);
}

async fn a_choice_is_made_once_however_many_try(driver: Driver) {
    let test = three(driver).await;
    let (token, _) = choose(&test).await;
    let tries: Vec<_> = (0..10)
        .map(|number| {
            let (service, token) = (test.service.clone(), token.clone());
            let slug = if number % 2 == 0 { "acme" } else { "globex" };
            tokio::spawn(async move {
                service
                    .select(token.expose(), slug, None, &browser())
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut chosen = 0;
    for outcome in tries {
        chosen += usize::from(outcome.await.unwrap());
    }
    assert_eq!(chosen, 1);
}

async fn a_choice_ends_after_five_minutes(driver: Driver) {
    let test = three(driver).await;
    let (token, _) = choose(&test).await;
    test.clock.advance(Duration::from_mins(5));
    let late = test
        .service
        .select(token.expose(), "acme", None, &browser())
        .await;
    refused!(late, Refusal::TokenInvalid);
}

/// The password was right then. What has changed since counts.
async fn a_choice_follows_what_happens_meanwhile(driver: Driver) {
    let test = three(driver).await;
    let (token, tenants) = choose(&test).await;
    test.service.suspend_tenant(tenants[0].id).await.unwrap();
    let closed = test
        .service
        .select(token.expose(), "acme", None, &browser())
        .await;
    refused!(closed, Refusal::TokenInvalid, "suspended");

    let (_, issued) = sign_in(&test, "globex", ADA, PASSWORD, SessionKind::Browser).await;
    let ada = principal(&test, issued.token.expose()).await;
    test.service
        .change_password(&ada, PASSWORD, OTHER, None)
        .await
        .unwrap();
    let changed = test
        .service
        .select(token.expose(), "globex", None, &browser())
        .await;
    refused!(changed, Refusal::TokenInvalid, "the password is another");
}

async fn a_choice_is_no_session(driver: Driver) {
    let test = three(driver).await;
    let (token, _) = choose(&test).await;
    let token = token.expose();
    for credential in [Credential::Cookie(token), Credential::Bearer(token)] {
        refused!(
            test.service.authenticate(credential, None).await,
            Refusal::AuthenticationRequired
        );
    }
    refused!(
        test.service.setup_view(token, None).await,
        Refusal::TokenInvalid
    );
}

on_both!(
    the_tenants_that_fit_are_offered_and_one_is_chosen,
    a_tenant_is_chosen_by_id_too,
    a_choice_is_made_once_however_many_try,
    a_choice_ends_after_five_minutes,
    a_choice_follows_what_happens_meanwhile,
    a_choice_is_no_session,
);
