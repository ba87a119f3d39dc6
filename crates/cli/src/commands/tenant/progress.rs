//! How far long work is: one line on a terminal, written over again and again; nothing elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};

use crate::output::Output;

/// Parts that a bar has.
const PARTS: usize = 30;

/// A line of progress.
pub(in crate::commands) struct Progress {
    what: &'static str,
    shown: bool,
    /// The last line, so that one that says the same is not written again.
    last: Cell<Option<(usize, usize)>>,
}

impl Progress {
    /// A line about `what`. Shown only to somebody at a terminal.
    pub(in crate::commands) fn start(what: &'static str, out: Output) -> Self {
        Self {
            what,
            shown: !out.json && std::io::stderr().is_terminal(),
            last: Cell::new(None),
        }
    }

    /// So many of so many are done.
    pub(in crate::commands) fn show(&self, done: usize, total: usize) {
        if self.shown && self.last.replace(Some((done, total))) != Some((done, total)) {
            // A reader that went away is no failure of ours.
            let mut stderr = std::io::stderr();
            let _ = write!(stderr, "\r{}", line(self.what, done, total));
            let _ = stderr.flush();
        }
    }

    /// Takes the line away, so that the answer stands alone.
    pub(in crate::commands) fn end(&self) {
        if self.shown && self.last.take().is_some() {
            // Erase in line (ECMA-48, 8.3.41).
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
        }
    }
}

fn line(what: &str, done: usize, total: usize) -> String {
    let full = (done * PARTS)
        .checked_div(total)
        .unwrap_or(PARTS)
        .min(PARTS);
    format!(
        "{what} [{}{}] {done}/{total}",
        "#".repeat(full),
        "-".repeat(PARTS - full)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_and_is_never_longer_than_itself() {
        assert_eq!(line("A", 0, 2), format!("A [{}] 0/2", "-".repeat(30)));
        assert_eq!(
            line("A", 1, 2),
            format!("A [{}{}] 1/2", "#".repeat(15), "-".repeat(15))
        );
        assert_eq!(line("A", 3, 2), format!("A [{}] 3/2", "#".repeat(30)));
        assert_eq!(line("A", 0, 0), format!("A [{}] 0/0", "#".repeat(30)));
    }
}
