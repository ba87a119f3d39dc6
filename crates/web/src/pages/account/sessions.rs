//! One's own sessions.

use std::time::Duration;

use askama::Template;
use tenantry_core::session::SessionKind;
use tenantry_core::{Locale, Role, Timestamp};

use crate::agent;
use crate::i18n::{self, format};
use crate::pages::samples::{self, Samples};
use crate::pages::{Chrome, encoded, paths};

/// The most characters that are shown of a description nobody knows.
const AGENT: usize = 60;

/// The sessions of a person. Forms are sent to `/account/sessions/{id}/end`,
/// `/account/sessions/end-others` and `/account/sessions/end-all`.
#[derive(Clone, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// This page's sessions, the latest used first.
    pub rows: Vec<SessionRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Whether other sessions may be ended from here: not by whoever signed in with a PIN.
    pub may_end: bool,
    /// Sessions that were ended since somebody else may have had a copy, the latest end first.
    pub reused: Vec<ReusedRow>,
    /// What happened just before.
    pub notice: Option<SessionsNotice>,
}

/// A session that was ended since a refresh token was used twice.
#[derive(Debug, Clone)]
pub struct ReusedRow {
    /// The client's own description.
    pub user_agent: Option<String>,
    /// When it was ended.
    pub ended_at: Timestamp,
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

impl SessionRow {
    fn agent(&self) -> &str {
        self.user_agent.as_deref().unwrap_or_default()
    }
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
        self.device(row.agent())
    }

    fn device(&self, agent: &str) -> String {
        let known = agent::device(self.chrome.locale, agent);
        known.unwrap_or_else(|| self.chrome.t().account.session_unknown.to_owned())
    }

    /// That a session was ended since somebody else may have had a copy, and what to do.
    fn reused_text(&self, row: &ReusedRow) -> String {
        let client = self.device(row.user_agent.as_deref().unwrap_or_default());
        let time = format::date_time(self.chrome.locale, row.ended_at);
        let text = i18n::fill(self.chrome.t().account.session_reused, "time", &time);
        i18n::fill(&text, "client", &client)
    }

    /// What a client nobody knows says of itself, shortened.
    fn unknown_agent(&self, row: &SessionRow) -> Option<String> {
        let agent = row.agent();
        let is_unknown = agent::device(self.chrome.locale, agent).is_none();
        (is_unknown && !agent.is_empty()).then(|| agent.chars().take(AGENT).collect())
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
        self.next.is_some() || self.rows.iter().any(|row| !row.current)
    }

    fn next_href(&self) -> Option<String> {
        let next = self.next.as_deref()?;
        Some(format!("{}?cursor={}", paths::SESSIONS, encoded(next)))
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
            is_first: true,
            next: None,
            may_end: true,
            reused: Vec::new(),
            notice,
        };
        let reused = ReusedRow {
            user_agent: Some("okhttp/5.3 (Android 16)".to_owned()),
            ended_at: samples::time() - Duration::from_hours(3),
        };
        vec![
            ("sessions", page(samples::acme(locale), rows.clone(), None)),
            (
                "sessions-reused",
                Self {
                    reused: vec![reused],
                    ..page(samples::acme(locale), rows.clone(), None)
                },
            ),
            (
                "sessions-many",
                Self {
                    next: Some("1767225600000000.01890a5d".to_owned()),
                    ..page(samples::hostile(locale), rows.clone(), None)
                },
            ),
            (
                "sessions-pin",
                Self {
                    is_first: false,
                    may_end: false,
                    ..page(samples::yellow(locale), rows.clone(), None)
                },
            ),
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
