//! The users that enter a tenant's database. Their passwords are answered once, when they are made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_service::credentials::{Access, CredentialView};

/// A user of a tenant's database, with one of the passwords it had.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CredentialBody {
    /// The user's name.
    pub user: String,
    /// Whose it is: `service`, or the applications' `a` or `b`.
    #[schemars(with = "String")]
    pub slot: Slot,
    /// Whether the password works: `pending`, `active`, `retiring` or `retired`.
    #[schemars(with = "String")]
    pub state: CredentialState,
    /// When the password was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it stopped working.
    #[schemars(with = "Option<String>")]
    pub retired_at: Option<Timestamp>,
}

impl From<CredentialView> for CredentialBody {
    fn from(view: CredentialView) -> Self {
        Self {
            user: view.user,
            slot: view.slot,
            state: view.state,
            created_at: view.created_at,
            retired_at: view.retired_at,
        }
    }
}

/// How a tenant's database user is changed.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// Answers the new password, once and at once; else the owner gets a link by mail, and nothing
    /// changes before it is used.
    #[serde(default)]
    pub reveal: bool,
}

/// A new user of a tenant's database, with everything to connect; shown once. Has no `Debug`, since
/// it holds a password.
#[derive(Clone, Serialize, JsonSchema)]
pub struct RevealedBody {
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// Where the application's tables go.
    pub schema: String,
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// All of it as one URL.
    pub url: String,
}

impl From<&Access> for RevealedBody {
    fn from(access: &Access) -> Self {
        Self {
            host: access.host.clone(),
            port: access.port,
            database: access.database.clone(),
            schema: access.schema.clone(),
            user: access.user.clone(),
            password: access.password.expose().clone(),
            url: access.url.expose().clone(),
        }
    }
}

/// The owner gets a link by mail.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct LinkSentBody {
    /// Always `link_sent`.
    pub status: &'static str,
}

impl LinkSentBody {
    /// A link is on its way.
    pub const SENT: Self = Self {
        status: "link_sent",
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_users_password_is_in_no_list() {
        let body = CredentialBody {
            user: "t_1_g1_a".to_owned(),
            slot: Slot::A,
            state: CredentialState::Retiring,
            created_at: Timestamp::from_micros(1_772_546_583_000_000),
            retired_at: None,
        };
        let expected = json!({
            "user": "t_1_g1_a", "slot": "a", "state": "retiring",
            "created_at": "2026-03-03T14:03:03.000Z", "retired_at": null,
        });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[test]
    fn new_access_is_answered_with_everything_to_connect() {
        let text = |text: &str| text.to_owned();
        let body = RevealedBody {
            host: text("pg-1.example.com"),
            port: 5432,
            database: text("t_1_g1"),
            schema: text("app"),
            user: text("t_1_g1_b"),
            password: text("secret"),
            url: text("postgres://t_1_g1_b:secret@pg-1.example.com:5432/t_1_g1"),
        };
        let expected = json!({
            "host": "pg-1.example.com", "port": 5432, "database": "t_1_g1", "schema": "app",
            "user": "t_1_g1_b", "password": "secret",
            "url": "postgres://t_1_g1_b:secret@pg-1.example.com:5432/t_1_g1",
        });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[test]
    fn nothing_is_revealed_unless_asked_for() {
        let read = |value| serde_json::from_value::<RotateRequest>(value).map(|ask| ask.reveal);
        assert!(matches!(read(json!({})), Ok(false)));
        assert!(matches!(read(json!({ "reveal": true })), Ok(true)));
        assert!(read(json!({ "reveal": true, "force": true })).is_err());
    }
}
