//! Laravel's table `users`: as CSV with a line of headings, or as a list of objects in JSON. Columns
//! that are not known are left alone.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use serde::Deserialize as _;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tenantry_core::Secret;

use super::record::{Found, Hash, LineError, Record, Said};

/// Why a table can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The CSV is none, or has no headings that are known.
    #[error("the table can't be read: {0}")]
    Csv(#[from] csv::Error),
    /// The JSON is none.
    #[error("the list can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A column that everybody needs is not there.
    #[error("the first line has to name the columns, and {0} is not among them")]
    NoColumn(&'static str),
}

/// Who a row is, by a look at its columns.
fn found(cell: impl Fn(&str) -> Option<String>) -> Found {
    // How exports write that there is nothing.
    let cell =
        |name: &str| cell(name).filter(|text| !matches!(text.trim(), "" | "NULL" | "null" | "\\N"));
    if cell("deleted_at").is_some() {
        return Found::Nobody;
    }
    Found::Somebody(Box::new(Said {
        email: cell("email").unwrap_or_default(),
        username: cell("username"),
        full_name: cell("full_name").or_else(|| cell("name")),
        role: our_word(cell("role")),
        hash: cell("password").map_or(Hash::None, |hash| Hash::Text(Secret::new(hash))),
        disabled: false,
    }))
}

/// Only what is one of our words gives more than anybody has.
fn our_word(role: Option<String>) -> Option<String> {
    let role = role?.trim().to_ascii_lowercase();
    matches!(role.as_str(), "owner" | "admin").then_some(role)
}

/// Reads a table in CSV, and gives each row to `each`, by its line. Blocks, as reading does.
pub fn read_csv(
    text: impl Read,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), TableError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let headings: Vec<String> = reader
        .headers()?
        .iter()
        // Spreadsheets put a byte-order mark in front.
        .map(|heading| heading.trim_start_matches('\u{feff}').to_ascii_lowercase())
        .collect();
    for needed in ["email", "password"] {
        if !headings.iter().any(|heading| heading == needed) {
            return Err(TableError::NoColumn(needed));
        }
    }
    let mut row = StringRecord::new();
    loop {
        let line = reader.position().line();
        let read = reader.read_record(&mut row);
        let record = match read {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = row.position().map_or(line, Position::line);
                let cell = |name: &str| {
                    let place = headings.iter().position(|heading| heading == name)?;
                    row.get(place).map(str::to_owned)
                };
                Record {
                    line,
                    found: Ok(found(cell)),
                }
            }
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => {
                let line = error.position().map_or(line, Position::line);
                let why = "the row has not as many columns as the headings, or is no text";
                Record {
                    line,
                    found: Err(LineError::new(line, "malformed", why)),
                }
            }
        };
        if each(record).is_break() {
            return Ok(());
        }
    }
}

/// Reads a list of objects in JSON, and gives each one to `each`, counted from 1. Blocks, as reading
/// does.
pub fn read_json(
    text: impl Read,
    each: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), TableError> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let mut walk = Rows {
        each,
        stopped: false,
    };
    let read = deserializer.deserialize_seq(&mut walk);
    if walk.stopped {
        return Ok(());
    }
    Ok(read?)
}

struct Rows<'a> {
    each: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
    stopped: bool,
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut line = 0;
        while let Some(value) = seq.next_element::<Value>()? {
            line += 1;
            let found = Map::deserialize(value)
                .map(|row| found(|name| text(row.get(name)?)))
                .map_err(|_| LineError::new(line, "malformed", "this is no object"));
            if (self.each)(Record { line, found }).is_break() {
                self.stopped = true;
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A value as CSV would have it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
