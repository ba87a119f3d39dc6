//! One-time codes: for the right tenant without being told, few tries however many come at once.

use std::time::Duration;

use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::mailbox::StoredMail;
use tenantry_service::recovery::{Proof, Way};
use tenantry_service::resolve::Resolved;
use tenantry_testkit::on_each_isolation;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use super::{NOBODY, ask, reset};
use crate::people::{ADA, IP, OTHER, THIRD, id, named, one, sign_in, try_in};

on_each_isolation! {
    a_code_sets_the_password_of_one_person,
}

/// The codes in a mail, each with the host beside it.
pub(crate) fn codes(mail: &StoredMail) -> Vec<(String, String)> {
    let text = mail.text.as_deref().unwrap();
    let lines = text.lines().filter_map(|line| {
        let (before, code) = line.rsplit_once("): ")?;
        let (_, host) = before.rsplit_once('(')?;
        let is_code = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
        is_code.then(|| (host.to_owned(), code.to_owned()))
    });
    lines.collect()
}

async fn verify(
    test: &TestService,
    slug: Option<&str>,
    email: &str,
    code: &str,
) -> Result<Proof, Refusal> {
    let tenant = match slug {
        Some(slug) => named(&test.service, slug).await.unwrap(),
        None => Resolved::None,
    };
    test.service
        .verify_code(&tenant, &email.parse().unwrap(), code, IP.parse().ok())
        .await
}

/// A code that is not this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

async fn a_code_sets_the_password_of_one_person(options: Options) {
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let globex = id(&test.make_tenant("globex", ADA, OTHER).await.unwrap());
    without_being_told_the_tenant(&test).await;
    wrong_passwords_leave_codes_alone_and_codes_leave_passwords(&test).await;
    a_code_of_one_tenant_is_none_in_another(&test).await;
    guesses_at_once_use_up_the_tries(&test).await;
    a_new_code_gives_no_more_tries_an_hour(&test).await;
    test.clock.advance(Duration::from_hours(2));
    a_code_runs_out(&test).await;
    let mail = ask(&test, Some("globex"), ADA, Way::Code).await.unwrap();
    test.service.delete_tenant(globex, false).await.unwrap();
    refused!(
        verify(&test, None, ADA, &codes(&mail)[0].1).await,
        Refusal::OtpInvalid
    );
}

async fn without_being_told_the_tenant(test: &TestService) {
    let mail = ask(test, None, ADA, Way::Code).await.unwrap();
    let listed = codes(&mail);
    let hosts: Vec<&str> = listed.iter().map(|(host, _)| host.as_str()).collect();
    assert_eq!(hosts, ["acme.localhost:8000", "globex.localhost:8000"]);
    assert_ne!(listed[0].1, listed[1].1);
    let text = mail.text.as_deref().unwrap();
    assert!(
        text.contains("http://localhost:8000/reset-password/otp"),
        "{text}"
    );
    let proof = verify(test, None, ADA, &listed[1].1).await.unwrap();
    assert_eq!(proof.expires_in, Duration::from_mins(10));
    refused!(
        verify(test, None, ADA, &listed[1].1).await,
        Refusal::OtpInvalid,
        "used"
    );
    // The proof is needed, not just the address, and it is for that tenant.
    reset(test, proof.reset_token.expose(), THIRD, None)
        .await
        .unwrap();
    one(try_in(test, Some("globex"), ADA, THIRD).await.unwrap());
    one(try_in(test, Some("acme"), ADA, PASSWORD).await.unwrap());
    refused!(
        reset(test, proof.reset_token.expose(), OTHER, None).await,
        Refusal::TokenInvalid
    );
    for garbage in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        refused!(
            verify(test, None, ADA, garbage).await,
            Refusal::OtpInvalid,
            garbage
        );
    }
    refused!(
        verify(test, None, NOBODY, "123456").await,
        Refusal::OtpInvalid
    );
    refused!(
        verify(test, Some("acme"), NOBODY, "123456").await,
        Refusal::OtpInvalid
    );
}

