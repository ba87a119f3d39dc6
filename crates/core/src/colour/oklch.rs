//! Colours as lightness, chroma and hue.

use super::Colour;

impl Colour {
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
    fn it_goes_there_and_back() {
        for colour in [
            Colour::new(255, 0, 0),
            Colour::new(12, 200, 99),
            Colour::WHITE,
        ] {
            assert_eq!(colour.oklch().colour(), colour);
        }
    }
}
