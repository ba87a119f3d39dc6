//! Running a tenant's people: all of them, adding somebody, and one.

mod devices;
mod new;
mod person;

use askama::Template;
use tenantry_core::user::User;
use tenantry_core::{Locale, Role, Timestamp};

use super::samples::{self, Samples};
use super::{Chrome, encoded, paths};
use crate::i18n::{self, format};
use crate::pages::chrome::display_name;

pub use devices::{DeviceRow, DevicesPage};
pub use new::StaffNewPage;
pub use person::{PinTrouble, StaffNotice, StaffPersonPage, StaffTrouble};

/// The list of a tenant's people.
#[derive(Clone, Template)]
#[template(path = "staff/list.html")]
pub struct StaffListPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// This page's people.
    pub rows: Vec<StaffRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Whether somebody was removed just before.
    pub removed: bool,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct StaffRow {
    /// The id.
    pub id: String,
    /// The name to show: full name, else username, else a part of the address.
    pub name: String,
    /// The address.
    pub email: String,
    /// What the person may do.
    pub role: Role,
    /// Whether the person gets in.
    pub state: StaffState,
    /// When the person was added.
    pub created_at: Timestamp,
    /// The last sign-in, if there was one.
    pub last_login_at: Option<Timestamp>,
    /// Whether it is whoever looks.
    pub is_self: bool,
}

/// Whether somebody gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffState {
    /// By a password.
    Active,
    /// Once a password is chosen by the link that was mailed.
    Invited,
    /// By a password that must be changed first.
    MustChange,
    /// Not at all.
    Disabled,
}

impl StaffState {
    /// The tone of its badge, a class of the style sheet.
    pub const fn tone(self) -> &'static str {
        match self {
            Self::Active => "good",
            Self::Invited | Self::MustChange => "warn",
            Self::Disabled => "calm",
        }
    }

    fn text(self, chrome: &Chrome) -> &'static str {
        let t = &chrome.t().staff;
        match self {
            Self::Active => t.active,
            Self::Invited => t.invited,
            Self::MustChange => t.must_change,
            Self::Disabled => t.disabled,
        }
    }
}

impl StaffRow {
    /// A person as the list shows one.
    pub fn of(user: &User, is_self: bool) -> Self {
        let state = match user {
            user if user.disabled_at.is_some() => StaffState::Disabled,
            user if !user.has_password => StaffState::Invited,
            user if user.must_change_password => StaffState::MustChange,
            _ => StaffState::Active,
        };
        Self {
            id: user.id.to_string(),
            name: display_name(
                user.full_name.as_deref(),
                user.username.as_deref(),
                &user.email,
            ),
            email: user.email.to_string(),
            role: user.role,
            state,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
            is_self,
        }
    }

    /// Where the person's page is.
    fn href(&self) -> String {
        format!("{}/{}", paths::STAFF, self.id)
    }
}

/// A role to choose, as forms show it.
struct RoleChoice {
    role: Role,
    name: &'static str,
    about: &'static str,
    chosen: bool,
}

/// These roles to choose from.
fn choices(chrome: &Chrome, roles: &[Role], chosen: Role) -> Vec<RoleChoice> {
    let t = &chrome.t().staff;
    let choice = |role: &Role| RoleChoice {
        role: *role,
        name: chrome.t().words.role(*role),
        about: match role {
            Role::Member => t.role_member,
            Role::Admin => t.role_admin,
            Role::Owner | Role::PlatformAdmin => t.role_owner,
        },
        chosen: *role == chosen,
    };
    roles.iter().map(choice).collect()
}

impl StaffListPage {
    fn lead(&self) -> String {
        let name = &self.chrome.brand.name;
        i18n::fill(self.chrome.t().staff.lead, "tenant", name)
    }

    fn role(&self, row: &StaffRow) -> &'static str {
        self.chrome.t().words.role(row.role)
    }

    fn state(&self, row: &StaffRow) -> &'static str {
        row.state.text(&self.chrome)
    }

    fn last_login(&self, row: &StaffRow) -> String {
        row.last_login_at.map_or_else(
            || self.chrome.t().common.never.to_owned(),
            |time| format::date(self.chrome.locale, time),
        )
    }

    fn next_href(&self) -> Option<String> {
        let next = encoded(self.next.as_deref()?);
        Some(format!("{}?cursor={next}", paths::STAFF))
    }
}

fn sample_rows() -> Vec<StaffRow> {
    let people = [
        ("Ada Lovelace", Role::Owner, StaffState::Active),
        ("Sam Okafor", Role::Admin, StaffState::Active),
        (
            "<script>alert(1)</script>\"&",
            Role::Member,
            StaffState::Invited,
        ),
        ("Müller-Lüdenscheidt", Role::Member, StaffState::MustChange),
        ("Grace Hopper", Role::Member, StaffState::Disabled),
    ];
    let rows = people.into_iter().zip(1_u32..);
    rows.map(|((name, role, state), number)| StaffRow {
        id: samples::tenant_id(number).to_string(),
        name: name.to_owned(),
        email: format!("person{number}@analytical-engines.example.com"),
        role,
        state,
        created_at: samples::time() - std::time::Duration::from_hours(u64::from(number) * 700),
        last_login_at: (state == StaffState::Active).then(samples::time),
        is_self: number == 1,
    })
    .collect()
}

impl Samples for StaffListPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |rows, is_first, next: Option<&str>, removed| Self {
            chrome: samples::signed_in(samples::acme(locale)),
            rows,
            is_first,
            next: next.map(ToOwned::to_owned),
            removed,
        };
        vec![
            ("staff", page(sample_rows(), true, Some("a&b=\"c\""), false)),
            (
                "staff-removed",
                page(sample_rows()[..1].to_vec(), true, None, true),
            ),
            (
                "staff-last",
                page(sample_rows()[2..].to_vec(), false, None, false),
            ),
        ]
    }
}
