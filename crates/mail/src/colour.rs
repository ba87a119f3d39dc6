//! A tenant's colour, and what can be read on it.

use std::fmt;
use std::str::FromStr;

/// A text that is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as #rrggbb")]
pub struct ColourError;

/// An sRGB colour, written `#rrggbb`. Being checked, it can stand in a style attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// The platform's own colour, for mails that belong to no tenant or to several.
    pub const PLATFORM: Self = Self([0x2f, 0x45, 0x6b]);

    /// Relative luminance, 0 for black to 1 for white (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The colour of text on this colour: white or near-black, whichever contrasts more.
    pub(crate) fn ink(self) -> Self {
        const DARK: Colour = Colour([0x11, 0x18, 0x27]);
        const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
        if contrast(self, WHITE) >= contrast(self, DARK) {
            WHITE
        } else {
            DARK
        }
    }

    /// A line around things in this colour, which shows where the colour itself would vanish on
    /// white or on the near-black of a dark screen.
    pub(crate) fn edge(self) -> Self {
        let luminance = self.luminance();
        if luminance > 0.8 {
            Self([0xd1, 0xd5, 0xdb])
        } else if luminance < 0.03 {
            Self([0x4b, 0x55, 0x63])
        } else {
            self
        }
    }
}

/// Contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (one.luminance() + 0.05, other.luminance() + 0.05);
    one.max(other) / one.min(other)
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
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
        Ok(Self([red, green, blue]))
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
    fn takes_six_hex_digits_and_nothing_else() {
        assert_eq!(
            "#0Fa9c3"
                .parse::<Colour>()
                .map(|c| c.to_string())
                .as_deref(),
            Ok("#0fa9c3")
        );
        for text in [
            "",
            "#fff",
            "0fa9c3",
            "#0fa9cg",
            "#0fa9c3;x:y",
            "red",
            "#+fa9c3",
            "#ä1234",
        ] {
            assert_eq!(text.parse::<Colour>(), Err(ColourError), "{text}");
        }
    }

    #[test]
    fn text_on_every_colour_can_be_read() {
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(15) {
                    let colour = Colour([red, green, blue]);
                    // 4.5 to 1 is what WCAG 2.2 asks of text (success criterion 1.4.3); between
                    // white and #111827 the worst colour reaches 4.2, enough for the large and
                    // bold text of bar and button (3 to 1).
                    assert!(contrast(colour, colour.ink()) > 4.1, "{colour}");
                }
            }
        }
    }
}
