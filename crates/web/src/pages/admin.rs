//! The console of platform admins: all tenants, one, the servers they are placed on, and
//! who did what.

mod applications;
mod audit;
mod clusters;
mod domains;
mod tenant;

use askama::Template;
use tenantry_core::{Locale, TenantStatus, Timestamp};

use super::samples::{self, Samples};
use super::{Chrome, encoded, paths};
use crate::i18n::format;

pub use applications::{AdminApplicationsPage, ApplicationNotice, ApplicationRow};
pub use audit::{AdminAuditPage, AuditRow};
pub use clusters::{AdminClustersPage, ClusterRow};
pub use domains::{DomainRow, TenantDomains};
pub use tenant::{AdminTenantPage, CheckResult, TenantDatabase, TenantFacts, TenantNotice};

/// The list of tenants.
#[derive(Clone, Template)]
#[template(path = "admin/tenants.html")]
pub struct AdminTenantsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// This page's tenants.
    pub rows: Vec<TenantRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct TenantRow {
    /// The name.
    pub name: String,
    /// The name in addresses.
    pub slug: String,
    /// The code.
    pub code: String,
    /// Where it is in its life.
    pub status: TenantStatus,
    /// How often its database was made.
    pub generation: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AdminTenantsPage {
    fn date(&self, row: &TenantRow) -> String {
        format::date(self.chrome.locale, row.created_at)
    }

    fn status(&self, row: &TenantRow) -> &'static str {
        self.chrome.t().words.status(row.status)
    }

    fn next_href(&self) -> Option<String> {
        Some(format!(
            "{}?cursor={}",
            paths::ADMIN,
            encoded(self.next.as_deref()?)
        ))
    }
}

/// The tone of the badge of a tenant's status, a class of the style sheet.
fn tone(row: &TenantRow) -> &'static str {
    match row.status {
        TenantStatus::Active => "good",
        TenantStatus::Provisioning => "warn",
        TenantStatus::Failed => "bad",
        TenantStatus::Suspended | TenantStatus::Deleted | TenantStatus::Purging => "calm",
    }
}

fn sample_rows() -> Vec<TenantRow> {
    let names = [
        ("Acme", "acme"),
        ("Globex Corporation", "globex"),
        ("<script>alert(1)</script>\"&", "script"),
        ("Wählergemeinschaft Süd", "waehler-sued"),
        ("Trattoria da Enzo", "da-enzo"),
        ("Initech", "initech"),
    ];
    let rows = names
        .into_iter()
        .zip(1_u32..)
        .zip(TenantStatus::ALL.iter().skip(1).chain(TenantStatus::ALL));
    rows.map(|(((name, slug), number), status)| TenantRow {
        name: name.to_owned(),
        slug: slug.to_owned(),
        code: format!("TEN{number:05}"),
        status: *status,
        generation: i64::from(number % 3 + 1),
        created_at: samples::time() - std::time::Duration::from_hours(u64::from(number) * 300),
    })
    .collect()
}

impl Samples for AdminTenantsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |rows, is_first, next: Option<&str>| Self {
            chrome: samples::signed_in_admin(samples::platform(locale)),
            rows,
            is_first,
            next: next.map(ToOwned::to_owned),
        };
        vec![
            (
                "admin-tenants",
                page(sample_rows(), true, Some("a&b=\"c\"")),
            ),
            (
                "admin-tenants-last",
                page(sample_rows()[3..].to_vec(), false, None),
            ),
            ("admin-tenants-empty", page(Vec::new(), true, None)),
        ]
    }
}
