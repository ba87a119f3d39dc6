//! What commands print: a table for people, JSON for programs.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::exit::Exit;

/// How a command's answer is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// In JSON.
    pub(crate) json: bool,
}

fn write(text: &str) -> Result<(), Exit> {
    // A reader that went away (`| head`) is no failure of ours.
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Exit::failed("writing the answer", error))
        }
        _ => Ok(()),
    }
}

impl Output {
    /// Prints `value` as JSON, or `text` for people.
    pub(crate) fn show(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Exit> {
        if self.json {
            let json = serde_json::to_string_pretty(value)
                .map_err(|error| Exit::failed("writing the answer", error))?;
            write(&json)
        } else {
            write(text().trim_end())
        }
    }

    /// Says something on stderr, unless a program reads along.
    pub(crate) fn say(self, text: &str) {
        if !self.json {
            // A reader that went away is no failure of ours.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Says on stderr what is not as it should be, also to a program: as JSON on one line.
    pub(crate) fn warn(self, text: &str) {
        let line = if self.json {
            serde_json::json!({ "warning": { "message": text } }).to_string()
        } else {
            format!("warning: {text}")
        };
        // A reader that went away is no failure of ours.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Asks before something that can't be taken back. With nobody to ask, refuses.
    pub(crate) async fn confirm(
        self,
        question: &str,
        expected: &str,
        force: bool,
    ) -> Result<(), Exit> {
        if force {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Exit::refused(
                "confirmation_required",
                format!("{question} There is no terminal to ask on; give --force to go ahead."),
            ));
        }
        let asked = write!(
            std::io::stderr(),
            "{question} Type {expected} to go ahead: "
        );
        asked.map_err(|error| Exit::failed("asking", error))?;
        let answer = read_line("reading the answer").await?;
        if answer.is_some_and(|answer| answer.trim() == expected) {
            Ok(())
        } else {
            Err(Exit::refused(
                "not_confirmed",
                "not confirmed; nothing was touched",
            ))
        }
    }
}

/// A table with these headings, as wide as the terminal allows.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// A list of facts, one on a line.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter()
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first line of standard input.
pub(crate) async fn line_from_stdin(what: &str) -> Result<String, Exit> {
    read_line(what)
        .await?
        .ok_or_else(|| Exit::Usage(format!("{what}: standard input is empty")))
}

/// A line of standard input, if there is one. Read aside, so that Ctrl-C is heard meanwhile.
async fn read_line(what: &str) -> Result<Option<String>, Exit> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .map(|read| (read, line))
    });
    let (read, line) = reading
        .await
        .map_err(|error| Exit::failed(what, error))?
        .map_err(|error| Exit::failed(what, error))?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}
