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

/// Where a window opens in its share.
const OPENING: Area = Area::new(30, 34, 60, 102);

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
                Area::new(0, row * PITCH.1 - 1, width, 2).draw(&mut paths.sill);
            }
        }
        let mut svg = format!(
            "<svg class=\"house\" viewBox=\"0 0 {width} {height}\" \
             preserveAspectRatio=\"{} slice\" aria-hidden=\"true\" focusable=\"false\">\
             <rect class=\"wall\" width=\"{width}\" height=\"{height}\"/>",
            if self.storeys { "xMidYMin" } else { "xMidYMid" }
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

/// A piece of the wall.
#[derive(Clone, Copy)]
struct Area {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Area {
    const fn new(left: u32, top: u32, width: u32, height: u32) -> Self {
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// Adds the area to a path.
    fn draw(self, path: &mut String) {
        let Self {
            left,
            top,
            width,
            height,
        } = self;
        append(
            path,
            format_args!("M{left} {top}h{width}v{height}h-{width}z"),
        );
    }

    /// Adds the area to a path, its top rounded by a radius of at most half its width.
    fn draw_arched(self, path: &mut String, radius: u32) {
        if radius == 0 {
            return self.draw(path);
        }
        let Self {
            left,
            top,
            width,
            height,
        } = self;
        let (start, straight, side) = (top + radius, width - 2 * radius, height - radius);
        append(
            path,
            format_args!(
                "M{left} {start}a{radius} {radius} 0 0 1 {radius}-{radius}h{straight}\
                 a{radius} {radius} 0 0 1 {radius} {radius}v{side}h-{width}z"
            ),
        );
    }
}

impl Paths {
    /// The window of the share of wall that begins at `left` and `top`.
    fn window(&mut self, shape: Shape, left: u32, top: u32, window: Window) {
        let (left, top) = (left + OPENING.left, top + OPENING.top);
        let Area { width, height, .. } = OPENING;
        let whole = Area {
            left,
            top,
            ..OPENING
        };
        let mut bottom = top + height;
        match shape {
            Shape::Tall | Shape::Arch => {
                let arch = if matches!(shape, Shape::Arch) {
                    width / 2
                } else {
                    0
                };
                self.opening(whole, arch, window);
                Area::new(left + width / 2 - 1, top, 3, height).draw(&mut self.bars);
                Area::new(left, top + height / 3 + 8, width, 3).draw(&mut self.bars);
            }
            Shape::Wide => {
                bottom -= 14;
                self.opening(
                    Area::new(left - 10, top + 14, width + 20, height - 28),
                    0,
                    window,
                );
                for bar in [left + 15, left + width - 18] {
                    Area::new(bar, top + 14, 3, height - 28).draw(&mut self.bars);
                }
            }
            Shape::Twin => {
                let half = width / 2 - 4;
                for side in [left, left + half + 8] {
                    self.opening(
                        Area {
                            left: side,
                            width: half,
                            ..whole
                        },
                        half / 2,
                        window,
                    );
                }
            }
        }
        Area::new(left - 14, bottom, width + 28, 6).draw(&mut self.sill);
    }

    /// One opening, rounded at its top by `arch`: the reveal, and the pane in its lower left.
    fn opening(&mut self, area: Area, arch: u32, window: Window) {
        area.draw_arched(&mut self.reveal, arch);
        let pane = Area {
            top: area.top + DEPTH,
            width: area.width - DEPTH,
            height: area.height - DEPTH,
            ..area
        };
        let arch = arch.min(pane.width / 2);
        pane.draw_arched(
            if window.lit {
                &mut self.lit
            } else {
                &mut self.pane
            },
            arch,
        );
        if window.lit && window.blind > 0 {
            let height = (pane.height * window.blind / 5).max(arch + 4);
            Area { height, ..pane }.draw_arched(&mut self.glow, arch);
        }
    }
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
    fn every_house_is_drawn_has_some_light_and_is_small() {
        for seed in (0..400_u64).map(|number| seed(&number.to_string())) {
            let svg = front(seed, Light::Evening);
            assert!(svg.contains("class=\"lit\""), "{seed}");
            assert!(svg.len() < 16_000, "{seed}: {}", svg.len());
            assert!(floor(seed).ends_with("</svg>"));
        }
    }
}
