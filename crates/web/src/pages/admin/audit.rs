//! Who did what.

use askama::Template;
use tenantry_core::audit::{Actor, Outcome};
use tenantry_core::{AdminId, Locale, Timestamp, UserId};

use crate::i18n::{self, format};
use crate::pages::samples::{self, Samples};
use crate::pages::{Chrome, encoded, paths};

/// The audit, page by page. Its form asks for a tenant and an action by GET.
#[derive(Clone, Template)]
#[template(path = "admin/audit.html")]
pub struct AdminAuditPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The tenant that was asked for, by id or slug; empty for all.
    pub tenant: String,
    /// The action that was asked for; empty for all.
    pub action: String,
    /// This page's entries.
    pub rows: Vec<AuditRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When the act began.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// How it ended; `None` while it goes on.
    pub outcome: Option<Outcome>,
    /// The code it was refused with.
    pub code: Option<String>,
    /// By whom.
    pub actor: Actor,
    /// The address of the platform admin who acted.
    pub admin: Option<String>,
    /// The tenant's slug, or its id where it is gone.
    pub tenant: Option<String>,
    /// The client's address.
    pub ip: Option<String>,
}

impl AdminAuditPage {
    fn time(&self, row: &AuditRow) -> String {
        format::date_time(self.chrome.locale, row.at)
    }

    fn actor(&self, row: &AuditRow) -> String {
        let t = &self.chrome.t().admin;
        match &row.actor {
            Actor::User(id) => i18n::fill(t.audit_user, "id", &id.to_string()),
            Actor::Admin(id) => row.admin.clone().unwrap_or_else(|| id.to_string()),
            Actor::Command(name) => i18n::fill(t.audit_command, "name", name),
            Actor::System => t.audit_system.to_owned(),
            Actor::Nobody => t.audit_nobody.to_owned(),
        }
    }

    fn outcome(&self, row: &AuditRow) -> &'static str {
        let t = &self.chrome.t().admin;
        match row.outcome {
            Some(Outcome::Done) => t.audit_done,
            Some(Outcome::Refused) => t.audit_refused,
            Some(Outcome::Failed) => t.audit_failed,
            Some(Outcome::Unknown) => t.audit_unknown,
            None => t.audit_begun,
        }
    }

    fn is_filtered(&self) -> bool {
        !self.tenant.is_empty() || !self.action.is_empty()
    }

    fn href(&self, cursor: Option<&str>) -> String {
        let mut parts = Vec::new();
        let cursor = cursor.unwrap_or_default();
        for (name, value) in [
            ("tenant", self.tenant.as_str()),
            ("action", &self.action),
            ("cursor", cursor),
        ] {
            if !value.is_empty() {
                parts.push(format!("{name}={}", encoded(value)));
            }
        }
        if parts.is_empty() {
            return paths::AUDIT.to_owned();
        }
        format!("{}?{}", paths::AUDIT, parts.join("&"))
    }

    fn first_href(&self) -> String {
        self.href(None)
    }

    fn next_href(&self) -> Option<String> {
        Some(self.href(Some(self.next.as_deref()?)))
    }
}

/// The tone of the badge of an outcome, a class of the style sheet.
fn outcome_tone(row: &AuditRow) -> &'static str {
    match row.outcome {
        Some(Outcome::Done) => "good",
        Some(Outcome::Refused) => "warn",
        Some(Outcome::Failed) => "bad",
        Some(Outcome::Unknown) | None => "calm",
    }
}

impl Samples for AdminAuditPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let admin = Actor::Admin(AdminId::from_uuid(samples::tenant_id(1).uuid()));
        let user = Actor::User(UserId::from_uuid(samples::tenant_id(2).uuid()));
        let row = |action: &str, actor: &Actor, outcome| AuditRow {
            at: samples::time(),
            action: action.to_owned(),
            target: None,
            outcome,
            code: None,
            admin: matches!(actor, Actor::Admin(_)).then(|| "ada@example.org".to_owned()),
            actor: actor.clone(),
            tenant: Some("acme".to_owned()),
            ip: Some("2001:db8::7".to_owned()),
        };
        let rows = vec![
            row("tenant.suspend", &admin, Some(Outcome::Done)),
            AuditRow {
                target: Some("~9f86d081884c7d65".to_owned()),
                code: Some("invalid_credentials".to_owned()),
                ..row("session.begin", &Actor::Nobody, Some(Outcome::Refused))
            },
            AuditRow {
                tenant: Some(samples::tenant_id(3).to_string()),
                ip: None,
                ..row(
                    "tenant.purge",
                    &Actor::Command("<b>root</b>".to_owned()),
                    Some(Outcome::Failed),
                )
            },
            AuditRow {
                tenant: None,
                ip: None,
                ..row("directory.settle", &Actor::System, Some(Outcome::Unknown))
            },
            row("user.change_password", &user, None),
        ];
        let page = |rows, tenant: &str, next: Option<&str>| Self {
            chrome: samples::signed_in_admin(samples::platform(locale)),
            tenant: tenant.to_owned(),
            action: String::new(),
            rows,
            is_first: next.is_some(),
            next: next.map(ToOwned::to_owned),
        };
        vec![
            ("admin-audit", page(rows.clone(), "", Some("a&b=\"c\""))),
            ("admin-audit-filtered", page(rows, "\"><b>", None)),
            ("admin-audit-none", page(Vec::new(), "nobody", None)),
            (
                "admin-audit-empty",
                Self {
                    is_first: true,
                    ..page(Vec::new(), "", None)
                },
            ),
        ]
    }
}
