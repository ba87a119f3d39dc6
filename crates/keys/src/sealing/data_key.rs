//! Keys that seal values, themselves sealed by the master key.

use tenantry_core::{Clock, Entropy, Secret};
use uuid::Uuid;

use super::cipher::Cipher;
use super::{MasterKey, SealError};

/// The version of the format in which a data key is sealed.
const FORMAT: u8 = 1;

/// A key that seals values. Its id stands with each of them.
pub struct DataKey {
    id: Uuid,
    key: Secret<[u8; 32]>,
}

impl DataKey {
    /// A new key.
    pub fn generate(clock: &Clock, entropy: &Entropy) -> Self {
        let millis = u64::try_from(clock.now().micros() / 1_000).unwrap_or(0);
        Self {
            id: uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid(),
            key: Secret::new(entropy.bytes()),
        }
    }

    /// Its id, a `UUIDv7`.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The key, sealed by the master key, to be stored beside its id.
    pub fn seal(&self, master: &MasterKey, entropy: &Entropy) -> Result<Vec<u8>, SealError> {
        let mut sealed = vec![FORMAT];
        sealed.extend(
            master
                .wrapping()
                .seal(self.key.expose(), &bound(self.id), entropy)?,
        );
        Ok(sealed)
    }

    /// The key that was sealed under this id.
    pub fn open(id: Uuid, sealed: &[u8], master: &MasterKey) -> Result<Self, SealError> {
        let (format, sealed) = sealed.split_first().ok_or(SealError::Damaged)?;
        if *format != FORMAT {
            return Err(SealError::UnknownFormat(*format));
        }
        let key = master
            .wrapping()
            .open(sealed, &bound(id))
            .ok_or(SealError::WrongMasterKey(id))?;
        let key = key
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| SealError::Damaged)?;
        Ok(Self {
            id,
            key: Secret::new(key),
        })
    }

    pub(super) fn cipher(&self) -> Cipher {
        Cipher::new(&self.key)
    }
}

/// What a sealed data key is bound to: its format and its id.
fn bound(id: Uuid) -> Vec<u8> {
    let mut bound = vec![FORMAT];
    bound.extend_from_slice(id.as_bytes());
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        DataKey::generate(&Clock::system(), &crate::entropy())
    }

    #[test]
    fn opens_with_its_master_key_and_id_alone() {
        let entropy = crate::entropy();
        let master = MasterKey::generate(&entropy);
        let key = key();
        let sealed = key.seal(&master, &entropy).unwrap();
        let again = DataKey::open(key.id, &sealed, &master).unwrap();
        assert_eq!((again.id, again.key.expose()), (key.id, key.key.expose()));

        let other = MasterKey::generate(&entropy);
        let error = DataKey::open(key.id, &sealed, &other).err();
        assert_eq!(error, Some(SealError::WrongMasterKey(key.id)));
        let error = DataKey::open(Uuid::nil(), &sealed, &master).err();
        assert_eq!(error, Some(SealError::WrongMasterKey(Uuid::nil())));
    }

    #[test]
    fn every_changed_octet_is_seen() {
        let entropy = crate::entropy();
        let master = MasterKey::generate(&entropy);
        let key = key();
        let sealed = key.seal(&master, &entropy).unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 0x40;
            assert!(DataKey::open(key.id, &changed, &master).is_err());
        }
        for end in 0..sealed.len() {
            assert!(DataKey::open(key.id, &sealed[..end], &master).is_err());
        }
    }

    #[test]
    fn the_key_is_not_in_what_is_stored() {
        let entropy = crate::entropy();
        let key = key();
        let sealed = key.seal(&MasterKey::generate(&entropy), &entropy).unwrap();
        assert!(!sealed.windows(8).any(|part| part == &key.key.expose()[..8]));
        assert_eq!(key.id.get_version_num(), 7);
    }
}
