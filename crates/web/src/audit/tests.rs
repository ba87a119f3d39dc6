use super::*;
use crate::route::{Doc, Verb};

fn route(class: AuditClass) -> Route {
    let doc = Doc::new("", 200);
    Route::api(Verb::Post, "/", Audience::Public, doc).audited(class, "thing.act")
}

fn by_status(route: &Route, status: u16, code: Option<ProblemCode>) -> Option<Outcome> {
    let status = StatusCode::from_u16(status).unwrap();
    ended(route, Verdict::ByStatus, status, code).map(|(outcome, _)| outcome)
}

#[test]
fn what_was_refused_before_anything_happened_leaves_nothing() {
    for class in [AuditClass::Session, AuditClass::Tenant] {
        let route = route(class).takes_secret();
        for code in ProblemCode::ALL {
            let left = by_status(&route, code.status(), Some(*code));
            let expected = match code.status() {
                403 | 409 => Some(Outcome::Refused),
                500 => Some(Outcome::Failed),
                503 if class == AuditClass::Tenant => Some(Outcome::Failed),
                400 | 401
                    if matches!(
                        code.as_str(),
                        "invalid_credentials" | "otp_invalid" | "token_invalid"
                    ) =>
                {
                    Some(Outcome::Refused)
                }
                _ => None,
            };
            assert_eq!(left, expected, "{class:?} {}", code.as_str());
        }
    }
}

#[test]
fn garbage_in_the_place_of_a_token_leaves_nothing() {
    let code = Some(ProblemCode::TokenInvalid);
    let token = route(AuditClass::Session).takes_token();
    assert_eq!(by_status(&token, 400, code), None);
    assert_eq!(by_status(&token, 400, None), None);
    let secret = route(AuditClass::Person).takes_secret();
    assert_eq!(by_status(&secret, 400, code), Some(Outcome::Refused));
}

#[test]
fn pages_tell_in_words_of_their_own() {
    let secret = route(AuditClass::Session).takes_secret();
    let status = StatusCode::UNAUTHORIZED;
    assert_eq!(
        ended(&secret, Verdict::ByStatus, status, None),
        Some((Outcome::Refused, Some("invalid_credentials")))
    );
    assert_eq!(
        ended(
            &secret,
            Verdict::Refused("session_stale"),
            StatusCode::OK,
            None
        ),
        Some((Outcome::Refused, Some("session_stale")))
    );
    assert_eq!(ended(&secret, Verdict::Nothing, StatusCode::OK, None), None);
    assert_eq!(by_status(&secret, 303, None), Some(Outcome::Done));
}
