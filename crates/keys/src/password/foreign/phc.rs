//! The parts of a PHC string, with the spellings that passlib has beside it.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{StoredHashError, number};

/// Reads base64 with and without padding, whatever the unused bits say: some encoders of other
/// systems leave them set.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true)
    .with_encode_padding(false);

const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);

/// bcrypt's own order of the characters.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, CONFIG);

/// Octets from base64. passlib writes `.` where others write `+`.
pub(super) fn octets(text: &str) -> Result<Vec<u8>, StoredHashError> {
    decoded(&STANDARD, &text.replace('.', "+"))
}

/// Octets from bcrypt's base64.
pub(super) fn bcrypt_octets(text: &str) -> Result<Vec<u8>, StoredHashError> {
    decoded(&BCRYPT, text)
}

fn decoded(engine: &GeneralPurpose, text: &str) -> Result<Vec<u8>, StoredHashError> {
    engine.decode(text).map_err(|_| StoredHashError::Malformed)
}

/// Octets as a PHC string writes them.
pub(super) fn encoded(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// `$kind$parameters$salt$hash`.
pub(super) struct Parts<'a> {
    pub(super) kind: &'a str,
    pub(super) parameters: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Result<Self, StoredHashError> {
        let mut parts = text.split('$');
        let (Some(""), Some(kind), Some(parameters), Some(salt), Some(output), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(StoredHashError::Malformed);
        };
        let (salt, output) = (octets(salt)?, octets(output)?);
        super::expect_lengths(&salt, &output)?;
        Ok(Self {
            kind,
            parameters,
            salt,
            output,
        })
    }

    /// The numbers of `name=number,…` in the order of `names`. A name that isn't known, or is there
    /// twice, is refused: what it means for the hash isn't known either.
    pub(super) fn numbers<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<u32>; N], StoredHashError> {
        let mut found = [None; N];
        for pair in self.parameters.split(',') {
            let (name, value) = pair.split_once('=').ok_or(StoredHashError::Malformed)?;
            let place = names.iter().position(|known| *known == name);
            let place = place.ok_or(StoredHashError::Malformed)?;
            if found[place].replace(number(value)?).is_some() {
                return Err(StoredHashError::Malformed);
            }
        }
        Ok(found)
    }
}
