//! Where somebody signed in begins: who they are, and where.

use askama::Template;
use tenantry_core::{Locale, Role, Timestamp};

use super::samples::{self, Samples};
use super::{Chrome, Person};
use crate::i18n::{self, format};

/// The dashboard, which a product replaces with its own.
#[derive(Clone, Template)]
#[template(path = "dashboard/dashboard.html")]
pub struct DashboardPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Who is signed in.
    pub person: Person,
    /// The name to sign in with, if any.
    pub username: Option<String>,
    /// The tenant; none for a platform admin.
    pub tenant: Option<DashboardTenant>,
    /// The sign-in before this one.
    pub last_login: Option<Timestamp>,
    /// How many sessions the person has, with this one.
    pub sessions: u64,
}

/// The tenant of somebody signed in.
#[derive(Debug, Clone)]
pub struct DashboardTenant {
    /// The name.
    pub name: String,
    /// The code.
    pub code: String,
    /// The host of its pages.
    pub host: String,
}

impl DashboardPage {
    fn greeting(&self) -> String {
        i18n::fill(
            self.chrome.t().dashboard.greeting,
            "name",
            &self.person.name,
        )
    }

    fn lead(&self) -> String {
        let t = &self.chrome.t().dashboard;
        self.tenant.as_ref().map_or_else(
            || t.lead_platform.to_owned(),
            |tenant| i18n::fill(t.lead, "tenant", &tenant.name),
        )
    }

    fn role(&self) -> &'static str {
        self.chrome.t().words.role(self.person.role)
    }

    fn last_login_text(&self) -> Option<String> {
        Some(format::date_time(self.chrome.locale, self.last_login?))
    }

    fn sessions_text(&self) -> String {
        match self.sessions {
            0 | 1 => self.chrome.t().dashboard.sessions_only.to_owned(),
            more => more.to_string(),
        }
    }
}

impl Samples for DashboardPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome: Chrome, role, last_login, sessions| {
            let person = samples::person(role);
            let tenant = (!chrome.brand.is_platform).then(|| DashboardTenant {
                name: chrome.brand.name.clone(),
                code: "TEN00042".to_owned(),
                host: chrome.brand.host.clone(),
            });
            Self {
                chrome: Chrome {
                    person: Some(person.clone()),
                    ..chrome
                },
                person,
                username: Some("ada".to_owned()),
                tenant,
                last_login,
                sessions,
            }
        };
        let then = Some(samples::time());
        vec![
            (
                "dashboard",
                page(samples::acme(locale), Role::Owner, then, 3),
            ),
            (
                "dashboard-first",
                page(samples::globex(locale), Role::Member, None, 1),
            ),
            (
                "dashboard-hostile",
                page(samples::hostile(locale), Role::Admin, then, 1),
            ),
            (
                "dashboard-long",
                page(samples::long_name(locale), Role::Admin, then, 1),
            ),
            (
                "dashboard-platform",
                page(samples::platform(locale), Role::PlatformAdmin, then, 2),
            ),
        ]
    }
}
