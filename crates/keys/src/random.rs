//! The machine's randomness, for the binary to pass to everything else.

use ring::rand::{SecureRandom, SystemRandom};
use tenantry_core::Entropy;

/// The system's random source.
///
/// Ends the process where the system has none: every secret made after that could be guessed, and
/// no answer is worse than a guessable one.
pub fn entropy() -> Entropy {
    let source = SystemRandom::new();
    Entropy::new(move |buffer| {
        if source.fill(buffer).is_err() {
            eprintln!("tenantry: the system has no randomness to give; stopping");
            std::process::abort();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_whole_buffer_and_never_twice_the_same() {
        let entropy = entropy();
        let first: [u8; 64] = entropy.bytes();
        assert_ne!(first, entropy.bytes());
        assert_ne!(
            first[48..],
            [0; 16],
            "the end of the buffer was left as it was"
        );
    }
}
