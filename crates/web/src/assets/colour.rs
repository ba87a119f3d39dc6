//! Colours: reading a tenant's, measuring contrast, and shifting lightness until a colour can be
//! read. Knows nothing of pages.
//!
//! Contrast is WCAG 2.2's (success criteria 1.4.3 and 1.4.11). Shifting happens in Oklch, where
//! equal steps look equal and the hue stays (B. Ottosson, "A perceptual color space for image
//! processing", 2020; CSS Color 4, section 9).

use std::fmt;
use std::str::FromStr;

/// Contrast that text needs against what lies behind it (WCAG 2.2, 1.4.3, level AA).
pub const TEXT_CONTRAST: f64 = 4.5;

/// Contrast that the edge of a control needs (WCAG 2.2, 1.4.11, level AA).
pub const EDGE_CONTRAST: f64 = 3.0;

/// Why a text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColourError;

impl fmt::Display for ColourError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a colour is written as # and six hexadecimal digits")
    }
}

impl std::error::Error for ColourError {}

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);

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

    /// Relative luminance, 0 to 1.
    fn luminance(self) -> f64 {
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

    /// This colour in Oklch.
    pub fn oklch(self) -> Oklch {
        let [red, green, blue] = self.linear();
        // How much each kind of cone in the eye answers: long, medium and short waves.
        let long =
            (0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue).cbrt();
        let medium =
            (0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue).cbrt();
        let short =
            (0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue).cbrt();
        let to_red = 1.977_998_495_1 * long - 2.428_592_205_0 * medium + 0.450_593_709_9 * short;
        let to_yellow = 0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766_0 * short;
        Oklch {
            lightness: 0.210_454_255_3 * long + 0.793_617_785_0 * medium - 0.004_072_046_8 * short,
            chroma: to_red.hypot(to_yellow),
            hue: to_yellow.atan2(to_red),
        }
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

/// A colour as lightness (0 to 1), chroma (0 to about 0.4) and hue (radians).
#[derive(Debug, Clone, Copy)]
pub struct Oklch {
    /// From black to white.
    pub lightness: f64,
    /// From grey to vivid.
    pub chroma: f64,
    /// Which colour, in radians.
    pub hue: f64,
}

impl Oklch {
    /// The sRGB colour, with as much of the chroma as a screen can show at this lightness.
    pub fn colour(self) -> Colour {
        (0..=40)
            .map(|step| self.chroma * (1.0 - f64::from(step) / 40.0))
            .find_map(|chroma| Self { chroma, ..self }.shown())
            .unwrap_or(if self.lightness < 0.5 {
                Colour::new(0, 0, 0)
            } else {
                Colour::WHITE
            })
    }

    /// The sRGB colour, if a screen can show it.
    fn shown(self) -> Option<Colour> {
        let (to_red, to_yellow) = (self.chroma * self.hue.cos(), self.chroma * self.hue.sin());
        let cone =
            |red: f64, yellow: f64| (self.lightness + red * to_red + yellow * to_yellow).powi(3);
        let long = cone(0.396_337_777_4, 0.215_803_757_3);
        let medium = cone(-0.105_561_345_8, -0.063_854_172_8);
        let short = cone(-0.089_484_177_5, -1.291_485_548_0);
        let red = 4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short;
        let green = -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short;
        let blue = -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short;
        Some(Colour::new(octet(red)?, octet(green)?, octet(blue)?))
    }
}

/// A linear part as an octet; `None` where a screen can't show it.
fn octet(linear: f64) -> Option<u8> {
    if !(-0.001..=1.001).contains(&linear) {
        return None;
    }
    let linear = linear.clamp(0.0, 1.0);
    let part = if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 255 just before"
    )]
    let octet = (part * 255.0).round().clamp(0.0, 255.0) as u8;
    Some(octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_six_digits_and_nothing_else() {
        assert_eq!("#1A2b3c".parse(), Ok(Colour::new(0x1a, 0x2b, 0x3c)));
        for bad in [
            "", "#", "1a2b3c", "#1a2b3", "#1a2b3c4", "#+a2b3c", "#gggggg", "#ä2b3c", "red;}",
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
    fn oklch_goes_there_and_back() {
        for colour in [
            Colour::new(255, 0, 0),
            Colour::new(12, 200, 99),
            Colour::WHITE,
        ] {
            assert_eq!(colour.oklch().colour(), colour);
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
