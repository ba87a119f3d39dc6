//! Settings that can't be used.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::exit::Exit;

/// A setting that can't be used: one line that names it.
pub(super) fn wrong(name: &str, why: impl Display) -> Exit {
    Exit::refused("invalid_setting", format!("{name}: {why}"))
}

/// A number within its bounds. They are far past what serves anybody, and far before what a
/// machine can't start.
///
/// # Errors
/// Names the setting and its bounds; `zero` says what 0 stands for, where it is allowed.
pub(super) fn within<N: PartialOrd + Display>(
    name: &str,
    number: &N,
    bounds: &RangeInclusive<N>,
    zero: Option<&str>,
) -> Result<(), Exit> {
    if bounds.contains(number) {
        return Ok(());
    }
    let zero = zero.map(|zero| format!(" ({zero})")).unwrap_or_default();
    Err(wrong(
        name,
        format!("it is {}{zero} to {}", bounds.start(), bounds.end()),
    ))
}
