//! People in a tenant.

use std::fmt;
use std::str::FromStr;

use crate::text_enum::text_enum;
use crate::{Email, Timestamp, UserId};

text_enum! {
    /// What a person may do. The order is by power: see [`Role::rank`].
    pub enum Role {
        /// Has the tenant; there is always one.
        Owner = "owner",
        /// Runs the tenant's staff.
        Admin = "admin",
        /// Uses the product.
        Member = "member",
        /// Runs the platform, outside any tenant.
        PlatformAdmin = "platform_admin",
    }
}

impl Role {
    /// How much the role may, as a number to compare inside one tenant.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Member => 1,
            Self::Admin => 2,
            Self::Owner => 3,
            Self::PlatformAdmin => 4,
        }
    }
}

/// A number that is raised whenever what a user proved before must no longer count: password or
/// role changed, disabled, signed out everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecurityVersion(pub i64);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a username has 2 to 40 letters, digits, dots, hyphens or underscores, and begins with a letter or digit"
)]
pub struct UsernameError;

/// The name a person signs in with instead of an address; unique in the tenant without regard to
/// ASCII case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that decides whether two names are the same.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        let text = text.trim();
        let shape = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && text
                .as_bytes()
                .first()
                .is_some_and(u8::is_ascii_alphanumeric);
        if shape && (2..=40).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UsernameError)
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The most characters of a person's name.
pub const FULL_NAME: usize = 120;

/// Why a text is no person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is one line of at most {FULL_NAME} characters")]
pub struct FullNameError;

/// A person's name as somebody typed it, without the space around it; `None` where nothing is left.
///
/// # Errors
/// Where it is longer than [`FULL_NAME`], or more than one line.
pub fn full_name(text: Option<&str>) -> Result<Option<String>, FullNameError> {
    let Some(name) = text.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > FULL_NAME || name.chars().any(char::is_control) {
        return Err(FullNameError);
    }
    Ok(Some(name.to_owned()))
}

/// A person in a tenant, without secrets.
#[derive(Debug, Clone)]
pub struct User {
    /// The id, unique over all tenants.
    pub id: UserId,
    /// Where mail goes.
    pub email: Email,
    /// The name to sign in with, if any.
    pub username: Option<String>,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// See [`SecurityVersion`].
    pub security_version: SecurityVersion,
    /// The password was made by somebody else and must be replaced before anything else.
    pub must_change_password: bool,
    /// Whether a password is set at all.
    pub has_password: bool,
    /// Whether a PIN is set, for devices of the tenant.
    pub has_pin: bool,
    /// Since when the person is kept out.
    pub disabled_at: Option<Timestamp>,
    /// When the person was added.
    pub created_at: Timestamp,
    /// The last time somebody signed in as this person.
    pub last_login_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(full_name(None), Ok(None));
        assert_eq!(full_name(Some("  ")), Ok(None));
        assert_eq!(full_name(Some(" Ada ")), Ok(Some("Ada".to_owned())));
        assert!(full_name(Some(&"ö".repeat(120))).is_ok());
        for bad in ["ö".repeat(121), "Ada\nLovelace".to_owned()] {
            assert_eq!(full_name(Some(&bad)), Err(FullNameError));
        }
    }
}
