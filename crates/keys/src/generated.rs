//! Passwords made for people, to be read out and typed once.

use tenantry_core::{Entropy, Secret};
use zeroize::Zeroize;

/// Lower-case letters and digits that are not taken for one another: no `i`, `l`, `1`, `o`, `0`.
const CHARACTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Groups, and characters in each.
const GROUPS: usize = 4;
const GROUP: usize = 6;

/// A random password such as `k7mwq2-hx4tnd-p9vrba-c3fyje`: 27 characters, 24 of them random out of
/// 31, which are 118 bits. Nobody tries out 100 bits, even with the hash at hand, and the length
/// passes every policy that takes 27 characters.
pub fn password(entropy: &Entropy) -> Secret<String> {
    // 31^24 is below 2^119, so that 128 random bits spread over it evenly to one part in 500.
    let mut bytes: [u8; 16] = entropy.bytes();
    let mut rest = u128::from_le_bytes(bytes);
    let mut text = String::with_capacity(GROUPS * (GROUP + 1) - 1);
    for place in 0..GROUPS * GROUP {
        if place > 0 && place.is_multiple_of(GROUP) {
            text.push('-');
        }
        let digit = usize::try_from(rest % 31).unwrap_or(0);
        text.push(char::from(CHARACTERS[digit]));
        rest /= 31;
    }
    bytes.zeroize();
    rest.zeroize();
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tenantry_core::password::{Context, Password, PasswordPolicy};

    use super::*;

    #[test]
    fn is_four_groups_of_characters_nobody_mixes_up() {
        let password = password(&crate::entropy());
        let groups: Vec<_> = password.expose().split('-').collect();
        assert_eq!(groups.len(), GROUPS);
        for group in groups {
            assert_eq!(group.len(), GROUP);
            assert!(group.bytes().all(|c| CHARACTERS.contains(&c)));
        }
        let policy = PasswordPolicy::default();
        assert!(Password::chosen(password.expose(), policy, &Context::new()).is_ok());
    }

    #[test]
    fn every_place_varies_over_every_character() {
        let entropy = crate::entropy();
        let mut seen = vec![HashSet::new(); GROUPS * (GROUP + 1) - 1];
        for _ in 0..2_000 {
            for (place, c) in password(&entropy).expose().bytes().enumerate() {
                seen[place].insert(c);
            }
        }
        for (place, characters) in seen.iter().enumerate() {
            let expected = if (place + 1).is_multiple_of(GROUP + 1) {
                1
            } else {
                31
            };
            assert_eq!(characters.len(), expected, "place {place}");
        }
    }

    #[test]
    fn all_the_randomness_is_used() {
        let at = |bit: u32| {
            let value = (1_u128 << bit).to_le_bytes();
            password(&Entropy::new(move |buffer| buffer.copy_from_slice(&value)))
                .expose()
                .clone()
        };
        let all: HashSet<_> = (0..118).map(at).collect();
        assert_eq!(all.len(), 118);
    }
}
