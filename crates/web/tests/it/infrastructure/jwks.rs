//! `GET /.well-known/jwks.json`

use tenantry_testkit::app::{AccessToken, TestApp};

use crate::shape::has_fields;

async fn holds_public_keys_that_verify_access_tokens(app: TestApp) {
    let acme = app.tenant("acme").await;
    let answer = app.get("/.well-known/jwks.json").send().await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let jwks = answer.ok(200);
    has_fields(&jwks, &["keys"]);
    for key in jwks["keys"].as_array().unwrap() {
        has_fields(key, &["kty", "crv", "x", "kid", "use", "alg"]);
        for (name, value) in [
            ("kty", "OKP"),
            ("crv", "Ed25519"),
            ("use", "sig"),
            ("alg", "EdDSA"),
        ] {
            assert_eq!(key[name], value);
        }
    }
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let token = AccessToken::parse(&signed.access);
    assert!(token.is_signed_by(&jwks));
    let mut claims = token.claims.clone();
    claims["role"] = "platform_admin".into();
    assert!(!AccessToken::parse(&token.forged(&claims)).is_signed_by(&jwks));
    assert!(!AccessToken::parse(&token.signed_by_another(None)).is_signed_by(&jwks));
}

on_both!(holds_public_keys_that_verify_access_tokens);
