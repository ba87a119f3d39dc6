//! What ended a session is seen by the next request, whichever way the session is carried. What the
//! product itself changes is tried on pages, API and forward-auth (`crates/web/tests/it/stale.rs`);
//! here is what time and hands do, other processes, and slow readers.

mod ahead;
mod held;
mod interleaved;
mod memory;
mod nodes;
mod used;

use std::time::{Duration, Instant};

use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{
    ADA, SignedInTwice, advance_until_just_before, id, principal, sign_in, sign_in_twice,
};

/// What is promised for a change that nobody tells of.
const SECOND: Duration = Duration::from_secs(1);

async fn acme(options: Options) -> (TestService, tenantry_core::TenantId, SignedInTwice) {
    let test = TestService::start(options).await.unwrap();
    let tenant = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    ada.expect_live(&test.service).await;
    (test, tenant, ada)
}

/// Also where the end of the sessions themselves was not recorded: the facts decide.
async fn the_generation_alone_ends_a_session(options: Options) {
    let (test, tenant, ada) = acme(options).await;
    test.service.delete_tenant(tenant, false).await.unwrap();
    test.service.restore_tenant(tenant).await.unwrap();
    assert_eq!(test.revive_sessions().await.unwrap(), 2);
    ada.expect_stale(&test.service, "an older generation").await;
    // The person is there again, with the same password.
    let again = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    again.expect_live(&test.service).await;
    assert_ne!(ada.person.subject(), again.person.subject());
}

/// Rows that were changed by hand tell nobody, and count within a second all the same.
async fn what_was_changed_by_hand_ends_a_session(options: Options) {
    let (test, _, first) = acme(options).await;
    let view = test.service.find_tenant("acme").await.unwrap();
    let version = "UPDATE tenantry_users SET security_version = security_version + 1";
    let disabled = "UPDATE tenantry_users SET disabled_at = 1";
    let gone = "DELETE FROM tenantry_users";
    let mut ada = first;
    for (sql, at) in [
        (version, "an older security version"),
        (disabled, "disabled"),
        (gone, "gone"),
    ] {
        ada.expect_live(&test.service).await;
        assert_eq!(test.damage_tenant(&view, sql).await.unwrap(), 1);
        let since = Instant::now();
        for (name, credential) in ada.credentials() {
            loop {
                let asked = since.elapsed();
                let answer = test.service.authenticate(credential, None).await;
                if answer.is_err() {
                    break;
                }
                assert!(asked < SECOND, "{name}, {at}: it counts after {asked:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        ada.expect_stale(&test.service, at).await;
        if at == "disabled" {
            let enabled = "UPDATE tenantry_users SET disabled_at = NULL";
            test.damage_tenant(&view, enabled).await.unwrap();
        }
        if at != "gone" {
            ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
        }
    }
}

async fn signed_out(options: Options) {
    let (test, _, ada) = acme(options).await;
    let browser = principal(&test, &ada.cookie).await;
    test.service
        .sign_out(&browser.session.handle())
        .await
        .unwrap();
    let cookie = Credential::Cookie(&ada.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    let bearer = Credential::Bearer(&ada.bearer);
    let api = test.service.authenticate(bearer, None).await.unwrap();
    let ended = test.service.sign_out_everywhere(&api).await.unwrap();
    assert_eq!(ended, 1, "the other had ended");
    ada.expect_stale(&test.service, "signed out everywhere")
        .await;
}

/// An owner's session lasts twelve hours, used or not.
async fn the_longest_time(options: Options) {
    let (test, _, ada) = acme(options).await;
    let half_an_hour = Duration::from_mins(30);
    for _ in 0..23 {
        test.clock.advance(half_an_hour);
        principal(&test, &ada.cookie).await;
    }
    advance_until_just_before(&test, half_an_hour);
    principal(&test, &ada.cookie).await;
    test.clock.advance(Duration::from_micros(1));
    let cookie = Credential::Cookie(&ada.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
}

/// An owner's session ends an hour after its last use.
async fn the_idle_time(options: Options) {
    let (test, _, ada) = acme(options).await;
    let hour = Duration::from_hours(1);
    advance_until_just_before(&test, hour);
    principal(&test, &ada.cookie).await;
    advance_until_just_before(&test, hour);
    principal(&test, &ada.cookie).await;
    test.clock.advance(hour);
    let cookie = Credential::Cookie(&ada.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    let refresh = test.service.refresh(&ada.refresh, None).await;
    refused!(refresh, Refusal::SessionStale);
}

/// A clock that is set back signs nobody out, takes no session's time away, and brings back none that
/// was ended.
async fn a_clock_set_back(options: Options) {
    let (test, _, ada) = acme(options).await;
    let (_, gone) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let begun = test.clock.now();
    test.clock.advance(Duration::from_mins(50));
    principal(&test, &ada.cookie).await;
    test.service.sign_out(&gone.session.handle()).await.unwrap();
    test.clock.set(begun - Duration::from_mins(5));
    principal(&test, &ada.cookie).await;
    let gone = Credential::Cookie(gone.token.expose());
    refused!(
        test.service.authenticate(gone, None).await,
        Refusal::SessionStale
    );
    // An owner's session ends an hour after its last use, and twelve after its beginning.
    test.clock.set(begun + Duration::from_mins(55));
    principal(&test, &ada.cookie).await;
    test.clock.set(begun + Duration::from_hours(12));
    let cookie = Credential::Cookie(&ada.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
}

async fn an_admin_who_signed_out(options: Options) {
    let test = TestService::start(options).await.unwrap();
    let email = "root@example.org".parse().unwrap();
    test.service
        .create_admin(email, Some(PASSWORD))
        .await
        .unwrap();
    let signed_in = crate::people::try_in(&test, None, "root@example.org", PASSWORD).await;
    let (_, issued) = crate::people::one(signed_in.unwrap());
    let root = principal(&test, issued.token.expose()).await;
    // A platform admin's session ends after a quarter of an hour without use.
    advance_until_just_before(&test, Duration::from_mins(15));
    principal(&test, issued.token.expose()).await;
    test.service.sign_out(&root.session.handle()).await.unwrap();
    let cookie = Credential::Cookie(issued.token.expose());
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
}

on_each_session_driver!(
    the_generation_alone_ends_a_session,
    what_was_changed_by_hand_ends_a_session,
    signed_out,
    the_longest_time,
    the_idle_time,
    a_clock_set_back,
    an_admin_who_signed_out,
);
