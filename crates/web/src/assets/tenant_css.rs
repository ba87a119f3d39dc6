//! The style sheet that paints the pages in a tenant's colour. Called by whoever serves
//! `/assets/tenant/{rrggbb}.css`; the policy of the pages forbids styles inside them.

use tenantry_core::colour::{Colour, EDGE_CONTRAST, Oklch, TEXT_CONTRAST};

/// The grounds that text in the tenant's colour may stand on, as in `tokens.css`: page, raised
/// surface, sunken surface.
pub(super) const LIGHT_GROUNDS: [Colour; 3] = [
    Colour::new(0xfb, 0xfb, 0xfa),
    Colour::WHITE,
    Colour::new(0xf3, 0xf3, 0xf1),
];
/// The same at night.
pub(super) const DARK_GROUNDS: [Colour; 3] = [
    Colour::new(0x12, 0x13, 0x15),
    Colour::new(0x1a, 0x1b, 0x1e),
    Colour::new(0x0c, 0x0d, 0x0e),
];

/// The style sheet of a colour: custom properties that the other style sheets are written with.
///
/// - `--accent` fills the main button, exactly as the tenant wishes; `--accent-press` while pressed;
/// - `--on-accent` is the text on it, white where that can be read;
/// - `--accent-edge` is its outline, with at least 3:1 to the page (WCAG 2.2, 1.4.11);
/// - `--accent-text` is for links and focus rings, with at least 4.5:1 (1.4.3);
/// - `--wall`, `--pane`, `--reveal`, `--sill`, `--lit` and `--glow` paint the house.
pub fn tenant_css(colour: Colour) -> String {
    let day = Palette::of(colour, false);
    let night = Palette::of(colour, true);
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        day.declarations(),
        night.declarations()
    )
}

struct Palette {
    accent: Colour,
    press: Colour,
    on_accent: Colour,
    edge: Colour,
    text: Colour,
    house: [(&'static str, Colour); 6],
}

impl Palette {
    fn of(accent: Colour, night: bool) -> Self {
        let grounds = if night { &DARK_GROUNDS } else { &LIGHT_GROUNDS };
        let on_accent = accent.ink();
        // Pressing moves the fill away from its text, so the text only gets clearer.
        let press = accent.oklch();
        let step = if on_accent == Colour::WHITE {
            -0.045
        } else {
            0.045
        };
        let press = Oklch {
            lightness: (press.lightness + step).clamp(0.0, 1.0),
            ..press
        }
        .colour();
        Self {
            accent,
            press: if press.contrast(on_accent) >= TEXT_CONTRAST {
                press
            } else {
                accent
            },
            on_accent,
            edge: accent.readable_on(grounds, EDGE_CONTRAST, !night),
            text: accent.readable_on(grounds, TEXT_CONTRAST, !night),
            house: house(accent.oklch(), night),
        }
    }

    fn declarations(&self) -> String {
        let mut css = format!(
            "--accent:{};--accent-press:{};--on-accent:{};--accent-edge:{};--accent-text:{}",
            self.accent, self.press, self.on_accent, self.edge, self.text
        );
        for (name, colour) in self.house {
            css.push_str(";--");
            css.push_str(name);
            css.push(':');
            css.push_str(&colour.to_string());
        }
        css
    }
}

/// The colours of the house: by day its wall is the tenant's colour, by night a deep shade of it.
fn house(accent: Oklch, night: bool) -> [(&'static str, Colour); 6] {
    let wall = if night {
        Oklch {
            lightness: 0.27,
            chroma: accent.chroma.min(0.075),
            hue: accent.hue,
        }
    } else {
        Oklch {
            lightness: accent.lightness.clamp(0.30, 0.90),
            ..accent
        }
    };
    let shade = |by: f64| {
        Oklch {
            lightness: wall.lightness + by,
            chroma: wall.chroma * 0.9,
            hue: wall.hue,
        }
        .colour()
    };
    // A pale wall would swallow pale light, so its windows are lit in white.
    let pale = wall.lightness > 0.80;
    let lamp = |lightness, chroma| {
        Oklch {
            lightness,
            chroma,
            hue: 1.45,
        }
        .colour()
    };
    let depth = if pale { 0.07 } else { 0.055 };
    [
        ("wall", wall.colour()),
        ("pane", shade(-depth)),
        ("reveal", shade(-1.9 * depth)),
        ("sill", shade(if pale { 0.05 } else { 0.045 })),
        (
            "lit",
            if pale {
                lamp(0.995, 0.01)
            } else {
                lamp(0.90, 0.10)
            },
        ),
        (
            "glow",
            if pale {
                lamp(0.95, 0.05)
            } else {
                lamp(0.83, 0.13)
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one custom property from the day's or the night's part of the style sheet.
    fn property(css: &str, night: bool, name: &str) -> Colour {
        let part = css.split("@media").nth(usize::from(night)).unwrap();
        let value = part.split(&format!("--{name}:")).nth(1).unwrap();
        value[..7].parse().unwrap()
    }

    fn colours() -> impl Iterator<Item = Colour> {
        let parts = [0u8, 51, 102, 128, 153, 204, 255];
        parts
            .into_iter()
            .flat_map(move |r| {
                parts
                    .into_iter()
                    .flat_map(move |g| parts.into_iter().map(move |b| Colour::new(r, g, b)))
            })
            // The grey that is as far from black as from white, where neither is easy to read.
            .chain([Colour::new(0x7f, 0x7f, 0x7f), Colour::new(0x75, 0x75, 0x75)])
    }

    #[test]
    fn every_colour_gives_text_that_can_be_read() {
        for colour in colours() {
            let css = tenant_css(colour);
            for night in [false, true] {
                let fill = property(&css, night, "accent");
                let on = property(&css, night, "on-accent");
                assert_eq!(fill, colour, "the tenant's own colour fills the button");
                assert!(fill.contrast(on) >= TEXT_CONTRAST, "{colour} on its button");
                let press = property(&css, night, "accent-press");
                assert!(press.contrast(on) >= TEXT_CONTRAST, "{colour} pressed");
                let grounds = if night { DARK_GROUNDS } else { LIGHT_GROUNDS };
                for ground in grounds {
                    let text = property(&css, night, "accent-text");
                    assert!(text.contrast(ground) >= TEXT_CONTRAST, "{colour} as text");
                    let edge = property(&css, night, "accent-edge");
                    assert!(
                        edge.contrast(ground) >= EDGE_CONTRAST,
                        "{colour} as an edge"
                    );
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue: Colour = "#1d4ed8".parse().unwrap();
        assert_eq!(property(&tenant_css(blue), false, "accent-text"), blue);
    }
}
