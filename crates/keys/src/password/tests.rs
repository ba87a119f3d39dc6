use super::*;

/// Parameters that cost next to nothing.
fn cheap() -> HashParams {
    HashParams::new(8, 1, 1).unwrap()
}

fn password(text: &str) -> Password {
    Password::offered(text).unwrap()
}

const OUTDATED: Verdict = Verdict::Match { outdated: true };
const CURRENT: Verdict = Verdict::Match { outdated: false };

/// From the reference implementation's own test (`phc-winner-argon2`, `src/test.c`): version 1.3,
/// 64 MiB, two passes.
const REFERENCE: &str =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
/// The same for Argon2i in version 1.0, once with the version and once, older still, without.
const FIRST: &str =
    "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";
const UNVERSIONED: &str =
    "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";

#[test]
fn a_hash_fits_its_password_alone() {
    let mut hasher = Hasher::new(HashParams::default());
    let phc = hasher
        .hash(&password("correct horse"), &crate::entropy())
        .unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert_eq!(
        hasher.verify(&password("correct horse"), &phc).unwrap(),
        CURRENT
    );
    assert_eq!(
        hasher.verify(&password("correct horsf"), &phc).unwrap(),
        Verdict::Mismatch
    );
    assert_eq!(
        hasher.verify(&password(""), &phc).unwrap(),
        Verdict::Mismatch
    );
}

#[test]
fn the_same_password_never_has_the_same_hash() {
    let mut hasher = Hasher::new(cheap());
    let entropy = crate::entropy();
    let one = hasher.hash(&password("correct horse"), &entropy).unwrap();
    let two = hasher.hash(&password("correct horse"), &entropy).unwrap();
    assert_ne!(one, two);
}

#[test]
fn hashes_from_elsewhere_fit_and_are_outdated() {
    let mut hasher = Hasher::new(cheap());
    for phc in [REFERENCE, FIRST, UNVERSIONED] {
        assert_eq!(
            hasher.verify(&password("password"), phc).unwrap(),
            OUTDATED,
            "{phc}"
        );
        assert_eq!(
            hasher.verify(&password("passwore"), phc).unwrap(),
            Verdict::Mismatch
        );
    }
}

#[test]
fn memory_that_was_used_gives_the_same_hashes_and_does_not_grow() {
    let entropy = crate::entropy();
    let mut used = Hasher::new(cheap());
    for round in 0..3 {
        let phc = used.hash(&password("correct horse"), &entropy).unwrap();
        let fresh = Hasher::new(cheap()).verify(&password("correct horse"), &phc);
        assert_eq!(fresh.unwrap(), CURRENT, "round {round}");
        assert_eq!(
            used.verify(&password("password"), REFERENCE).unwrap(),
            OUTDATED
        );
        assert_eq!(used.memory.len(), 8);
        assert!(used.memory.capacity() < 1024, "64 MiB were kept");
    }
}

#[test]
fn other_parameters_are_outdated() {
    let entropy = crate::entropy();
    let phc = Hasher::new(cheap())
        .hash(&password("correct horse"), &entropy)
        .unwrap();
    let dearer = [(16, 1, 1), (8, 2, 1), (16, 1, 2)];
    for (memory, passes, lanes) in dearer {
        let params = HashParams::new(memory, passes, lanes).unwrap();
        let mut hasher = Hasher::new(params);
        assert_eq!(
            hasher.verify(&password("correct horse"), &phc).unwrap(),
            OUTDATED
        );
    }
}

#[test]
fn what_is_no_hash_is_an_error() {
    let malformed = [
        "",
        "correct horse",
        "$argon2id",
        "$argon2id$v=19$m=8,t=1,p=1",
        "$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNvbWVzYWx0",
        "$argon2id$v=19$t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPP!",
    ];
    for phc in malformed {
        let error = check(phc).unwrap_err();
        assert!(
            matches!(error, StoredHashError::Malformed),
            "{phc}: {error}"
        );
    }
    let unsupported = [
        REFERENCE.replace("argon2id", "argon2x"),
        REFERENCE.replace("v=19", "v=20"),
    ];
    for phc in unsupported {
        assert!(
            matches!(check(&phc).unwrap_err(), StoredHashError::Unsupported),
            "{phc}"
        );
    }
    let too_costly = [
        REFERENCE.replace("m=65536", "m=4194304"),
        REFERENCE.replace("t=2", "t=4294967295"),
        REFERENCE.replace("p=1", "p=17"),
    ];
    for phc in too_costly {
        assert!(
            matches!(check(&phc).unwrap_err(), StoredHashError::TooCostly),
            "{phc}"
        );
    }
    assert!(check(REFERENCE).is_ok());
}

#[test]
fn a_dummy_has_the_form_of_a_hash_and_fits_nothing() {
    let entropy = crate::entropy();
    let mut hasher = Hasher::new(cheap());
    let real = hasher.hash(&password("correct horse"), &entropy).unwrap();
    let dummy = dummy(&cheap(), &entropy);
    let form = |phc: &str| {
        let fields: Vec<_> = phc.split('$').collect();
        (
            fields[..4].join("$"),
            fields[4].len(),
            fields[5].len(),
            fields.len(),
        )
    };
    assert_eq!(form(&dummy), form(&real));
    assert_eq!(
        hasher.verify(&password("correct horse"), &dummy).unwrap(),
        Verdict::Mismatch
    );
}
