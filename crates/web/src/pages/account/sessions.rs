//! One's own sessions.

use std::time::Duration;

use askama::Template;
use tenantry_core::session::SessionKind;
use tenantry_core::{Locale, Role, Timestamp};

use super::client::client_and_system;
use crate::i18n::{self, format};
use crate::pages::Chrome;
use crate::pages::samples::{self, Samples};

/// The sessions of a person. Forms are sent to `/account/sessions/{id}/end` and
/// `/account/sessions/end-others`.
#[derive(Clone, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The sessions, the latest used first.
    pub rows: Vec<SessionRow>,
    /// What happened just before.
    pub notice: Option<SessionsNotice>,
}

/// A session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// The id.
    pub id: String,
    /// What carries it.
    pub kind: SessionKind,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The client's own description.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}

/// What happened to sessions just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionsNotice {
    /// One was ended.
    Ended,
    /// All but this one were.
    OthersEnded,
}

impl SessionsNotice {
    /// The notice for `?done=` in the address.
    pub fn from_done(done: &str) -> Option<Self> {
        match done {
            "ended" => Some(Self::Ended),
            "others" => Some(Self::OthersEnded),
            _ => None,
        }
    }
}

impl SessionsPage {
    fn client(&self, row: &SessionRow) -> String {
        let t = &self.chrome.t().account;
        let agent = row.user_agent.as_deref().unwrap_or_default();
        match client_and_system(agent) {
            (Some(client), Some(system)) => {
                let text = i18n::fill(t.session_on, "client", client);
                i18n::fill(&text, "system", system)
            }
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) if agent.is_empty() => t.session_unknown.to_owned(),
            (None, None) => agent.chars().take(60).collect(),
        }
    }

    fn kind(&self, row: &SessionRow) -> &'static str {
        let t = &self.chrome.t().account;
        match row.kind {
            SessionKind::Browser => t.session_browser,
            SessionKind::Api => t.session_api,
        }
    }

    fn seen(&self, row: &SessionRow) -> String {
        let time = format::date_time(self.chrome.locale, row.last_seen_at);
        i18n::fill(self.chrome.t().account.session_seen, "time", &time)
    }

    fn begun(&self, row: &SessionRow) -> String {
        let time = format::date_time(self.chrome.locale, row.created_at);
        i18n::fill(self.chrome.t().account.session_begun, "time", &time)
    }

    fn end_of(&self, row: &SessionRow) -> String {
        let client = self.client(row);
        i18n::fill(self.chrome.t().account.session_end_of, "client", &client)
    }

    fn has_others(&self) -> bool {
        self.rows.iter().any(|row| !row.current)
    }

    fn notice_text(&self) -> Option<&'static str> {
        let t = &self.chrome.t().account;
        Some(match self.notice? {
            SessionsNotice::Ended => t.session_ended,
            SessionsNotice::OthersEnded => t.others_ended,
        })
    }
}

impl Samples for SessionsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let row = |number: u64, kind, agent: &str| SessionRow {
            id: samples::tenant_id(u32::try_from(number).unwrap_or(0)).to_string(),
            kind,
            current: number == 0,
            user_agent: Some(agent.to_owned()).filter(|agent| !agent.is_empty()),
            created_at: samples::time() - Duration::from_hours(number * 31),
            last_seen_at: samples::time() - Duration::from_mins(number * 47),
        };
        let rows = vec![
            row(
                0,
                SessionKind::Browser,
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            ),
            row(
                1,
                SessionKind::Browser,
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Version/26.0 Safari/604.1",
            ),
            row(
                2,
                SessionKind::Api,
                "till-pos/4.2 <script>alert(1)</script>",
            ),
            row(3, SessionKind::Api, ""),
        ];
        let page = |chrome: Chrome, rows, notice| Self {
            chrome: Chrome {
                person: Some(samples::person(Role::Member)),
                ..chrome
            },
            rows,
            notice,
        };
        vec![
            ("sessions", page(samples::acme(locale), rows.clone(), None)),
            (
                "sessions-only",
                page(
                    samples::globex(locale),
                    rows[..1].to_vec(),
                    Some(SessionsNotice::OthersEnded),
                ),
            ),
        ]
    }
}
