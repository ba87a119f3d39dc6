//! Hashes that the systems themselves made: Django 5.2, Werkzeug 3, passlib 1.7 and libxcrypt on one
//! machine, PHP's from its manual, bcrypt's from its reference.

use tenantry_core::password::Password;

use super::*;
use crate::password::{HashParams, Hasher, Verdict, check};

/// What was hashed, unless something else is said.
const PASSWORD: &str = "correct horse battery staple ü";

fn verify(password: &str, stored: &str) -> Verdict {
    let mut hasher = Hasher::new(HashParams::new(8, 1, 1).unwrap());
    let password = Password::offered(password).unwrap();
    hasher.verify(&password, stored).unwrap()
}

/// Brings a hash into its stored form, and compares it with its password and with another.
fn expect_fits(password: &str, hash: &str) {
    let stored = stored_form(hash).unwrap_or_else(|error| panic!("{hash}: {error}"));
    let verdict = verify(password, &stored);
    assert_eq!(verdict, Verdict::Match { outdated: true }, "{hash}");
    let other = format!("{}!", password.trim_end_matches('x'));
    assert_eq!(verify(&other, &stored), Verdict::Mismatch, "{hash}");
}

#[test]
fn django() {
    for hash in [
        "pbkdf2_sha256$1000000$EkJeM0wdvVVVD417iA1J2c$U3xWmHK1k0o3NGLS6jTRlVQKttCLz6P3AzA6ug7Lg64=",
        "pbkdf2_sha1$1000$ydRFnhhZk0TaUAjcizjwP0$rtDW7G36CQVbfpnvRth7HNWLT4s=",
        "scrypt$16384$ENt8W43XeDkdNd47mDYLCT$8$5$CaEG2gDqAen4E20sBEwG0xHnW2g3ARxxpD4XsuuMam3lOeYc1eGcUcUNtivncCebfwouz28OGExPjJhYkyZ01Q==",
        "argon2$argon2id$v=19$m=256,t=1,p=8$VnhTMDhLMWxEM25TR1B3OVRwT09pTQ$D0/R0RpE39fWjHEnKI1ysSLjKBcONqBajcsumAdZVPU",
        "bcrypt_sha256$$2b$04$rvwA4JZyfqwS1c1DoHiFhu7tlO610pib.JFCEi9KibyCyuPiJ2w3G",
        "bcrypt$$2b$04$Tp4YenMaTFdb5XQ4X6NRv.AthGK7D2B6MxuswnXgzOw7TO1G09ZLW",
    ] {
        expect_fits(PASSWORD, hash);
    }
}

#[test]
fn laravel_and_php() {
    for hash in [
        "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a",
        "$2a$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi",
    ] {
        expect_fits("rasmuslerdorf", hash);
    }
    expect_fits(
        PASSWORD,
        "$2y$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG",
    );
    expect_fits(
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    );
}

