//! One tenant in the console: facts, database, health, actions.

use askama::Template;
use tenantry_core::finding::{Finding, FindingCode, Severity};
use tenantry_core::tenant::{Driver, Isolation};
use tenantry_core::{Locale, Timestamp};

use super::domains::{self, TenantDomains};
use super::{TenantRow, tone};
use crate::i18n::{self, format};
use crate::pages::brand::{self, BrandForms, BrandNotice};
use crate::pages::samples::{self, Samples};
use crate::pages::{Chrome, paths};

/// One tenant. Its forms are sent to `{paths::ADMIN}/{slug}/` and `check`, `repair`, `suspend` or
/// `resume`.
#[derive(Clone, Template)]
#[template(path = "admin/tenant.html")]
pub struct AdminTenantPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What happened just before.
    pub notice: Option<TenantNotice>,
    /// What stands in the list too.
    pub row: TenantRow,
    /// More about it.
    pub facts: TenantFacts,
    /// Where its database is, if there is a record of one.
    pub database: Option<TenantDatabase>,
    /// Its own domains.
    pub domains: TenantDomains,
    /// The forms for its look.
    pub brand: BrandForms,
    /// The last check, if there was one.
    pub check: Option<CheckResult>,
}

/// What just happened to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantNotice {
    /// It was suspended.
    Suspended,
    /// It was resumed.
    Resumed,
    /// It was repaired, as far as that goes.
    Repaired,
    /// A domain was added.
    DomainAdded,
    /// The proof of a domain was found.
    DomainVerified,
    /// The proof of a domain was not found.
    DomainUnfound,
    /// A domain was removed.
    DomainRemoved,
    /// Its look was changed.
    Brand(BrandNotice),
}

/// Facts about a tenant that the list does not show.
#[derive(Debug, Clone)]
pub struct TenantFacts {
    /// The id.
    pub id: String,
    /// Where its pages begin.
    pub url: String,
    /// How its rows are kept apart.
    pub isolation: Isolation,
    /// The cluster it is placed on, if any.
    pub cluster: Option<String>,
}

/// Where a tenant's database is.
#[derive(Debug, Clone)]
pub struct TenantDatabase {
    /// The engine.
    pub driver: Driver,
    /// Host and port of the server; none for a file.
    pub host: Option<String>,
    /// The name of the database or file.
    pub name: String,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct CheckResult {
    /// When it was made.
    pub at: Timestamp,
    /// What it found; nothing where all is well.
    pub findings: Vec<Finding>,
}

impl AdminTenantPage {
    fn status(&self) -> &'static str {
        self.chrome.t().words.status(self.row.status)
    }

    fn status_tone(&self) -> &'static str {
        tone(&self.row)
    }

    fn created(&self) -> String {
        format::date_time(self.chrome.locale, self.row.created_at)
    }

    fn isolation(&self) -> &'static str {
        self.chrome.t().words.isolation(self.facts.isolation)
    }

    fn driver(&self, database: &TenantDatabase) -> &'static str {
        self.chrome.t().words.driver(database.driver)
    }

    fn checked_at(&self, check: &CheckResult) -> String {
        let time = format::date_time(self.chrome.locale, check.at);
        i18n::fill(self.chrome.t().admin.checked_at, "time", &time)
    }

    fn severity(&self, finding: &Finding) -> &'static str {
        self.chrome.t().words.severity(finding.severity)
    }

    fn notice_text(&self) -> Option<&'static str> {
        let t = &self.chrome.t().admin;
        Some(match self.notice? {
            TenantNotice::Suspended => t.done_suspended,
            TenantNotice::Resumed => t.done_resumed,
            TenantNotice::Repaired => t.done_repaired,
            TenantNotice::DomainAdded => self.chrome.t().domains.done_added,
            TenantNotice::DomainVerified => self.chrome.t().domains.done_verified,
            TenantNotice::DomainUnfound => self.chrome.t().domains.done_unfound,
            TenantNotice::DomainRemoved => self.chrome.t().domains.done_removed,
            TenantNotice::Brand(notice) => notice.text(self.chrome.locale),
        })
    }

    fn notice_tone(&self) -> &'static str {
        if self.notice == Some(TenantNotice::DomainUnfound) {
            "warn"
        } else {
            "good"
        }
    }

    fn can_suspend(&self) -> bool {
        self.row.status.suspend().is_ok()
    }

    fn can_resume(&self) -> bool {
        self.row.status.resume().is_ok()
    }

    /// Whether the last check found something that repair can mend.
    fn can_repair(&self) -> bool {
        self.check
            .as_ref()
            .is_some_and(|check| check.findings.iter().any(|finding| finding.repairable))
    }

    /// Where what was done to it is shown. By id, which says the same when the slug is another's.
    fn audit_href(&self) -> String {
        format!("{}?tenant={}", paths::AUDIT, self.facts.id)
    }

    /// Where the form of an action is sent.
    fn action(&self, act: &str) -> String {
        format!("{}/{}/{act}", paths::ADMIN, self.row.slug)
    }
}

/// The tone of a finding's badge, a class of the style sheet.
pub(crate) fn severity_tone(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
    }
}

impl AdminTenantPage {
    fn sample(locale: Locale, place: usize) -> Option<Self> {
        let row = super::sample_rows().into_iter().nth(place)?;
        Some(Self {
            chrome: samples::signed_in_admin(samples::platform(locale)),
            notice: None,
            facts: TenantFacts {
                id: samples::tenant_id(7).to_string(),
                url: format!("http://{}.localhost:8000", row.slug),
                isolation: Isolation::Database,
                cluster: Some("eu-1".to_owned()),
            },
            database: Some(TenantDatabase {
                driver: Driver::Postgres,
                host: Some("pg-7.internal:5432".to_owned()),
                name: "tn_01938f7a5b1e7c449d0e3f1c2b_g1".to_owned(),
            }),
            domains: domains::samples(),
            brand: brand::sample(&samples::logo(locale), "/admin/tenants/acme/brand"),
            check: None,
            row,
        })
    }
}

impl Samples for AdminTenantPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let finding = |code, severity, detail: &str, repairable| Finding {
            tenant: None,
            code,
            severity,
            detail: detail.to_owned(),
            repairable,
        };
        let findings = vec![
            finding(
                FindingCode::StampForeign,
                Severity::Error,
                "the database carries the stamp of another tenant; restore it from a backup <b>",
                false,
            ),
            finding(
                FindingCode::DirectoryMissing,
                Severity::Warning,
                "3 people have no directory entry",
                true,
            ),
        ];
        let healthy = CheckResult {
            at: samples::time(),
            findings: Vec::new(),
        };
        let ill = CheckResult {
            at: samples::time(),
            findings,
        };
        let [active, suspended, hostile] = [0, 1, 2].map(|place| Self::sample(locale, place));
        let file = TenantDatabase {
            driver: Driver::Sqlite,
            host: None,
            name: "tenants/01938f7a.db".to_owned(),
        };
        let states = [
            active.clone().map(|page| ("admin-tenant", page)),
            active.map(|page| {
                (
                    "admin-tenant-healthy",
                    Self {
                        check: Some(healthy),
                        ..page
                    },
                )
            }),
            suspended.map(|page| {
                let notice = Some(TenantNotice::Suspended);
                (
                    "admin-tenant-suspended",
                    Self {
                        notice,
                        database: Some(file),
                        ..page
                    },
                )
            }),
            hostile.map(|page| {
                (
                    "admin-tenant-ill",
                    Self {
                        check: Some(ill),
                        database: None,
                        ..page
                    },
                )
            }),
        ];
        states.into_iter().flatten().collect()
    }
}
