//! Envelope encryption: the master key seals data keys, data keys seal values.
//!
//! The master key stays with the operator and is never stored beside what it protects. It can be
//! exchanged by sealing a few data keys anew; a data key can be exchanged by adding a newer one.
//! Values are bound to a context, so that a sealed value moved to another row or column does not
//! open. Owns the format of everything sealed and the keys that come from the master key; stores
//! nothing. Called by the use cases' keyring.

mod cipher;
mod data_key;
mod master;
mod sealer;

use uuid::Uuid;

pub use data_key::DataKey;
pub use master::{MasterKey, MasterKeyError};
pub use sealer::Sealer;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no data key to seal with.
    #[error("there is no data key")]
    NoDataKey,
    /// The value is larger than the cipher takes.
    #[error("the value is too large to be sealed")]
    TooLarge,
    /// It was sealed in a format of another version of the program.
    #[error("the value was sealed in format {0}, which this version can't open")]
    UnknownFormat(u8),
    /// It was sealed with a data key that is not there.
    #[error("the value was sealed with data key {0}, which is not there")]
    UnknownKey(Uuid),
    /// The data key was sealed with another master key.
    #[error("data key {0} does not open: this is not the master key it was sealed with")]
    WrongMasterKey(Uuid),
    /// It was changed, cut, or sealed for another context.
    #[error("the sealed value is damaged or does not belong here")]
    Damaged,
}
