//! Colours: reading a tenant's, measuring contrast, and shifting lightness until a colour can be
//! read. Knows nothing of pages and mails, which both paint with it.
//!
//! Contrast is WCAG 2.2's (success criteria 1.4.3 and 1.4.11). Shifting happens in Oklch, where
//! equal steps look equal and the hue stays (B. Ottosson, "A perceptual color space for image
//! processing", 2020; CSS Color 4, section 9).

mod oklch;
mod street;

use std::fmt;
use std::str::FromStr;

pub use oklch::Oklch;

/// Contrast that text needs against what lies behind it (WCAG 2.2, 1.4.3, level AA).
pub const TEXT_CONTRAST: f64 = 4.5;

/// Contrast that the edge of a control needs (WCAG 2.2, 1.4.11, level AA).
pub const EDGE_CONTRAST: f64 = 3.0;

/// Why a text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as # and six hexadecimal digits, as #1d4ed8")]
pub struct ColourError;

/// An sRGB colour, written `#rrggbb`. Being checked, it can stand in a style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);

    /// The platform's own, for pages and mails that belong to no tenant or to several.
    pub const PLATFORM: Self = Self::new(0x2f, 0x45, 0x6b);

    /// The colour with these parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Six lower-case hexadecimal digits, as they stand in a path.
    pub fn hex(self) -> String {
        format!("{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// The colour of text on this colour: white where that can be read, else nearly black. Any
    /// colour has a contrast of at least 4.5 with one of the two.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= TEXT_CONTRAST {
            Self::WHITE
        } else {
            Self::new(5, 5, 5)
        }
    }

    /// Contrast with another colour: 1 (none) to 21 (black and white).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Relative luminance, 0 for black to 1 for white (WCAG 2.2, "relative luminance").
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn linear(self) -> [f64; 3] {
        [self.red, self.green, self.blue].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// The colour nearest in lightness with at least this contrast to each of `backs`, darker where
    /// `darker`, else lighter. Black or white where nothing else will do.
    #[must_use]
    pub fn readable_on(self, backs: &[Self], contrast: f64, darker: bool) -> Self {
        let enough = |colour: Self| backs.iter().all(|back| colour.contrast(*back) >= contrast);
        if enough(self) {
            return self;
        }
        let start = self.oklch();
        (1..=200)
            .map(|step| {
                let part = f64::from(step) / 200.0;
                let end = if darker { 0.0 } else { 1.0 };
                let lightness = start.lightness + (end - start.lightness) * part;
                Oklch { lightness, ..start }.colour()
            })
            .find(|colour| enough(*colour))
            .unwrap_or(if darker {
                Self::new(0, 0, 0)
            } else {
                Self::WHITE
            })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.hex())
    }
}

impl FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let digits = text.strip_prefix('#').ok_or(ColourError)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ColourError);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| ColourError)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self::new(red, green, blue))
    }
}

impl serde::Serialize for Colour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Colour {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_six_digits_and_nothing_else() {
        assert_eq!("#1A2b3c".parse(), Ok(Colour::new(0x1a, 0x2b, 0x3c)));
        for bad in [
            "",
            "#",
            "1a2b3c",
            "#fff",
            "#1a2b3",
            "#1a2b3c4",
            "#+a2b3c",
            "#gggggg",
            "#ä2b3c",
            "red",
            "red;}",
            "#0fa9c3;x:y",
        ] {
            assert_eq!(bad.parse::<Colour>(), Err(ColourError), "{bad}");
        }
    }

    #[test]
    fn measures_contrast_as_wcag_does() {
        let black = Colour::new(0, 0, 0);
        assert!((black.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::new(0x77, 0x77, 0x77).contrast(Colour::WHITE) - 4.478).abs() < 1e-3);
    }

    #[test]
    fn text_on_every_colour_can_be_read() {
        let parts = || (0..=255).step_by(15);
        for red in parts() {
            for green in parts() {
                for colour in parts().map(|blue| Colour::new(red, green, blue)) {
                    assert!(colour.contrast(colour.ink()) >= TEXT_CONTRAST, "{colour}");
                }
            }
        }
    }

    #[test]
    fn shifting_keeps_the_hue() {
        let yellow = Colour::new(0xff, 0xd4, 0x00);
        let shifted = yellow.readable_on(&[Colour::WHITE], TEXT_CONTRAST, true);
        assert!(shifted.contrast(Colour::WHITE) >= TEXT_CONTRAST);
        assert!(
            (shifted.oklch().hue - yellow.oklch().hue).abs() < 0.1,
            "{shifted}"
        );
    }
}
