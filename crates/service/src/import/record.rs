//! One record of a file, before and after it is judged.

use serde::Serialize;
use tenantry_core::user::{Username, full_name};
use tenantry_core::{Email, Role, Secret};
use tenantry_keys::password::{self, StoredHashError};

use super::Person;

/// What is wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineError {
    /// The line, from 1; of a file that is one JSON document, which of the people it is.
    pub line: u64,
    /// A fixed word for programs.
    pub code: &'static str,
    /// A sentence for people. Never repeats a hash.
    pub message: String,
}

impl LineError {
    /// What is wrong with a line.
    pub fn new(line: u64, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            line,
            code,
            message: message.into(),
        }
    }
}

/// One record.
pub struct Record {
    /// Where it stands, as [`LineError::line`] counts.
    pub line: u64,
    /// What stands there, or why it can't be read.
    pub found: Result<Found, LineError>,
}

/// What a record says.
pub enum Found {
    /// There is somebody.
    Somebody(Box<Said>),
    /// Nobody is to be made of it: a machine's account, somebody who was deleted.
    Nobody,
}

/// A person's hash, as a file has it.
pub enum Hash {
    /// None; the person asks for a link to set a password.
    None,
    /// As one text, in the form of whoever made it.
    Text(Secret<String>),
    /// Brought into our form already, or why that can't be done.
    Formed(Result<Secret<String>, StoredHashError>),
}

/// What a record says about somebody, word for word.
pub struct Said {
    /// The address.
    pub email: String,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// What the person may do; a member where nothing is said.
    pub role: Option<String>,
    /// The password's hash.
    pub hash: Hash,
    /// The person is kept out.
    pub disabled: bool,
}

impl Said {
    /// Who it is, or what is wrong first.
    pub(super) fn judged(self, line: u64) -> Result<Person, LineError> {
        let error = |code, message: String| LineError::new(line, code, message);
        if self.email.trim().is_empty() {
            return Err(error("required", "email: there is no address".to_owned()));
        }
        let email: Email = self
            .email
            .parse()
            .map_err(|why| error("invalid", format!("email: {why}")))?;
        let username = filled(self.username)
            .map(|name| name.parse::<Username>())
            .transpose()
            .map_err(|why| error("invalid", format!("username: {why}")))?;
        let full_name = full_name(self.full_name.as_deref())
            .map_err(|why| error("invalid", format!("full_name: {why}")))?;
        let role = match filled(self.role).as_deref() {
            None => Role::Member,
            Some(word) => word
                .parse()
                .ok()
                .filter(|role| *role != Role::PlatformAdmin)
                .ok_or_else(|| {
                    let why = "role: it is owner, admin or member";
                    error("invalid", why.to_owned())
                })?,
        };
        let hash = match self.hash {
            Hash::None => None,
            Hash::Text(text) => Some(password::stored_form(text.expose()).map(Secret::new)),
            Hash::Formed(formed) => Some(formed),
        };
        let password_hash = hash
            .transpose()
            .map_err(|why| error(hash_code(&why), format!("password_hash: {why}")))?;
        Ok(Person {
            email,
            username,
            full_name,
            role,
            password_hash,
            disabled: self.disabled,
        })
    }
}

/// A word for what is wrong with a hash.
const fn hash_code(error: &StoredHashError) -> &'static str {
    match error {
        StoredHashError::Malformed => "malformed_hash",
        StoredHashError::Unsupported | StoredHashError::Flawed => "unsupported_hash",
        StoredHashError::TooCostly => "hash_too_costly",
        StoredHashError::Failed(_) => "invalid",
    }
}

fn filled(text: Option<String>) -> Option<String> {
    let text = text?;
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
