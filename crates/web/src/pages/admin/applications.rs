//! Who asks for a tenant.

use askama::Template;
use tenantry_core::application::ApplicationState;
use tenantry_core::{Locale, Timestamp};

use crate::i18n::format;
use crate::pages::samples::{self, Samples};
use crate::pages::{Chrome, encoded, paths};

/// Applications, page by page. The forms of a row are sent to `{paths::APPLICATIONS}/{id}/` and
/// `approve` or `reject`.
#[derive(Clone, Template)]
#[template(path = "admin/applications.html")]
pub struct AdminApplicationsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What happened just before.
    pub notice: Option<ApplicationNotice>,
    /// Whether nobody can ask at the moment.
    pub closed: bool,
    /// The state that was asked for; all without it.
    pub state: Option<ApplicationState>,
    /// This page's applications.
    pub rows: Vec<ApplicationRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// What just happened to an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationNotice {
    /// It was approved.
    Approved,
    /// It was rejected.
    Rejected,
    /// Nothing, because of this: a code of the API.
    Refused(&'static str),
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct ApplicationRow {
    /// The id.
    pub id: String,
    /// Where it stands.
    pub state: ApplicationState,
    /// The name the tenant is to have.
    pub name: String,
    /// The slug that is wished for.
    pub slug: String,
    /// The address of whoever asks.
    pub email: Option<String>,
    /// The name of whoever asks.
    pub full_name: Option<String>,
    /// Whether who asks can't be read any more.
    pub damaged: bool,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Whether there is a tenant of it.
    pub has_tenant: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AdminApplicationsPage {
    fn state_text(&self, state: ApplicationState) -> &'static str {
        let t = &self.chrome.t().applications;
        match state {
            ApplicationState::PendingProof => t.state_pending_proof,
            ApplicationState::Pending => t.state_pending,
            ApplicationState::Approved => t.state_approved,
            ApplicationState::Rejected => t.state_rejected,
            ApplicationState::Expired => t.state_expired,
        }
    }

    fn row_state(&self, row: &ApplicationRow) -> &'static str {
        self.state_text(row.state)
    }

    fn date(&self, row: &ApplicationRow) -> String {
        format::date(self.chrome.locale, row.created_at)
    }

    /// The words of a notice.
    fn notice_text(&self) -> Option<&'static str> {
        let t = &self.chrome.t().applications;
        Some(match self.notice? {
            ApplicationNotice::Approved => t.done_approved,
            ApplicationNotice::Rejected => t.done_rejected,
            ApplicationNotice::Refused("slug_taken" | "validation_failed") => t.error_slug,
            ApplicationNotice::Refused("email_taken") => t.error_email,
            ApplicationNotice::Refused("reason") => t.error_reason,
            ApplicationNotice::Refused(_) => t.error_decided,
        })
    }

    /// Their tone, a class of the style sheet.
    fn notice_tone(&self) -> &'static str {
        match self.notice {
            Some(ApplicationNotice::Refused(_)) => "bad",
            Some(ApplicationNotice::Approved | ApplicationNotice::Rejected) | None => "good",
        }
    }

    fn filters(&self) -> Vec<(String, &'static str, bool)> {
        let all = (
            format!("{}?state=all", paths::APPLICATIONS),
            self.chrome.t().applications.filter_all,
            self.state.is_none(),
        );
        let states = ApplicationState::ALL.iter().map(|state| {
            (
                format!("{}?state={state}", paths::APPLICATIONS),
                self.state_text(*state),
                self.state == Some(*state),
            )
        });
        std::iter::once(all).chain(states).collect()
    }

    fn first_href(&self) -> String {
        let state = self.state.map_or("all", ApplicationState::as_str);
        format!("{}?state={state}", paths::APPLICATIONS)
    }

    fn next_href(&self) -> Option<String> {
        let cursor = encoded(self.next.as_deref()?);
        Some(format!("{}&cursor={cursor}", self.first_href()))
    }
}

impl ApplicationRow {
    /// Where the form of an action is sent.
    fn action(&self, act: &str) -> String {
        format!("{}/{}/{act}", paths::APPLICATIONS, self.id)
    }

    fn can_be_decided(&self) -> bool {
        self.state == ApplicationState::Pending
    }

    fn can_be_approved(&self) -> bool {
        self.can_be_decided() && !self.damaged
    }

    /// The tone of the badge, a class of the style sheet.
    fn tone(&self) -> &'static str {
        match self.state {
            ApplicationState::Pending => "warn",
            ApplicationState::Approved => "good",
            ApplicationState::PendingProof
            | ApplicationState::Rejected
            | ApplicationState::Expired => "calm",
        }
    }
}

fn sample_rows() -> Vec<ApplicationRow> {
    let people = [
        ("Acme", "acme", Some("Ada Lovelace")),
        (samples::HOSTILE_NAME, "script", Some("<b>Eve</b>")),
        ("Wählergemeinschaft Süd", "waehler-sued", None),
        ("Trattoria da Enzo", "da-enzo", Some("Enzo")),
        ("Initech", "initech", None),
    ];
    let states = [
        ApplicationState::Pending,
        ApplicationState::Pending,
        ApplicationState::PendingProof,
        ApplicationState::Approved,
        ApplicationState::Rejected,
    ];
    let rows = people.into_iter().zip(states).zip(1_u32..);
    rows.map(|(((name, slug, person), state), number)| ApplicationRow {
        id: samples::tenant_id(number).to_string(),
        state,
        name: name.to_owned(),
        slug: slug.to_owned(),
        email: (number != 2).then(|| format!("{slug}@example.org")),
        full_name: person.map(str::to_owned),
        damaged: number == 2,
        reason: (state == ApplicationState::Rejected).then(|| "We know you already".to_owned()),
        has_tenant: state == ApplicationState::Approved,
        created_at: samples::time() - std::time::Duration::from_hours(u64::from(number) * 30),
    })
    .collect()
}

impl Samples for AdminApplicationsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |rows: Vec<ApplicationRow>, state, next: Option<&str>| Self {
            chrome: samples::signed_in_admin(samples::platform(locale)),
            notice: None,
            closed: false,
            state,
            rows,
            is_first: true,
            next: next.map(str::to_owned),
        };
        let waiting = Some(ApplicationState::Pending);
        vec![
            (
                "admin-applications",
                page(sample_rows(), None, Some("a&b=\"c\"")),
            ),
            (
                "admin-applications-refused",
                Self {
                    notice: Some(ApplicationNotice::Refused("slug_taken")),
                    is_first: false,
                    ..page(sample_rows()[..2].to_vec(), waiting, None)
                },
            ),
            (
                "admin-applications-empty",
                Self {
                    closed: true,
                    notice: Some(ApplicationNotice::Approved),
                    ..page(Vec::new(), waiting, None)
                },
            ),
        ]
    }
}
