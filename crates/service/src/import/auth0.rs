//! Auth0's exports: a JSON object on each line, with `passwordHash` in the file that Auth0's support
//! sends, which holds the hashes. Fields that are not known are left alone.

use serde::Deserialize;
use tenantry_core::Secret;

use super::lines::Line;
use super::ndjson::object;
use super::record::{Found, Hash, Record, Said};

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, alias = "passwordHash")]
    password_hash: Option<String>,
    #[serde(default)]
    blocked: Option<bool>,
}

/// The record on a line. Everybody is a member: what Auth0 calls roles lies elsewhere.
pub fn record(number: u64, line: &Line) -> Record {
    let found = object::<Entry>(number, line).map(|entry| {
        let email = entry.email.unwrap_or_default();
        // Where nobody has a name, Auth0 writes the address.
        let full_name = entry.name.filter(|name| *name != email);
        Found::Somebody(Box::new(Said {
            username: entry.username,
            full_name,
            role: None,
            hash: entry
                .password_hash
                .map_or(Hash::None, |hash| Hash::Text(Secret::new(hash))),
            disabled: entry.blocked == Some(true),
            email,
        }))
    });
    Record {
        line: number,
        found,
    }
}
