use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use tenantry_claims::Claims;
use tenantry_core::Timestamp;

use super::*;

const ISSUER: &str = "https://id.example.org";
const AUDIENCE: &str = "https://app.example.org";
const EXPIRES: i64 = 1_767_226_200;
const SEED: [u8; 32] = [7; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "0192f0c1-0000-7000-8000-000000000001".to_owned(),
        iat: EXPIRES - 600,
        exp: EXPIRES,
        jti: "0192f0c1-0000-7000-8000-000000000002".to_owned(),
        sid: "0192f0c1-0000-7000-8000-000000000003".to_owned(),
        tid: Some("0192f0c1-0000-7000-8000-000000000004".to_owned()),
        tslug: Some("acme".to_owned()),
        tcode: Some("TEN00001".to_owned()),
        tgen: Some(2),
        role: "member".to_owned(),
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&SEED).unwrap()
}

fn keys() -> VerifyingKeys {
    [key().verifying().clone()].into_iter().collect()
}

fn sign(claims: &Claims) -> String {
    key().sign(claims).unwrap().expose().clone()
}

fn verify(jwt: &str) -> Result<Claims, VerifyError> {
    keys().verify(jwt, ISSUER, AUDIENCE, at(EXPIRES - 1))
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header and claims, signed as ours are.
fn signed(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn header() -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key().kid()})
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

#[test]
fn a_token_says_what_was_signed() {
    assert_eq!(verify(&sign(&claims())), Ok(claims()));
    let admin = Claims {
        tid: None,
        tslug: None,
        tcode: None,
        tgen: None,
        role: "platform_admin".to_owned(),
        ..claims()
    };
    assert_eq!(verify(&sign(&admin)), Ok(admin));
}

#[test]
fn the_header_is_what_rfc_9068_asks() {
    let jwt = sign(&claims());
    let octets = BASE64_URL_SAFE_NO_PAD
        .decode(jwt.split('.').next().unwrap())
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&octets).unwrap(), header());
}

#[test]
fn good_until_the_second_it_expires() {
    let jwt = sign(&claims());
    let verify = |now| keys().verify(&jwt, ISSUER, AUDIENCE, now).map(drop);
    assert_eq!(verify(at(EXPIRES - 1)), Ok(()));
    assert_eq!(
        verify(Timestamp::from_micros(EXPIRES * 1_000_000 - 1)),
        Ok(())
    );
    assert_eq!(verify(at(EXPIRES)), Err(VerifyError::Expired));
    assert_eq!(verify(at(EXPIRES + 1)), Err(VerifyError::Expired));
}

#[test]
fn not_good_before_it_is_issued() {
    let jwt = sign(&claims());
    let verify = |now| keys().verify(&jwt, ISSUER, AUDIENCE, now).map(drop);
    let issued = at(EXPIRES - 600);
    let moment = std::time::Duration::from_micros(1);
    assert_eq!(verify(issued - ISSUED_AHEAD), Ok(()));
    assert_eq!(
        verify(issued - ISSUED_AHEAD - moment),
        Err(VerifyError::NotYet)
    );
    assert_eq!(verify(at(0)), Err(VerifyError::NotYet));
}

#[test]
fn issuer_and_audience_are_exact() {
    let jwt = sign(&claims());
    let verify = |issuer, audience| {
        keys()
            .verify(&jwt, issuer, audience, at(EXPIRES - 1))
            .map(drop)
    };
    assert_eq!(verify(ISSUER, AUDIENCE), Ok(()));
    assert_eq!(verify(AUDIENCE, AUDIENCE), Err(VerifyError::WrongIssuer));
    assert_eq!(verify("", AUDIENCE), Err(VerifyError::WrongIssuer));
    assert_eq!(verify(ISSUER, ISSUER), Err(VerifyError::WrongAudience));
    assert_eq!(
        verify(ISSUER, "https://app.example.org/"),
        Err(VerifyError::WrongAudience)
    );
}

#[test]
fn keys_are_told_apart_by_name() {
    let other = SigningKey::from_seed(&[8; 32]).unwrap();
    let jwt = other.sign(&claims()).unwrap();
    assert_eq!(verify(jwt.expose()), Err(VerifyError::UnknownKey));

    let both: VerifyingKeys = [key().verifying().clone(), other.verifying().clone()]
        .into_iter()
        .collect();
    for jwt in [sign(&claims()), jwt.expose().clone()] {
        assert!(both.verify(&jwt, ISSUER, AUDIENCE, at(EXPIRES - 1)).is_ok());
    }

    // Another key's signature under our key's name.
    let ours = sign(&claims());
    let (message, _) = ours.rsplit_once('.').unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    assert_eq!(
        verify(&format!("{message}.{signature}")),
        Err(VerifyError::Signature)
    );
}

