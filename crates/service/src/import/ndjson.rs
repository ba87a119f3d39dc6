//! Our own form, which the API takes too: a JSON object on each line.

use serde::Deserialize;
use tenantry_core::Secret;

use super::lines::Line;
use super::record::{Found, Hash, LineError, Record, Said};

/// What a line says. Fields that are not known are refused, so that one who says `name` for
/// `full_name` learns it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    email: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    full_name: Option<String>,
    #[serde(default)]
    role: Option<String>,
    password_hash: String,
}

/// The record on a line.
pub fn record(number: u64, line: &Line) -> Record {
    let found = object::<Entry>(number, line).map(|entry| {
        Found::Somebody(Box::new(Said {
            email: entry.email,
            username: entry.username,
            full_name: entry.full_name,
            role: entry.role,
            hash: Hash::Text(Secret::new(entry.password_hash)),
            disabled: false,
        }))
    });
    Record {
        line: number,
        found,
    }
}

/// The object on a line, or what is wrong with it. Nothing that stands there is repeated but the
/// names of fields.
pub(super) fn object<'a, T: Deserialize<'a>>(number: u64, line: &'a Line) -> Result<T, LineError> {
    let octets = match line {
        Line::Whole(octets) => octets,
        Line::TooLong => {
            let why = "the line is longer than 16 KiB";
            return Err(LineError::new(number, "too_long", why));
        }
    };
    let malformed = || LineError::new(number, "malformed", "the line is no JSON object");
    // serde would also take a list of a struct's fields in order, which no one means.
    if octets.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed());
    }
    serde_json::from_slice(octets).map_err(|error| {
        if !error.is_data() {
            return malformed();
        }
        let text = error.to_string();
        let field = text.split('`').nth(1).unwrap_or_default();
        let (code, why) = if text.starts_with("unknown field") {
            ("unknown_field", format!("there is no field {field} here"))
        } else if text.starts_with("duplicate field") {
            ("duplicate_field", format!("{field} is given twice"))
        } else if text.starts_with("missing field") {
            ("required", format!("{field} is required"))
        } else {
            let why = "a field has the wrong type";
            ("invalid", why.to_owned())
        };
        LineError::new(number, code, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Found, LineError> {
        record(7, &Line::Whole(text.as_bytes().to_vec())).found
    }

    #[test]
    fn a_line_says_somebody() {
        let Ok(Found::Somebody(said)) = read(
            r#" {"email":"ada@example.org","username":"ada","role":null,"password_hash":"x"}"#,
        ) else {
            panic!("nobody");
        };
        assert_eq!(said.email, "ada@example.org");
        assert_eq!(said.username.as_deref(), Some("ada"));
        assert!(said.role.is_none() && !said.disabled);
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        for (text, code, names) in [
            ("nonsense", "malformed", ""),
            ("[\"a\",null,null,null,\"b\"]", "malformed", ""),
            ("{\"email\":\"a\"", "malformed", ""),
            (
                "{\"email\":\"a\",\"password_hash\":\"b\"} more",
                "malformed",
                "",
            ),
            ("{\"email\":\"a\"}", "required", "password_hash"),
            ("{\"password_hash\":\"a\"}", "required", "email"),
            (
                "{\"email\":\"a\",\"password_hash\":\"b\",\"name\":\"c\"}",
                "unknown_field",
                "name",
            ),
            (
                "{\"email\":\"a\",\"email\":\"b\",\"password_hash\":\"c\"}",
                "duplicate_field",
                "email",
            ),
            ("{\"email\":1,\"password_hash\":\"secret\"}", "invalid", ""),
        ] {
            let Err(error) = read(text) else {
                panic!("{text} was read");
            };
            assert_eq!((error.line, error.code), (7, code), "{text}");
            assert!(error.message.contains(names), "{}", error.message);
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
        let too_long = record(1, &Line::TooLong).found.err().unwrap();
        assert_eq!(too_long.code, "too_long");
    }
}
