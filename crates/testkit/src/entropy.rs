//! Randomness that can be repeated. Anyone who knows the seed knows every byte: for tests only.

use std::sync::Mutex;

use tenantry_core::Entropy;

/// A source whose bytes follow from the seed alone (`SplitMix64`, Steele et al., OOPSLA 2014), as
/// long as they are asked for in the same order.
pub fn seeded_entropy(seed: u64) -> Entropy {
    let state = Mutex::new(seed);
    Entropy::new(move |buffer| {
        let mut state = state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            let bytes = step(&mut state).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    })
}

fn step(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(
            seeded_entropy(7).bytes::<33>(),
            seeded_entropy(7).bytes::<33>()
        );
        assert_ne!(
            seeded_entropy(7).bytes::<33>(),
            seeded_entropy(8).bytes::<33>()
        );
    }

    #[test]
    fn bytes_do_not_repeat() {
        let entropy = seeded_entropy(7);
        assert_ne!(entropy.bytes::<16>(), entropy.bytes::<16>());
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut state = 1_234_567;
        assert_eq!(step(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(step(&mut state), 3_203_168_211_198_807_973);
    }
}
