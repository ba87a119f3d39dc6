//! Credentials: whose they are, where they count, and what was never one.

mod devices;
mod ended;
mod limit;
mod places;
mod switches;
mod unended;

use std::time::Duration;

use tenantry_service::Refusal;
use tenantry_service::sessions::{ACCESS_TOKEN, Credential};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD};

pub(crate) use places::files;

use crate::people::{ADA, OTHER, id, one, principal, sign_in_twice, start, tenant_of, try_in};

async fn a_credential_counts_in_its_own_tenant_alone(driver: Driver) {
    let test = start(driver).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let globex = id(&test.make_tenant("globex", ADA, OTHER).await.unwrap());
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    for (name, credential) in ada.credentials() {
        let there = test.service.authenticate(credential, Some(acme)).await;
        assert_eq!(tenant_of(&there.unwrap().person), acme);
        let elsewhere = test.service.authenticate(credential, Some(globex)).await;
        refused!(elsewhere, Refusal::AuthenticationRequired, name);
    }
    let elsewhere = test.service.refresh(&ada.refresh, Some(globex)).await;
    refused!(elsewhere, Refusal::AuthenticationRequired);
    assert!(test.service.refresh(&ada.refresh, Some(acme)).await.is_ok());
}

async fn an_admins_credential_counts_in_no_tenant(driver: Driver) {
    let test = start(driver).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let email = "root@example.org".parse().unwrap();
    test.service.create_admin(email, Some(OTHER)).await.unwrap();
    let signed_in = try_in(&test, None, "root@example.org", OTHER).await;
    let (_, issued) = one(signed_in.unwrap());
    let cookie = Credential::Cookie(issued.token.expose());
    assert!(test.service.authenticate(cookie, None).await.is_ok());
    refused!(
        test.service.authenticate(cookie, Some(acme)).await,
        Refusal::AuthenticationRequired
    );
}

/// Each place of a text with another character.
fn tampered(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).map(|place| {
        let mut octets = text.as_bytes().to_vec();
        octets[place] = if octets[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(octets).unwrap()
    })
}

async fn a_credential_that_was_tampered_with_is_none(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    for cookie in tampered(&ada.cookie) {
        let answer = test
            .service
            .authenticate(Credential::Cookie(&cookie), None)
            .await;
        refused!(answer, Refusal::AuthenticationRequired, cookie);
    }
    for bearer in tampered(&ada.bearer) {
        let answer = test
            .service
            .authenticate(Credential::Bearer(&bearer), None)
            .await;
        refused!(answer, Refusal::AuthenticationRequired, bearer);
    }
    let parts: Vec<&str> = ada.bearer.split('.').collect();
    // {"alg":"none","typ":"at+jwt"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let unsigned = format!("{none}.{}.", parts[1]);
    let cut = format!("{}.{}.", parts[0], parts[1]);
    for bearer in [unsigned.as_str(), &cut, "", "..", &ada.cookie, &ada.refresh] {
        let answer = test
            .service
            .authenticate(Credential::Bearer(bearer), None)
            .await;
        refused!(answer, Refusal::AuthenticationRequired, bearer);
    }
    for cookie in [ada.refresh.as_str(), &ada.bearer, ""] {
        let answer = test
            .service
            .authenticate(Credential::Cookie(cookie), None)
            .await;
        refused!(answer, Refusal::AuthenticationRequired, cookie);
    }
    ada.expect_live(&test.service).await;
}

async fn an_access_token_is_good_for_ten_minutes(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let bearer = Credential::Bearer(&ada.bearer);
    // A token counts whole seconds.
    let second = Duration::from_secs(1);
    test.clock.set(test.clock.now() + ACCESS_TOKEN - second);
    assert!(test.service.authenticate(bearer, None).await.is_ok());
    test.clock.advance(second);
    refused!(
        test.service.authenticate(bearer, None).await,
        Refusal::AuthenticationRequired
    );
    let (_, renewed) = test.service.refresh(&ada.refresh, None).await.unwrap();
    let renewed = renewed.access_token.unwrap();
    let bearer = Credential::Bearer(renewed.expose());
    assert!(test.service.authenticate(bearer, None).await.is_ok());
}

async fn people_see_and_end_their_own_sessions_only(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let here = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let there = sign_in_twice(&test, "globex", ADA, OTHER).await;
    let (person, other) = (&here.person, principal(&test, &there.cookie).await);
    let own = test.service.sessions_of(person).await.unwrap();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|session| session.id != other.session.id));

    let bearer = Credential::Bearer(&here.bearer);
    let api = test.service.authenticate(bearer, None).await.unwrap();
    let foreign = other.session.id.uuid();
    refused!(
        test.service.end_own_session(&api, foreign).await,
        Refusal::NotFound
    );
    let browser = principal(&test, &here.cookie).await.session.id;
    test.service
        .end_own_session(&api, browser.uuid())
        .await
        .unwrap();
    let cookie = Credential::Cookie(&here.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    there.expect_live(&test.service).await;
    refused!(
        test.service.end_own_session(&api, browser.uuid()).await,
        Refusal::NotFound
    );
    assert_eq!(test.service.sessions_of(person).await.unwrap().len(), 1);
}

/// A cookie that another has replaced, as a session's row says.
async fn a_cookie_counts_with_the_hash_of_its_row_alone(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let own = principal(&test, &ada.cookie).await.session.id;
    let own = test.control().literal(own.uuid());
    let changed = format!(
        "UPDATE sessions SET token_hash = (SELECT token_hash FROM sessions WHERE id <> {own}) WHERE id = {own}"
    );
    assert_eq!(test.control().damage(&changed).await.unwrap(), 1);
    // A process that keeps nothing in memory yet.
    let fresh = test.beside(tenantry_saga::Faults::none()).await.unwrap();
    let [(_, cookie), (_, bearer)] = ada.credentials();
    let answer = fresh.service.authenticate(cookie, None).await;
    refused!(answer, Refusal::SessionStale);
    assert!(fresh.service.authenticate(bearer, None).await.is_ok());
}

on_both!(
    a_cookie_counts_with_the_hash_of_its_row_alone,
    a_credential_counts_in_its_own_tenant_alone,
    an_admins_credential_counts_in_no_tenant,
    a_credential_that_was_tampered_with_is_none,
    an_access_token_is_good_for_ten_minutes,
    people_see_and_end_their_own_sessions_only,
);
