//! Changing a password while signed in.

use tenantry_core::session::{EndReason, SessionKind};
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD};

use crate::bench::cut_off;
use crate::people::{ADA, OTHER, THIRD, one, principal, sign_in, sign_in_twice, start, try_in};

async fn it_ends_the_other_sessions_and_keeps_its_own(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let others = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let elsewhere = sign_in_twice(&test, "globex", ADA, PASSWORD).await;
    let (_, own) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let own = own.token.expose();
    // Twice in a row, since the first must leave a session that the second can stand on.
    for (from, to) in [(PASSWORD, OTHER), (OTHER, THIRD)] {
        let ada = principal(&test, own).await;
        test.service
            .change_password(&ada, from, to, None)
            .await
            .unwrap();
        principal(&test, own).await;
    }
    others.expect_stale(&test.service, "other sessions").await;
    elsewhere.expect_live(&test.service).await;
    one(try_in(&test, Some("acme"), ADA, THIRD).await.unwrap());
    for old in [PASSWORD, OTHER] {
        refused!(
            try_in(&test, Some("acme"), ADA, old).await,
            Refusal::InvalidCredentials
        );
    }
    one(try_in(&test, Some("globex"), ADA, PASSWORD).await.unwrap());
}

async fn it_asks_for_the_present_password_and_a_good_one(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (_, issued) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let ada = principal(&test, issued.token.expose()).await;
    for (current, chosen, field, code) in [
        (OTHER, THIRD, "current_password", "wrong"),
        (PASSWORD, "too short", "new_password", "too_short"),
        (PASSWORD, PASSWORD, "new_password", "same"),
    ] {
        let changed = test
            .service
            .change_password(&ada, current, chosen, None)
            .await;
        let Err(Refusal::Validation(errors)) = changed else {
            panic!("{field} was taken");
        };
        assert_eq!((&*errors[0].field, errors[0].code), (field, code));
    }
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
}

/// Whoever dies over it leaves nobody signed out who was to stay: the own session goes on before the
/// others end.
async fn the_own_session_goes_on_before_the_others_end(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (mut from, mut to) = (PASSWORD, OTHER);
    let mut ended = 0;
    for waits in 0.. {
        // What was sent to the database before the cut may have come through only after somebody looked.
        if try_in(&test, Some("acme"), ADA, from).await.is_err() {
            (from, to) = (to, from);
        }
        let others = sign_in_twice(&test, "acme", ADA, from).await;
        let (_, own) = sign_in(&test, "acme", ADA, from, SessionKind::Browser).await;
        let own = own.token.expose();
        let ada = principal(&test, own).await;
        let change = Box::pin(test.service.change_password(&ada, from, to, None));
        let done = cut_off(change, waits).await;
        // What was left in the middle is taken back when the next looks.
        let others = Credential::Cookie(&others.cookie);
        if test.service.why_ended(others, None).await == Some(EndReason::Password) {
            ended += 1;
            principal(&test, own).await;
        }
        if try_in(&test, Some("acme"), ADA, to).await.is_ok() {
            (from, to) = (to, from);
        }
        if done.is_some() {
            break;
        }
    }
    assert!(ended > 0);
}

/// Whoever found an open browser does not get to guess the password there.
async fn guesses_at_the_present_password_are_limited(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (_, issued) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let ada = principal(&test, issued.token.expose()).await;
    for _ in 0..5 {
        let wrong = test.service.change_password(&ada, OTHER, THIRD, None).await;
        refused!(wrong, Refusal::Validation(_));
    }
    let right = test
        .service
        .change_password(&ada, PASSWORD, THIRD, None)
        .await;
    refused!(right, Refusal::RateLimited(_));
}

async fn an_admin_changes_a_password_too(driver: Driver) {
    let test = start(driver).await;
    let root = "root@example.org";
    test.service
        .create_admin(root.parse().unwrap(), Some(PASSWORD))
        .await
        .unwrap();
    let (_, other) = one(try_in(&test, None, root, PASSWORD).await.unwrap());
    let (_, own) = one(try_in(&test, None, root, PASSWORD).await.unwrap());
    let admin = principal(&test, own.token.expose()).await;
    test.service
        .change_password(&admin, PASSWORD, OTHER, None)
        .await
        .unwrap();
    principal(&test, own.token.expose()).await;
    let ended = Credential::Cookie(other.token.expose());
    refused!(
        test.service.authenticate(ended, None).await,
        Refusal::SessionStale
    );
    one(try_in(&test, None, root, OTHER).await.unwrap());
}

on_both!(
    it_ends_the_other_sessions_and_keeps_its_own,
    it_asks_for_the_present_password_and_a_good_one,
    the_own_session_goes_on_before_the_others_end,
    guesses_at_the_present_password_are_limited,
    an_admin_changes_a_password_too,
);
