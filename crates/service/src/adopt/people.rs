//! An application's people, row by row: which table, and who a row is.

use tenantry_core::user::{FULL_NAME, Username};
use tenantry_core::{Email, Role, Secret};
use tenantry_keys::password;
use tenantry_store::cluster::{PeopleTable, PersonRow};

use crate::FieldError;
use crate::import::Person;

/// The most characters of an address that a report repeats, where it is none.
const SHOWN: usize = 80;

/// Who a row is.
pub(crate) enum Judged {
    /// Somebody, and what of the row is not brought along.
    Somebody {
        person: Box<Person>,
        dropped_hash: bool,
        dropped_username: bool,
    },
    /// Nobody, and why; with what stands in place of the address.
    Nobody {
        email: Option<String>,
        why: &'static str,
    },
}

/// The table that is meant by `schema.table`, or a table of the schema `public`, and a mapping such
/// as `email=mail,username=login`. A name with dots stands in double quotes.
pub fn people_table(table: &str, map: &str) -> Result<PeopleTable, FieldError> {
    let wrong = |field, message: String| FieldError::new(field, "invalid", message);
    let (schema, table) = match names(table).as_deref() {
        Some([table]) => ("public".to_owned(), table.clone()),
        Some([schema, table]) => (schema.clone(), table.clone()),
        _ => {
            return Err(wrong(
                "users",
                "it names a table as `schema.table`; a name with dots stands in double quotes"
                    .to_owned(),
            ));
        }
    };
    let mut people = PeopleTable {
        schema,
        table,
        email: String::new(),
        username: None,
        full_name: None,
        role: None,
        password_hash: None,
        disabled: None,
    };
    for pair in map.split([',', ';']).filter(|pair| !pair.trim().is_empty()) {
        let Some((key, column)) = pair.split_once('=') else {
            return Err(wrong("map", format!("{pair:?} is no `key=column`")));
        };
        let column = column.trim().to_owned();
        if column.is_empty() || column.contains('\0') {
            return Err(wrong("map", format!("{:?} names no column", key.trim())));
        }
        let place = match key.trim() {
            "email" if people.email.is_empty() => {
                people.email = column;
                continue;
            }
            "username" => &mut people.username,
            "full_name" => &mut people.full_name,
            "role" => &mut people.role,
            "password_hash" => &mut people.password_hash,
            "disabled" => &mut people.disabled,
            "email" => return Err(wrong("map", "email is named twice".to_owned())),
            other => {
                return Err(wrong(
                    "map",
                    format!(
                        "{other:?} is none of email, username, full_name, role, password_hash, disabled"
                    ),
                ));
            }
        };
        if place.replace(column).is_some() {
            return Err(wrong("map", format!("{} is named twice", key.trim())));
        }
    }
    if people.email.is_empty() {
        return Err(wrong(
            "map",
            "it names the column of addresses, as `email=COLUMN`".to_owned(),
        ));
    }
    Ok(people)
}

/// The parts of a dotted name; `None` where one is empty or a quote is left open.
fn names(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim().chars().peekable();
    loop {
        let mut part = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next()? {
                    '"' if rest.next_if_eq(&'"').is_some() => part.push('"'),
                    '"' => break,
                    c => part.push(c),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| !matches!(c, '.' | '"')) {
                part.push(c);
            }
        }
        if part.is_empty() || part.contains('\0') {
            return None;
        }
        parts.push(part);
        match rest.next() {
            None => return Some(parts),
            Some('.') => {}
            Some(_) => return None,
        }
    }
}

/// Who a row is.
pub(crate) fn judge(row: &PersonRow) -> Judged {
    let nobody = |email: Option<&str>, why| Judged::Nobody {
        email: email.map(|email| email.chars().take(SHOWN).collect()),
        why,
    };
    let Some(written) = row
        .email
        .as_deref()
        .map(str::trim)
        .filter(|it| !it.is_empty())
    else {
        return nobody(None, "there is no address");
    };
    let Ok(email) = written.parse::<Email>() else {
        return nobody(Some(written), "this is no mail address");
    };
    let written = row.username.as_deref().map(str::trim);
    let written = written.filter(|name| !name.is_empty());
    let username = written.and_then(|name| name.parse::<Username>().ok());
    let hash = row.password_hash.as_ref();
    let hash = hash.filter(|hash| !hash.expose().is_empty());
    let kept = hash.and_then(|hash| password::stored_form(hash.expose()).ok());
    Judged::Somebody {
        dropped_hash: hash.is_some() && kept.is_none(),
        dropped_username: written.is_some() && username.is_none(),
        person: Box::new(Person {
            email,
            username,
            full_name: row.full_name.as_deref().and_then(shown_name),
            role: role(row.role.as_deref()),
            password_hash: kept.map(Secret::new),
            disabled: is_disabled(row.disabled.as_deref()),
        }),
    }
}

fn shown_name(name: &str) -> Option<String> {
    let name = name.trim().chars().filter(|c| !c.is_control());
    let name: String = name.take(FULL_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// Only what is one of our words gives more than anybody has.
fn role(word: Option<&str>) -> Role {
    let word = word.unwrap_or_default().trim().to_ascii_lowercase();
    match word.as_str() {
        "owner" => Role::Owner,
        "admin" => Role::Admin,
        _ => Role::Member,
    }
}

/// Whatever is no clear "no" keeps out: a date since when, a reason, `true`.
fn is_disabled(value: Option<&str>) -> bool {
    let value = value.unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(
        value.as_str(),
        "" | "f" | "false" | "0" | "n" | "no" | "off"
    )
}

#[cfg(test)]
mod tests;
