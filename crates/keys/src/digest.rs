//! SHA-256 (FIPS 180-4) of what is no secret.

use ring::digest::{SHA256, digest};

/// The SHA-256 of some octets.
pub fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut value = [0; 32];
    value.copy_from_slice(digest(&SHA256, octets).as_ref());
    value
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_that_of_the_standard() {
        // FIPS 180-4, the example of one block.
        let hash = super::sha256(b"abc");
        assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
