//! A tenant's logo: what may be one. Its type and size are read from its first octets, whatever
//! the sender calls it; nothing here decodes an image.
//!
//! PNG, JPEG and WebP. SVG is refused: it is a document that can hold scripts and addresses.

mod size;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::text_enum::text_enum;

/// The most octets of a logo.
pub const LOGO_OCTETS: usize = 256 * 1024;

/// How many pixels a side may have. Every visitor's browser unpacks the image: four octets a pixel,
/// so 16 MiB at most.
pub const LOGO_SIDE: RangeInclusive<u32> = 16..=2048;

text_enum! {
    /// What kind of image it is, by its media type (RFC 2046; for WebP RFC 9649).
    pub enum ImageKind {
        /// Portable Network Graphics.
        Png = "image/png",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// WebP.
        Webp = "image/webp",
    }
}

/// Why something is no logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// There is nothing.
    #[error("send the image as the body")]
    Missing,
    /// It has too many octets.
    #[error("a logo has at most {} KiB", LOGO_OCTETS / 1024)]
    TooLarge,
    /// It does not begin as a PNG, JPEG or WebP image does.
    #[error("a logo is a PNG, JPEG or WebP image")]
    NoImage,
    /// It is too small or too big to be shown.
    #[error("a logo is {} to {} pixels wide and high", LOGO_SIDE.start(), LOGO_SIDE.end())]
    Size,
}

impl LogoError {
    /// A word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "required",
            Self::TooLarge => "too_large",
            Self::NoImage => "invalid",
            Self::Size => "size",
        }
    }
}

/// A logo that may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    kind: ImageKind,
    body: Vec<u8>,
}

impl Logo {
    /// Takes what somebody sent as a logo.
    ///
    /// # Errors
    /// Where it is none, with why.
    pub fn read(body: Vec<u8>) -> Result<Self, LogoError> {
        if body.is_empty() {
            return Err(LogoError::Missing);
        }
        if body.len() > LOGO_OCTETS {
            return Err(LogoError::TooLarge);
        }
        let (kind, (width, height)) = size::of(&body).ok_or(LogoError::NoImage)?;
        if LOGO_SIDE.contains(&width) && LOGO_SIDE.contains(&height) {
            Ok(Self { kind, body })
        } else {
            Err(LogoError::Size)
        }
    }

    /// What kind of image it is.
    pub const fn kind(&self) -> ImageKind {
        self.kind
    }

    /// Its octets.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// What a logo is known by: the first half of the SHA-256 of its octets. Another image has another
/// tag, so that an address with a tag never changes its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogoTag([u8; 16]);

/// A text that is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a logo's tag is 32 lower-case hexadecimal digits")]
pub struct LogoTagError;

impl LogoTag {
    /// The tag of a logo with this SHA-256.
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        Self(std::array::from_fn(|place| hash[place]))
    }
}

impl fmt::Display for LogoTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for LogoTag {
    type Err = LogoTagError;

    fn from_str(text: &str) -> Result<Self, LogoTagError> {
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 32 || !text.bytes().all(lower) {
            return Err(LogoTagError);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| LogoTagError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests;
