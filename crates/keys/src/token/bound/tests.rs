use super::*;

const KINDS: [TokenKind; 6] = [
    TokenKind::Session,
    TokenKind::Refresh,
    TokenKind::Setup,
    TokenKind::Reset,
    TokenKind::Selection,
    TokenKind::Credentials,
];

fn key(octet: u8) -> TokenKey {
    TokenKey::new(&Secret::new([octet; 32]))
}

fn tenant() -> (TenantId, Generation) {
    let id = Uuid::from_u128(0x0192_3456_789a_7bcd_8ef0_1234_5678_9abc);
    (TenantId::from_uuid(id), Generation::FIRST.next())
}

const ID: Uuid = Uuid::from_u128(0x0192_ffff_789a_7bcd_8ef0_1234_5678_9abc);

fn mint(kind: TokenKind, scope: Option<(TenantId, Generation)>) -> (String, TokenHash) {
    let (text, hash) = key(1).mint(kind, scope, ID, &crate::entropy());
    (text.expose().clone(), hash)
}

#[test]
fn says_what_it_was_minted_with() {
    for kind in KINDS {
        let (text, hash) = mint(kind, Some(tenant()));
        assert_eq!(text.len(), 120);
        let expected = BoundToken {
            tenant: Some(tenant().0),
            generation: Some(tenant().1),
            id: ID,
            hash,
        };
        assert_eq!(key(1).parse(&text, kind), Some(expected));

        let (text, hash) = mint(kind, None);
        let expected = BoundToken {
            tenant: None,
            generation: None,
            id: ID,
            hash,
        };
        assert_eq!(key(1).parse(&text, kind), Some(expected));
    }
}

#[test]
fn no_two_are_the_same() {
    let (one, one_hash) = mint(TokenKind::Session, None);
    let (two, two_hash) = mint(TokenKind::Session, None);
    assert_ne!(one, two);
    assert_ne!(one_hash, two_hash);
}

#[test]
fn one_kind_is_never_taken_for_another() {
    for minted in KINDS {
        let (text, _) = mint(minted, None);
        for asked in KINDS {
            assert_eq!(key(1).parse(&text, asked).is_some(), minted == asked);
        }
    }
}

#[test]
fn another_key_refuses_it() {
    let (text, _) = mint(TokenKind::Session, Some(tenant()));
    assert_eq!(key(2).parse(&text, TokenKind::Session), None);
}

#[test]
fn every_flipped_bit_is_refused() {
    let (text, _) = mint(TokenKind::Reset, Some(tenant()));
    let octets = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
    assert_eq!(octets.len(), OCTETS);
    for bit in 0..OCTETS * 8 {
        let mut flipped = octets.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = BASE64_URL_SAFE_NO_PAD.encode(flipped);
        for kind in KINDS {
            assert_eq!(key(1).parse(&flipped, kind), None, "bit {bit}");
        }
    }
}

#[test]
fn every_other_spelling_is_refused() {
    let (text, _) = mint(TokenKind::Session, Some(tenant()));
    let parse = |text: &str| key(1).parse(text, TokenKind::Session);
    for end in 0..text.len() {
        assert_eq!(parse(&text[..end]), None, "cut at {end}");
    }
    for more in ["=", "==", "A", "AAAA", " ", "\n"] {
        assert_eq!(parse(&format!("{text}{more}")), None, "{more:?} behind");
        assert_eq!(parse(&format!("{more}{text}")), None, "{more:?} before");
    }
    for place in 0..text.len() {
        for character in [b'=', b'+', b'/', b' ', b'%', 0, 0xff] {
            let mut changed = text.clone().into_bytes();
            changed[place] = character;
            assert_eq!(parse(&String::from_utf8_lossy(&changed)), None);
        }
    }
    let standard = "+/".repeat(CHARACTERS / 2);
    assert_eq!(parse(&standard), None);
}

/// A token with a right tag over any octets.
fn tagged(signed: &[u8]) -> String {
    let mut octets = signed.to_vec();
    octets.extend_from_slice(&key(1).tag(signed));
    BASE64_URL_SAFE_NO_PAD.encode(octets)
}

#[test]
fn what_we_would_not_mint_is_refused_even_with_a_right_tag() {
    let (text, _) = mint(TokenKind::Session, Some(tenant()));
    let octets = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
    let signed = &octets[..SIGNED];
    let with = |range: std::ops::Range<usize>, value: u8| {
        let mut changed = signed.to_vec();
        changed[range].fill(value);
        KINDS.map(|kind| key(1).parse(&tagged(&changed), kind).is_some())
    };
    let nothing = [false; KINDS.len()];
    assert_ne!(with(0..0, 0), nothing, "as it was minted");
    assert_eq!(with(0..1, 0), nothing, "an older layout");
    assert_eq!(with(0..1, 2), nothing, "a newer layout");
    for kind in (0..=0).chain(7..=255) {
        assert_eq!(with(1..2, kind), nothing, "kind {kind}");
    }
    assert_eq!(with(2..18, 0), nothing, "a generation without a tenant");
    assert_eq!(with(18..26, 0), nothing, "a tenant without a generation");
    assert_eq!(with(18..26, 0xff), nothing, "a generation below one");
    assert_ne!(with(2..26, 0), nothing, "the platform");
}
