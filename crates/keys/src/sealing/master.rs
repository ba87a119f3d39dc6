//! The master key, and the keys that come from it.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, Engine};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use tenantry_core::{Entropy, Secret};
use zeroize::Zeroizing;

use super::cipher::Cipher;
use crate::audit::AuditKey;
use crate::code::CodeKey;
use crate::csrf::CsrfKey;
use crate::directory::DirectoryKey;
use crate::token::TokenKey;

/// Octets of the key.
const OCTETS: usize = 32;

/// Both alphabets, with padding or without: people copy keys from where they are.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Why a text is no master key. Says nothing of the text, which may be one that was mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// Not base64.
    #[error("a master key is 32 octets in base64; this is not base64")]
    NotBase64,
    /// Too short or too long.
    #[error("a master key has 32 octets; this one has {0}")]
    Length(usize),
}

/// The key that all others hang on: 32 octets, kept by the operator.
#[derive(Clone)]
pub struct MasterKey(Secret<[u8; OCTETS]>);

impl MasterKey {
    /// A new key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Secret::new(entropy.bytes()))
    }

    /// The key in this text: base64, standard or URL-safe, with or without padding, white space
    /// around it.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let octets = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
        let octets = Zeroizing::new(octets.map_err(|_| MasterKeyError::NotBase64)?);
        let key = octets
            .as_slice()
            .try_into()
            .map_err(|_| MasterKeyError::Length(octets.len()))?;
        Ok(Self(Secret::new(key)))
    }

    /// The key as text, to be kept: standard base64.
    pub fn to_base64(&self) -> Secret<String> {
        Secret::new(BASE64_STANDARD.encode(self.0.expose()))
    }

    /// The key that tags tokens.
    pub fn token_key(&self) -> TokenKey {
        TokenKey::new(&self.subkey("token"))
    }

    /// The key that hashes addresses for the directory.
    pub fn directory_key(&self) -> DirectoryKey {
        DirectoryKey::new(&self.subkey("directory"))
    }

    /// The key of form tokens.
    pub fn csrf_key(&self) -> CsrfKey {
        CsrfKey::new(&self.subkey("csrf"))
    }

    /// The key that the audit is chained with.
    pub fn audit_key(&self) -> AuditKey {
        AuditKey::new(&self.subkey("audit"))
    }

    /// The key that one-time codes are hashed with.
    pub fn code_key(&self) -> CodeKey {
        CodeKey::new(&self.subkey("code"))
    }

    /// The cipher that seals data keys.
    pub(super) fn wrapping(&self) -> Cipher {
        Cipher::new(&self.subkey("data-key"))
    }

    /// The key for one purpose (HKDF-SHA256, RFC 5869). A label that was used is never used for
    /// something else.
    fn subkey(&self, label: &str) -> Secret<[u8; OCTETS]> {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                OCTETS
            }
        }
        let mut key = [0; OCTETS];
        Salt::new(HKDF_SHA256, b"tenantry/v1")
            .extract(self.0.expose())
            .expand(&[label.as_bytes()], Length)
            .and_then(|output| output.fill(&mut key))
            .expect("HKDF gives up to 255 times 32 octets");
        Secret::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_to_text_and_back() {
        let key = MasterKey::generate(&crate::entropy());
        let text = key.to_base64();
        let again = MasterKey::parse(&format!("  {}\n", text.expose())).unwrap();
        assert_eq!(again.0.expose(), key.0.expose());
    }

    #[test]
    fn either_alphabet_is_read_with_padding_or_without() {
        let key = [0xfb; 32];
        let standard = BASE64_STANDARD.encode(key);
        assert!(standard.contains('+') && standard.ends_with('='));
        let url_safe = standard.replace('+', "-").replace('/', "_");
        for text in [
            standard.as_str(),
            url_safe.as_str(),
            standard.trim_end_matches('='),
            url_safe.trim_end_matches('='),
        ] {
            assert_eq!(MasterKey::parse(text).unwrap().0.expose(), &key);
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_not_the_key() {
        let error = |text: &str| MasterKey::parse(text).err().unwrap();
        assert_eq!(error("no key at all!"), MasterKeyError::NotBase64);
        assert_eq!(error(""), MasterKeyError::Length(0));
        let short = BASE64_STANDARD.encode([7; 31]);
        assert_eq!(error(&short), MasterKeyError::Length(31));
        assert_eq!(
            error(&short).to_string(),
            "a master key has 32 octets; this one has 31"
        );
        assert_eq!(
            error(&BASE64_STANDARD.encode([7; 33])),
            MasterKeyError::Length(33)
        );
    }

    #[test]
    fn each_purpose_and_each_master_key_has_keys_of_its_own() {
        let one = MasterKey(Secret::new([1; 32]));
        let two = MasterKey(Secret::new([2; 32]));
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for master in [&one, &two] {
            for label in ["token", "directory", "csrf", "audit", "code", "data-key"] {
                keys.push(*master.subkey(label).expose());
            }
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn keys_stay_the_same_from_version_to_version() {
        // Reckoned by another implementation of RFC 5869; a change would void every stored hash.
        let master = MasterKey(Secret::new([1; 32]));
        let hash = master.directory_key().hash("a@example.org");
        assert_eq!(hash, KNOWN);
    }

    const KNOWN: [u8; 32] = [
        0x9a, 0xae, 0xb7, 0x54, 0xb2, 0x24, 0xd6, 0xd2, 0x7f, 0xb9, 0x35, 0xc4, 0x33, 0x64, 0x13,
        0x03, 0x19, 0x61, 0x06, 0x6c, 0xdf, 0x42, 0x76, 0xa4, 0x95, 0x66, 0xe4, 0x6a, 0x71, 0x7e,
        0x00, 0x55,
    ];
}