/// Whoever mistyped a password often is the one who asks for a code, and nobody takes a way in from
/// its owner by trying another one.
async fn wrong_passwords_leave_codes_alone_and_codes_leave_passwords(test: &TestService) {
    for _ in 0..6 {
        assert!(try_in(test, Some("acme"), ADA, OTHER).await.is_err());
    }
    let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
    let code = codes(&mail).remove(0).1;
    assert!(verify(test, Some("acme"), ADA, &code).await.is_ok());
    unlock(test).await;
    for _ in 0..6 {
        let guess = wrong(&code);
        assert!(verify(test, Some("acme"), ADA, &guess).await.is_err());
    }
    one(try_in(test, Some("acme"), ADA, PASSWORD).await.unwrap());
    unlock(test).await;
}

async fn a_code_of_one_tenant_is_none_in_another(test: &TestService) {
    let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
    let listed = codes(&mail);
    assert_eq!(listed.len(), 1);
    refused!(
        verify(test, Some("globex"), ADA, &listed[0].1).await,
        Refusal::OtpInvalid
    );
    let typed = format!(" {} {} ", &listed[0].1[..3], &listed[0].1[3..]);
    assert!(verify(test, Some("acme"), ADA, &typed).await.is_ok());
}

/// Lifts the block that wrong codes put on the account, as on every other way in.
async fn unlock(test: &TestService) {
    let tenant = named(&test.service, "acme").await.unwrap().id().unwrap();
    let email = ADA.parse().unwrap();
    test.service.unlock_user(tenant, &email).await.unwrap();
}

async fn guesses_at_once_use_up_the_tries(test: &TestService) {
    test.clock.advance(Duration::from_hours(2));
    let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
    let code = codes(&mail).remove(0).1;
    let guess = wrong(&code);
    let guesses = (0..40).map(|_| verify(test, Some("acme"), ADA, &guess));
    let outcomes = futures_util::future::join_all(guesses).await;
    assert!(outcomes.iter().all(Result::is_err));
    // Past the limits of the account the right one is not even compared; with them lifted, the
    // code's own tries are gone.
    unlock(test).await;
    test.clock.advance(Duration::from_mins(9));
    let late = verify(test, Some("acme"), ADA, &code).await;
    assert!(late.is_err(), "five tries are gone");
}

async fn a_new_code_gives_no_more_tries_an_hour(test: &TestService) {
    test.clock.advance(Duration::from_hours(2));
    let mut heard = 0;
    for _ in 0..4 {
        let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
        let guess = wrong(&codes(&mail)[0].1);
        for _ in 0..5 {
            match verify(test, Some("acme"), ADA, &guess).await {
                Err(Refusal::OtpInvalid) => heard += 1,
                Err(Refusal::RateLimited(wait)) => assert!(wait > Duration::from_mins(55)),
                Err(other) => panic!("refused otherwise: {other:?}"),
                Ok(_) => panic!("a wrong code was taken"),
            }
        }
    }
    assert_eq!(heard, 10);
}

async fn a_code_runs_out(test: &TestService) {
    let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
    let code = codes(&mail).remove(0).1;
    test.clock.advance(Duration::from_mins(10));
    refused!(
        verify(test, Some("acme"), ADA, &code).await,
        Refusal::OtpInvalid
    );
    unlock(test).await;
    let mail = ask(test, Some("acme"), ADA, Way::Code).await.unwrap();
    let code = codes(&mail).remove(0).1;
    let (person, _) = sign_in(test, "acme", ADA, PASSWORD, SessionKind::Api).await;
    assert!(person.tenant().is_some());
    test.clock.advance(Duration::from_mins(9));
    let proof = verify(test, Some("acme"), ADA, &code).await.unwrap();
    test.clock.advance(Duration::from_mins(10));
    refused!(
        reset(test, proof.reset_token.expose(), OTHER, None).await,
        Refusal::TokenInvalid,
        "the proof runs out too"
    );
}

/// Without limits on guessing, a code still has five tries.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_has_five_tries_whatever_the_limits() {
    let options = Options::sqlite().without_rate_limits();
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for (guesses, good) in [(4, true), (5, false)] {
        let mail = ask(&test, Some("acme"), ADA, Way::Code).await.unwrap();
        let code = codes(&mail).remove(0).1;
        let guess = wrong(&code);
        let tried = (0..guesses).map(|_| verify(&test, Some("acme"), ADA, &guess));
        futures_util::future::join_all(tried).await;
        let right = verify(&test, Some("acme"), ADA, &code).await;
        assert_eq!(right.is_ok(), good, "after {guesses} wrong ones");
    }
}
