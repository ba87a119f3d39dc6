//! One-time codes of six digits, and the keyed hashes that are stored of them.
//!
//! A million codes are tried in a moment by whoever has the hashes, so they are hashed with a key
//! that is not in the database. Who guesses one by one is for the counter of tries.

use subtle::ConstantTimeEq;
use tenantry_core::{Entropy, Secret};

use crate::mac::MacKey;

/// How many codes there are.
const CODES: u32 = 1_000_000;

/// Six digits.
pub struct Code(u32);

impl Code {
    /// A random code; each is as likely as any other.
    pub fn draw(entropy: &Entropy) -> Self {
        loop {
            let value = u32::from_le_bytes(entropy.bytes());
            // The last, incomplete run of codes would make the low ones likelier.
            if value < u32::MAX - u32::MAX % CODES {
                return Self(value % CODES);
            }
        }
    }

    /// A code as somebody typed it, with or without white space between the digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.split_whitespace().collect();
        let six = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
        six.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// The six digits, for the mail.
    pub fn digits(&self) -> String {
        format!("{:06}", self.0)
    }
}

/// The key that codes are hashed with: see [`crate::sealing::MasterKey::code_key`].
#[derive(Clone)]
pub struct CodeKey(MacKey);

impl CodeKey {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(MacKey::new(key.expose()))
    }

    /// The hash of a code for one subject; HMAC-SHA256.
    pub fn hash(&self, subject: &str, code: &Code) -> [u8; 32] {
        self.0.sign(format!("{subject}:{:06}", code.0).as_bytes())
    }

    /// Whether a code has this hash, in a time that does not depend on where they differ.
    pub fn fits(&self, subject: &str, code: &Code, hash: &[u8; 32]) -> bool {
        self.hash(subject, code).ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_however_it_is_typed() {
        for (text, expected) in [
            ("012345", Some("012345")),
            (" 012 345 ", Some("012345")),
            ("12345", None),
            ("1234567", None),
            ("12345a", None),
            ("１２３４５６", None),
            ("-12345", None),
            ("+12345", None),
        ] {
            let digits = Code::parse(text).map(|code| code.digits());
            assert_eq!(digits.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_run_that_is_not_whole_is_drawn_again() {
        let values = [u32::MAX, 4_294_000_000, 7];
        let next = std::sync::atomic::AtomicUsize::new(0);
        let entropy = Entropy::new(move |buffer| {
            let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            buffer.copy_from_slice(&values[place].to_le_bytes());
        });
        assert_eq!(Code::draw(&entropy).digits(), "000007");
    }

    #[test]
    fn a_hash_fits_one_code_of_one_subject() {
        let key = CodeKey::new(&Secret::new([7; 32]));
        let (code, other) = (Code(42), Code(43));
        let hash = key.hash("ada", &code);
        assert!(key.fits("ada", &code, &hash));
        assert!(!key.fits("ada", &other, &hash));
        assert!(!key.fits("grace", &code, &hash));
        let another = CodeKey::new(&Secret::new([8; 32]));
        assert!(!another.fits("ada", &code, &hash));
    }
}
