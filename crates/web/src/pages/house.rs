//! The house that every tenant lives in: a drawing of its windows, the same each time for the same
//! tenant and different for every other. Painted by the tenant's style sheet; says nothing to
//! somebody who can't see it.

use std::fmt::Write as _;

/// Which windows are lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    /// Some.
    Evening,
    /// None.
    Out,
}

/// The number that a house is drawn from (FNV-1a, stirred so that near names look far apart).
pub(super) fn seed(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The whole front, to fill a tall side of a page.
pub(super) fn front(seed: u64, light: Light) -> String {
    House {
        seed,
        columns: 6,
        rows: 7,
        light,
        storeys: true,
    }
    .draw()
}

/// One floor, to fill a low strip.
pub(super) fn floor(seed: u64) -> String {
    House {
        seed,
        columns: 18,
        rows: 1,
        light: Light::Evening,
        storeys: false,
    }
    .draw()
}

/// Width and height of one window's share of the wall.
const PITCH: (u32, u32) = (120, 170);

/// Where a window opens in its share: left, top, width, height.
const OPENING: (u32, u32, u32, u32) = (30, 34, 60, 102);

struct House {
    seed: u64,
    columns: u32,
    rows: u32,
    light: Light,
    storeys: bool,
}

/// How the windows of one house look.
#[derive(Clone, Copy)]
enum Shape {
    Tall,
    Arch,
    Twin,
    Wide,
}

/// The outlines that are filled with one colour each.
#[derive(Default)]
struct Paths {
    reveal: String,
    pane: String,
    lit: String,
    glow: String,
    bars: String,
    sill: String,
}

impl House {
    fn draw(&self) -> String {
        let (width, height) = (self.columns * PITCH.0, self.rows * PITCH.1);
        let shape = match self.seed % 4 {
            0 => Shape::Tall,
            1 => Shape::Arch,
            2 => Shape::Twin,
            _ => Shape::Wide,
        };
        let mut paths = Paths::default();
        for row in 0..self.rows {
            for column in 0..self.columns {
                paths.window(
                    shape,
                    column * PITCH.0,
                    row * PITCH.1,
                    self.chance(column, row),
                );
            }
            if self.storeys && row > 0 {
                paths.sill(0, row * PITCH.1 - 1, width, 2);
            }
        }
        let mut svg = format!(
            "<svg class=\"house\" viewBox=\"0 0 {width} {height}\" \
             preserveAspectRatio=\"xMidYMid slice\" aria-hidden=\"true\" focusable=\"false\">\
             <rect class=\"wall\" width=\"{width}\" height=\"{height}\"/>"
        );
        for (class, path) in [
            ("reveal", &paths.reveal),
            ("pane", &paths.pane),
            ("lit", &paths.lit),
            ("glow", &paths.glow),
            ("bars", &paths.bars),
            ("sill", &paths.sill),
        ] {
            if !path.is_empty() {
                append(
                    &mut svg,
                    format_args!("<path class=\"{class}\" d=\"{path}\"/>"),
                );
            }
        }
        if self.storeys {
            // The shadow of the house across the street.
            append(
                &mut svg,
                format_args!(
                    "<path class=\"dusk\" d=\"M0 0H{}L0 {}z\"/>",
                    width / 2,
                    height * 3 / 4
                ),
            );
        }
        svg.push_str("</svg>");
        svg
    }

    /// What happens behind a window: 64 bits that depend on the house and the place.
    fn chance(&self, column: u32, row: u32) -> Window {
        let place = u64::from(row * 31 + column + 1);
        let mut bits = self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        Window {
            lit: self.light == Light::Evening && bits % 100 < 17,
            blind: match (bits >> 20) % 7 {
                0 => 1,
                1 | 2 => 2,
                3 => 3,
                _ => 0,
            },
        }
    }
}

#[derive(Clone, Copy)]
struct Window {
    lit: bool,
    /// How many fifths of it a blind covers.
    blind: u32,
}

/// Depth of the reveal: how far the pane lies behind the wall, in the light from the upper right.
const DEPTH: u32 = 7;

impl Paths {
    fn window(&mut self, shape: Shape, left: u32, top: u32, window: Window) {
        let (x, y, w, h) = (left + OPENING.0, top + OPENING.1, OPENING.2, OPENING.3);
        match shape {
            Shape::Tall => self.opening(x, y, w, h, 0, window),
            Shape::Arch => self.opening(x, y, w, h, w / 2, window),
            Shape::Wide => self.opening(x - 10, y + 14, w + 20, h - 28, 0, window),
            Shape::Twin => {
                let half = w / 2 - 4;
                self.opening(x, y, half, h, half / 2, window);
                self.opening(x + half + 8, y, half, h, half / 2, window);
            }
        }
        let (bar_y, bar_h) = match shape {
            Shape::Wide => (y + h - 14, 6),
            Shape::Tall | Shape::Arch | Shape::Twin => (y + h, 6),
        };
        self.sill(x - 14, bar_y, w + 28, bar_h);
        match shape {
            Shape::Tall | Shape::Arch => {
                rectangle(&mut self.bars, x + w / 2 - 1, y, 3, h);
                rectangle(&mut self.bars, x, y + h / 3 + 8, w, 3);
            }
            Shape::Wide => {
                rectangle(&mut self.bars, x + 15, y + 14, 3, h - 28);
                rectangle(&mut self.bars, x + w - 18, y + 14, 3, h - 28);
            }
            Shape::Twin => {}
        }
    }

    /// One opening, rounded at its top by `arch`: the reveal, and the pane in its lower left.
    fn opening(&mut self, x: u32, y: u32, w: u32, h: u32, arch: u32, window: Window) {
        arched(&mut self.reveal, x, y, w, h, arch);
        let pane = if window.lit {
            &mut self.lit
        } else {
            &mut self.pane
        };
        let inner = arch.saturating_sub(DEPTH / 2);
        arched(pane, x, y + DEPTH, w - DEPTH, h - DEPTH, inner);
        if window.lit && window.blind > 0 {
            let height = ((h - DEPTH) * window.blind / 5).max(inner + 4);
            arched(&mut self.glow, x, y + DEPTH, w - DEPTH, height, inner);
        }
    }

    fn sill(&mut self, x: u32, y: u32, w: u32, h: u32) {
        rectangle(&mut self.sill, x, y, w, h);
    }
}

fn rectangle(path: &mut String, x: u32, y: u32, w: u32, h: u32) {
    append(path, format_args!("M{x} {y}h{w}v{h}h-{w}z"));
}

/// A rectangle whose top is rounded by `r`.
fn arched(path: &mut String, x: u32, y: u32, w: u32, h: u32, r: u32) {
    if r == 0 {
        return rectangle(path, x, y, w, h);
    }
    let (straight, side) = (w - 2 * r, h - r);
    append(
        path,
        format_args!(
            "M{x} {}a{r} {r} 0 0 1 {r}-{r}h{straight}a{r} {r} 0 0 1 {r} {r}v{side}h-{w}z",
            y + r
        ),
    );
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = text.write_fmt(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lights_go_out() {
        let seed = seed("acme");
        assert!(front(seed, Light::Evening).contains("class=\"lit\""));
        assert!(!front(seed, Light::Out).contains("class=\"lit\""));
    }

    #[test]
    fn every_house_has_some_light_and_is_small() {
        for name in [
            "acme",
            "globex",
            "uml",
            "a-b-c",
            "localhost",
            "test1",
            "test2",
            "test3",
        ] {
            let svg = front(seed(name), Light::Evening);
            assert!(svg.contains("class=\"lit\""), "{name}");
            assert!(svg.len() < 12_000, "{name}: {}", svg.len());
        }
    }
}