#[test]
fn bcrypt_of_others() {
    for (password, hash) in [
        (
            PASSWORD,
            "$2b$04$LX8e1z7g3QngB2saKOieEuHdT.Gfh8EiYxbbdj29sJuQoWEtKwa5i",
        ),
        (
            PASSWORD,
            "$2a$04$R6nWbjLltAIPuuGe94OPpO/ue.ny.N5LylaC.8z6SaaSeC216pyDW",
        ),
        (
            "",
            "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.",
        ),
        (
            "a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
    ] {
        expect_fits(password, hash);
    }
}

#[test]
fn bcrypt_reads_no_more_than_its_origins_did() {
    // Of 80 characters.
    let long = "$2b$04$7rQyfgjPW5tV9j4060P9Iu6S.rZMP28ebFubsPxhQA1vphlcM7D8m";
    for (count, fits) in [(71, false), (72, true), (80, true), (200, true)] {
        let matched = verify(&"x".repeat(count), long) != Verdict::Mismatch;
        assert_eq!(matched, fits, "{count}");
    }
    // Of 72 characters and four more.
    let tail = "$2y$04$abcdefghijklmnopqrstuuwurWIdVVT4m5pTArtqnFNM69nySdHj.";
    let verdict = verify(&"y".repeat(72), tail);
    assert_eq!(verdict, Verdict::Match { outdated: true });
    // What stands behind a zero was never read.
    let cut = "$2y$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG";
    let verdict = verify(&format!("{PASSWORD}\0and more"), cut);
    assert_eq!(verdict, Verdict::Match { outdated: true });
    // Django's hashes before, so that nothing of a long one is lost.
    let of_sha256 = "bcrypt_sha256$$2b$04$rvwA4JZyfqwS1c1DoHiFhu7tlO610pib.JFCEi9KibyCyuPiJ2w3G";
    let verdict = verify(&format!("{PASSWORD}\0and more"), of_sha256);
    assert_eq!(verdict, Verdict::Mismatch);
}

#[test]
fn passlib() {
    for hash in [
        "$pbkdf2-sha256$1000$N0bIWWsNIcS4N8bYu1eK8Q$ClOgSn348VS2WLboYhqW/raTQrF8YnenU0SQtBX2u9c",
        "$pbkdf2-sha512$1000$iLHW.r/33hsDQEgpBaDUug$z7LZVtGfNbCOMLKUhNAPl1j9AsFzqzOF1cpRDaQaJXvpLUtCUR0KCNiQVlwDg5JMiIDdJWEgRUHmqJdcPm.WmQ",
        "$pbkdf2$1000$z5kTIoTwntOaM2YMoRSiFA$vxHUxLOlhgJeyAsdlYSMtzWKWpc",
        "$scrypt$ln=10,r=8,p=1$GiNEaC3l/P+fk9I6xzgnBA$4N9iJkJxGevmX35YRlrIbHidjUrwZoMKClzeIrCl/jc",
    ] {
        expect_fits(PASSWORD, hash);
        assert_eq!(stored_form(hash).unwrap(), hash, "it stays as it is");
    }
}

#[test]
fn werkzeug() {
    for hash in [
        "scrypt:1024:8:1$bNE4K8pQtqJ84pgO$0d7a2f3971b5a61b2bcea3c7028b3360b7e8dc16ddfe236874f15ac263e5e10bd548d53a252cb7462f5cda1cbc83cae0bc8a714b2ae806f2afd582fae95ecb57",
        "pbkdf2:sha256:1000$HhQmDTtzUxX5zF7E$def4bbf7c046ebe5eb0b7388055b82d7ff53ff0e871d11c5a5531f777c98e032",
        "pbkdf2:sha512:1000$oo9iq2o9oIrawkoK$a6c911a3aeea7749c9b183949cd14d314460f3676fe4956149b8ab1f1de2e48ef82cd93d93dcda339a259d71cd99503f9c68be4e32f08644f65c701b3bf8a9b4",
        "pbkdf2:sha1:1000$iud5mmExEwhNvy6b$4bd61733750a1c0442b824e902b5bff75a35954f",
    ] {
        expect_fits(PASSWORD, hash);
    }
}

#[test]
fn keycloak() {
    let of = |algorithm, value| KeycloakHash {
        algorithm,
        iterations: 1000,
        salt: "AAECAwQFBgcICQoLDA0ODw==",
        value,
        argon2: None,
    };
    for (algorithm, value) in [
        (
            "pbkdf2",
            "xqbbKFuDM7YD8DlIKqrG0nMrbJYiC2zTT1sU4bQYOAZ9MoJD/5U9yJlyT1SGoT8ZaflHfnBYKjMsouCPCuoh9g==",
        ),
        (
            "pbkdf2-sha256",
            "4375YNS9YZWjOkSSca8vGMcgaeQJp2FL1QhyXildVT4oSSkLryljlt7+BW5BvK9TYoZKYFniLZZt2JG6YAFAKQ==",
        ),
        (
            "pbkdf2-sha512",
            "uXxSZu57B+bgHc8DEreHdf6ZUAda9Th1CA/UnG6w6jnSMf0ptCR9qVeXYhkB4FsmbCxL05gh/113SOapd1lzRA==",
        ),
    ] {
        expect_fits(PASSWORD, &of(algorithm, value).stored_form().unwrap());
    }
    let mut argon2 = of("argon2", "jbktBzLYgmupY6eWIqMHK+LE3aQs7DlNi6avnmGLF/w=");
    argon2.iterations = 2;
    assert!(matches!(
        argon2.stored_form(),
        Err(StoredHashError::Malformed)
    ));
    argon2.argon2 = Some(KeycloakArgon2 {
        kind: "id",
        version: "1.3",
        memory: 256,
        lanes: 1,
    });
    expect_fits(PASSWORD, &argon2.stored_form().unwrap());
    let unknown = of("bcrypt-of-a-plugin", "4375YNS9YZWjOkSSca8vGMcgaeQJp2FL").stored_form();
    assert!(matches!(unknown, Err(StoredHashError::Unsupported)));
}

const SALT: &str = "AAECAwQFBgcICQoLDA0ODw";
const OUTPUT: &str = "4375YNS9YZWjOkSSca8vGMcgaeQJp2FL1QhyXildVT4";

#[test]
fn what_would_cost_too_much_is_refused_at_import_and_at_sign_in() {
    let bcrypt = "abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG";
    for (fit, too_costly) in [
        (format!("$2b$14${bcrypt}"), format!("$2b$15${bcrypt}")),
        (
            format!("$pbkdf2-sha256$i=3000000${SALT}${OUTPUT}"),
            format!("$pbkdf2-sha256$i=3000001${SALT}${OUTPUT}"),
        ),
        (
            format!("$pbkdf2-sha1$i=1500000${SALT}${OUTPUT}"),
            format!("$pbkdf2-sha1$i=1500001${SALT}${OUTPUT}"),
        ),
        (
            format!("$scrypt$ln=18,r=8,p=2${SALT}${OUTPUT}"),
            format!("$scrypt$ln=19,r=8,p=1${SALT}${OUTPUT}"),
        ),
        (
            format!("$scrypt$ln=10,r=8,p=512${SALT}${OUTPUT}"),
            format!("$scrypt$ln=10,r=8,p=513${SALT}${OUTPUT}"),
        ),
        (
            format!("$scrypt$ln=1,r=8,p=1${SALT}${OUTPUT}"),
            format!("$scrypt$ln=4294967295,r=4294967295,p=4294967295${SALT}${OUTPUT}"),
        ),
        (
            format!("$pbkdf2-sha512$1${SALT}${OUTPUT}"),
            format!("$pbkdf2-sha512$99999999999999999999${SALT}${OUTPUT}"),
        ),
    ] {
        check(&fit).unwrap_or_else(|error| panic!("{fit}: {error}"));
        assert!(
            matches!(stored_form(&too_costly), Err(StoredHashError::TooCostly)),
            "{too_costly}"
        );
        let mut hasher = Hasher::new(HashParams::new(8, 1, 1).unwrap());
        let password = Password::offered(PASSWORD).unwrap();
        let refused = hasher.verify(&password, &too_costly);
        assert!(
            matches!(refused, Err(StoredHashError::TooCostly)),
            "{too_costly}"
        );
    }
}

#[test]
fn what_is_cut_short_or_spelt_wrongly_is_refused() {
    for hash in [
        "$2b$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKk".to_owned(),
        "$2b$4$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkGx".to_owned(),
        "$2b$03$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG".to_owned(),
        "$2b$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVK=G".to_owned(),
        "$2b$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKé".to_owned(),
        "bcrypt_sha256$".to_owned(),
        format!("$pbkdf2-sha256$i=0${SALT}${OUTPUT}"),
        format!("$pbkdf2-sha256$i=1,i=1${SALT}${OUTPUT}"),
        format!("$pbkdf2-sha256$i=1,x=1${SALT}${OUTPUT}"),
        format!("$pbkdf2-sha256$i=1,l=64${SALT}${OUTPUT}"),
        format!("$pbkdf2-sha256$+1${SALT}${OUTPUT}"),
        format!("$pbkdf2-sha256$1$${OUTPUT}"),
        format!("$pbkdf2-sha256$1${SALT}$AAECAwQFBgcICQoLDA0O"),
        format!("$pbkdf2-sha256$1${SALT}${}", "A".repeat(172)),
        format!("$pbkdf2-sha256$1${SALT}${OUTPUT}$"),
        format!("$scrypt$ln=14,r=8${SALT}${OUTPUT}"),
        format!("$scrypt$ln=0,r=8,p=1${SALT}${OUTPUT}"),
        format!("scrypt$15$salt$8$1${OUTPUT}"),
        "scrypt:1024:8:1$salt$0d7".to_owned(),
        "pbkdf2:sha256:1000$salt".to_owned(),
        format!("pbkdf2_sha256$1000$salt${OUTPUT}$more"),
        format!("$2b${}", "4".repeat(600)),
        String::new(),
    ] {
        let refused = stored_form(&hash);
        assert!(
            matches!(refused, Err(StoredHashError::Malformed)),
            "{hash}: {refused:?}"
        );
    }
}

#[test]
fn what_others_passwords_fit_too_is_refused_and_so_is_what_is_not_known() {
    let flawed = "$2x$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG";
    assert!(matches!(stored_form(flawed), Err(StoredHashError::Flawed)));
    for hash in [
        "$1$abcdefgh$G4KYU6kWMWWkKZAEyGZGI/",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
        "$2$04$abcdefghijklmnopqrstuucA0Kil.o8lwJ0tgOtVNDYu0UM9vVKkG",
        "pbkdf2:md5:1000$salt$00112233445566778899aabbccddeeff",
    ] {
        let refused = stored_form(hash);
        let known = matches!(
            refused,
            Err(StoredHashError::Unsupported | StoredHashError::Malformed)
        );
        assert!(known, "{hash}");
    }
    for hash in [
        "md5$salt$0123",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "!unusable",
        "password",
    ] {
        assert!(stored_form(hash).is_err(), "{hash}");
    }
}
