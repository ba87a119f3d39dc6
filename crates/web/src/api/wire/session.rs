//! Sessions, as their owners see them.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_core::session::Session;
use tenantry_core::{Locale, Timestamp};

use crate::{agent, i18n};

/// A session, as its owner sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SessionBody {
    /// The id.
    pub id: String,
    /// What carries it: `browser` or `api`.
    pub kind: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Browser and system in words, such as `Firefox on Linux`; `Unknown device` where its
    /// description says neither.
    pub device: String,
    /// The client's own description.
    pub user_agent: Option<String>,
    /// When it began.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schemars(with = "String")]
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

impl SessionBody {
    /// A session, seen from the session `current`.
    pub fn of(session: &Session, current: tenantry_core::SessionId) -> Self {
        let known = agent::device(
            Locale::En,
            session.user_agent.as_deref().unwrap_or_default(),
        );
        let unknown = i18n::of(Locale::En).account.session_unknown;
        Self {
            device: known.unwrap_or_else(|| unknown.to_owned()),
            id: session.id.to_string(),
            kind: session.kind.to_string(),
            current: session.id == current,
            user_agent: session.user_agent.clone(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
        }
    }
}

/// What signing out, or signing others out, ended.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct SignedOutBody {
    /// Sessions that ended.
    pub sessions_cleared: u64,
}
