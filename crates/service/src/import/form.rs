//! Which form a file has, and reading it by its form.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use serde_json::Value;

use super::lines::{Line, Lines};
use super::record::Record;
use super::{auth0, keycloak, laravel, ndjson};

/// How much is looked at to tell the form, and read at once.
const CHUNK: usize = 64 * 1024;

/// The forms that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Our own: a JSON object on each line.
    Ndjson,
    /// A realm's export in JSON.
    Keycloak,
    /// A JSON object on each line, as Auth0 exports them.
    Auth0,
    /// The table `users`, in CSV or as a list in JSON.
    Laravel,
}

/// Why a file can't be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file.
    #[error("the file can't be read: {0}")]
    Io(#[from] io::Error),
    /// It is no export of Keycloak's.
    #[error("this is no export of Keycloak's with a list of users: {0}")]
    Keycloak(#[from] serde_json::Error),
    /// It is no table.
    #[error(transparent)]
    Table(#[from] laravel::TableError),
}

impl Form {
    /// The form of a text that begins like this.
    fn of(beginning: &[u8]) -> Self {
        let beginning = beginning
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(beginning)
            .trim_ascii_start();
        match beginning.first() {
            Some(b'[') => Self::of_list(beginning),
            Some(b'{') => Self::of_objects(beginning),
            Some(_) | None => Self::Laravel,
        }
    }

    /// A list of objects is Laravel's, or one of Keycloak's realms.
    fn of_list(beginning: &[u8]) -> Self {
        let text = String::from_utf8_lossy(beginning);
        if text.contains("\"users\"") {
            Self::Keycloak
        } else {
            Self::Laravel
        }
    }

    /// One object is a document of Keycloak's; one on each line are people.
    fn of_objects(beginning: &[u8]) -> Self {
        let first = beginning.split(|octet| *octet == b'\n').next();
        let Ok(Value::Object(first)) = serde_json::from_slice(first.unwrap_or_default()) else {
            return Self::Keycloak;
        };
        let has = |name| first.contains_key(name);
        if has("users") || has("realm") {
            Self::Keycloak
        } else if ["passwordHash", "_id", "user_id", "email_verified"]
            .into_iter()
            .any(has)
        {
            Self::Auth0
        } else {
            Self::Ndjson
        }
    }

    /// Reads a text to its end, and gives each record to `each`, which may stop it. Without a form,
    /// the beginning tells it. Blocks, as reading does.
    pub fn read(
        form: Option<Self>,
        text: impl Read,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut text = io::BufReader::with_capacity(CHUNK, text);
        // One read may give less than is there; what was put back is read again.
        let mut beginning = Vec::new();
        text.by_ref()
            .take(CHUNK as u64)
            .read_to_end(&mut beginning)?;
        let is_list = beginning
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&beginning)
            .trim_ascii_start()
            .starts_with(b"[");
        let form = form.unwrap_or_else(|| Self::of(&beginning));
        let beginning = match beginning.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => rest.to_vec(),
            None => beginning,
        };
        let text = io::Cursor::new(beginning).chain(text);
        match form {
            Self::Ndjson => read_lines(text, ndjson::record, each)?,
            Self::Auth0 => read_lines(text, auth0::record, each)?,
            Self::Keycloak => keycloak::read(text, each)?,
            Self::Laravel if is_list => laravel::read_json(text, each)?,
            Self::Laravel => laravel::read_csv(text, each)?,
        }
        Ok(())
    }
}

fn read_lines(
    mut text: impl BufRead,
    record: fn(u64, &Line) -> Record,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut lines = Lines::default();
    let mut flow = ControlFlow::Continue(());
    loop {
        let chunk = text.fill_buf()?;
        let length = chunk.len();
        let mut give = |number, line: Line| {
            if flow.is_continue() {
                flow = each(record(number, &line));
            }
        };
        if length == 0 {
            lines.end(give);
            return Ok(());
        }
        lines.push(chunk, &mut give);
        if flow.is_break() {
            return Ok(());
        }
        text.consume(length);
    }
}

#[cfg(test)]
mod tests;
