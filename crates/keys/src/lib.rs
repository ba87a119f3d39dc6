//! Hashing, one-time secrets, signing keys, sealing.