#[test]
fn every_changed_character_is_refused() {
    let jwt = sign(&claims());
    for place in 0..jwt.len() {
        let mut changed = jwt.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        assert!(
            verify(&String::from_utf8(changed).unwrap()).is_err(),
            "at {place}"
        );
    }
    for end in 0..jwt.len() {
        assert!(verify(&jwt[..end]).is_err(), "cut at {end}");
    }
    for more in ["=", "A", ".", ".A", " "] {
        assert!(verify(&format!("{jwt}{more}")).is_err());
    }
}

#[test]
fn no_other_algorithm_and_no_other_type() {
    let claims = serde_json::to_value(claims()).unwrap();
    assert!(verify(&signed(&header(), &claims)).is_ok());
    for algorithm in [
        "none", "None", "HS256", "RS256", "ES256", "PS256", "Ed25519", "eddsa", "",
    ] {
        let jwt = signed(&with(header(), "alg", json!(algorithm)), &claims);
        assert_eq!(verify(&jwt), Err(VerifyError::Malformed), "{algorithm}");
    }
    for kind in ["JWT", "jwt", "", "logout+jwt"] {
        let jwt = signed(&with(header(), "typ", json!(kind)), &claims);
        assert_eq!(verify(&jwt), Err(VerifyError::Malformed), "{kind}");
    }
    for name in ["alg", "typ", "kid"] {
        let jwt = signed(&without(header(), name), &claims);
        assert_eq!(verify(&jwt), Err(VerifyError::Malformed), "no {name}");
    }
    let critical = signed(&with(header(), "crit", json!(["b64"])), &claims);
    assert_eq!(verify(&critical), Err(VerifyError::Malformed));
}

#[test]
fn a_token_without_signature_is_refused() {
    let claims = serde_json::to_value(claims()).unwrap();
    let none = with(header(), "alg", json!("none"));
    let unsigned = format!("{}.{}.", encode(&none), encode(&claims));
    assert_eq!(verify(&unsigned), Err(VerifyError::Malformed));
    let unsigned = format!("{}.{}.", encode(&header()), encode(&claims));
    assert_eq!(verify(&unsigned), Err(VerifyError::Signature));
    // The public key taken for the secret of an HMAC.
    let message = format!(
        "{}.{}",
        encode(&with(header(), "alg", json!("HS256"))),
        encode(&claims)
    );
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key().verifying().as_bytes());
    let tag = BASE64_URL_SAFE_NO_PAD.encode(ring::hmac::sign(&secret, message.as_bytes()));
    assert_eq!(
        verify(&format!("{message}.{tag}")),
        Err(VerifyError::Malformed)
    );
}

#[test]
fn claims_by_halves_are_refused() {
    let whole = serde_json::to_value(claims()).unwrap();
    for name in whole.as_object().unwrap().keys() {
        let jwt = signed(&header(), &without(whole.clone(), name));
        assert_eq!(verify(&jwt), Err(VerifyError::Malformed), "no {name}");
    }
    for (name, value) in [
        ("exp", json!("1767226200")),
        ("exp", json!(1.5)),
        ("aud", json!([AUDIENCE])),
    ] {
        let jwt = signed(&header(), &with(whole.clone(), name, value));
        assert_eq!(verify(&jwt), Err(VerifyError::Malformed), "{name}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["", ".", "..", "...", "a.b.c", "Bearer x"] {
        assert_eq!(verify(text), Err(VerifyError::Malformed), "{text}");
    }
    let whole = serde_json::to_value(claims()).unwrap();
    let long = signed(&header(), &with(whole, "more", json!("x".repeat(4096))));
    assert_eq!(verify(&long), Err(VerifyError::Malformed));
}

#[test]
fn the_key_set_has_public_halves_alone() {
    let jwks = serde_json::to_value(keys().jwks()).unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(key().verifying().as_bytes());
    let expected = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": x, "kid": key().kid(), "use": "sig", "alg": "EdDSA",
    }]});
    assert_eq!(jwks, expected);
}

#[test]
fn a_key_comes_back_from_its_seed_and_its_public_half() {
    let (key, seed) = SigningKey::generate(&crate::entropy()).unwrap();
    let again = SigningKey::from_seed(seed.expose()).unwrap();
    assert_eq!(again.kid(), key.kid());
    let public = VerifyingKey::from_bytes(key.verifying().as_bytes()).unwrap();
    assert_eq!(public.kid(), key.kid());
    assert_eq!(
        SigningKey::from_seed(&[0; 31]).err(),
        Some(KeyError::Length(31))
    );
    assert_eq!(
        VerifyingKey::from_bytes(&[0; 33]).err(),
        Some(KeyError::Length(33))
    );
    let (other, _) = SigningKey::generate(&crate::entropy()).unwrap();
    assert_ne!(other.kid(), key.kid());
}
