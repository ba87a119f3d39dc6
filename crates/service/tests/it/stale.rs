//! What ended a session is seen by the next request, whichever way the session is carried.

use std::time::Duration;

use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{
    ADA, OTHER, SignedInTwice, advance_until_just_before, id, principal, sign_in, sign_in_twice,
    start,
};

async fn acme(driver: Driver) -> (TestService, tenantry_core::TenantId, SignedInTwice) {
    let test = start(driver).await;
    let tenant = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    ada.expect_live(&test.service).await;
    (test, tenant, ada)
}

async fn suspended(driver: Driver) {
    let (test, tenant, ada) = acme(driver).await;
    test.service.suspend_tenant(tenant).await.unwrap();
    ada.expect_stale(&test.service, "suspended").await;
}

async fn deleted_and_restored(driver: Driver) {
    let (test, tenant, ada) = acme(driver).await;
    test.service.delete_tenant(tenant, false).await.unwrap();
    ada.expect_stale(&test.service, "deleted").await;
    let restored = test.service.restore_tenant(tenant).await.unwrap();
    assert_eq!(restored.tenant.generation.number(), 2);
    ada.expect_stale(&test.service, "restored").await;
    // The person is there again, with the same password.
    let again = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    again.expect_live(&test.service).await;
}

async fn recreated(driver: Driver) {
    let (test, tenant, ada) = acme(driver).await;
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    test.service.recreate_tenant(tenant, &owner).await.unwrap();
    ada.expect_stale(&test.service, "recreated").await;
    let again = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    again.expect_live(&test.service).await;
    assert_ne!(ada.person.subject(), again.person.subject());
}

async fn purged(driver: Driver) {
    let (test, tenant, ada) = acme(driver).await;
    test.service.delete_tenant(tenant, true).await.unwrap();
    ada.expect_stale(&test.service, "purged").await;
    // Another tenant of the same name is another tenant.
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    ada.expect_stale(&test.service, "another of this name")
        .await;
}

/// Also where the end of the sessions themselves was not recorded: the facts decide.
async fn the_generation_alone_ends_a_session(driver: Driver) {
    let (test, tenant, ada) = acme(driver).await;
    test.service.delete_tenant(tenant, false).await.unwrap();
    test.service.restore_tenant(tenant).await.unwrap();
    test.control()
        .damage("UPDATE sessions SET ended_at = NULL, end_reason = NULL")
        .await
        .unwrap();
    ada.expect_stale(&test.service, "an older generation").await;
}

async fn password_changed(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
    let (_, other) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let other = principal(&test, other.token.expose()).await;
    test.service
        .change_password(&other, PASSWORD, OTHER, None)
        .await
        .unwrap();
    ada.expect_stale(&test.service, "password changed").await;
}

async fn the_security_version_alone_ends_a_session(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
    let view = test.service.find_tenant("acme").await.unwrap();
    let sql = "UPDATE tenantry_users SET security_version = security_version + 1";
    assert_eq!(test.damage_tenant(&view, sql).await.unwrap(), 1);
    ada.expect_stale(&test.service, "an older security version")
        .await;
}

async fn disabled_and_gone(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
    let view = test.service.find_tenant("acme").await.unwrap();
    for (sql, at) in [
        ("UPDATE tenantry_users SET disabled_at = 1", "disabled"),
        ("DELETE FROM tenantry_users", "gone"),
    ] {
        test.damage_tenant(&view, sql).await.unwrap();
        ada.expect_stale(&test.service, at).await;
    }
}

async fn signed_out(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
    let browser = principal(&test, &ada.cookie).await;
    test.service.sign_out(browser.session.id).await.unwrap();
    let cookie = Credential::Cookie(&ada.cookie);
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
    let bearer = Credential::Bearer(&ada.bearer);
    let api = test.service.authenticate(bearer, None).await.unwrap();
    let ended = test.service.sign_out_everywhere(&api.person).await.unwrap();
    assert_eq!(ended, 1, "the other had ended");
    ada.expect_stale(&test.service, "signed out everywhere")
        .await;
}

/// An owner's session lasts twelve hours, used or not.
async fn the_longest_time(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
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
async fn the_idle_time(driver: Driver) {
    let (test, _, ada) = acme(driver).await;
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

async fn an_admin_who_signed_out(driver: Driver) {
    let test = start(driver).await;
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
    test.service.sign_out(root.session.id).await.unwrap();
    let cookie = Credential::Cookie(issued.token.expose());
    refused!(
        test.service.authenticate(cookie, None).await,
        Refusal::SessionStale
    );
}

on_both!(
    suspended,
    deleted_and_restored,
    recreated,
    purged,
    the_generation_alone_ends_a_session,
    password_changed,
    the_security_version_alone_ends_a_session,
    disabled_and_gone,
    signed_out,
    the_longest_time,
    the_idle_time,
    an_admin_who_signed_out,
);
