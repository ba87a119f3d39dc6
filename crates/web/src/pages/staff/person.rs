//! One of a tenant's people, and what can be done about the person.

use askama::Template;
use tenantry_core::{Locale, Role};

use super::{RoleChoice, StaffRow, StaffState, choices};
use crate::i18n::{self, format};
use crate::pages::Chrome;
use crate::pages::samples::{self, Samples};

/// One person. The form for the profile sends `full_name`, `username`, `role` and, but for oneself,
/// `email` to the page's own address; the others are sent below it, to `setup-link`, `sessions`,
/// `disable`, `enable`, `remove`, `pin` and `pin/remove`.
#[derive(Clone, Template)]
#[template(path = "staff/person.html")]
pub struct StaffPersonPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What stands in the list too.
    pub row: StaffRow,
    /// The address, as it is or as it was typed.
    pub email: String,
    /// The name to show, as it is or as it was typed.
    pub full_name: String,
    /// The name to sign in with, as it is or as it was typed.
    pub username: String,
    /// The role, as it is or as it was chosen.
    pub role: Role,
    /// The roles that may be given; none where whoever looks may not touch this person.
    pub roles: Vec<Role>,
    /// What is wrong with fields, in words: the name and what.
    pub errors: Vec<(String, String)>,
    /// What happened just before.
    pub notice: Option<StaffNotice>,
    /// Why something was not done.
    pub trouble: Option<StaffTrouble>,
    /// The first password, where one was drawn just before.
    pub password: Option<String>,
    /// Whether a PIN is set.
    pub has_pin: bool,
    /// Why a PIN was not set.
    pub pin_trouble: Option<PinTrouble>,
}

/// What happened to a person just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffNotice {
    /// Added, with a password that is shown.
    Created,
    /// Added, with a link that was mailed.
    Invited,
    /// Changed.
    Saved,
    /// The link was mailed again.
    Linked,
    /// The sessions were ended.
    SessionsEnded,
    /// The lock of wrong tries was lifted.
    Unlocked,
    /// Kept out from now on.
    Disabled,
    /// Let in again.
    Enabled,
    /// A PIN was set.
    PinSet,
    /// The PIN was taken away.
    PinRemoved,
}

/// Why a PIN was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinTrouble {
    /// It is something else than six digits.
    NotSixDigits,
    /// All its digits are the same.
    OneDigit,
    /// Its digits follow one another.
    InARow,
    /// It says the same twice or three times.
    Repeats,
}

impl PinTrouble {
    /// By the code in the API.
    pub fn from_code(code: &str) -> Self {
        match code {
            "one_digit" => Self::OneDigit,
            "in_a_row" => Self::InARow,
            "repeats" => Self::Repeats,
            _ => Self::NotSixDigits,
        }
    }
}

/// Why something about a person was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffTrouble {
    /// It would leave the tenant without an owner who gets in.
    LastOwner,
    /// Nobody does it to themselves.
    Oneself,
    /// The person has a password already.
    HasPassword,
}

impl StaffNotice {
    /// The notice for `?done=` in the address.
    pub fn from_done(done: &str) -> Option<Self> {
        match done {
            "invited" => Some(Self::Invited),
            "saved" => Some(Self::Saved),
            "linked" => Some(Self::Linked),
            "sessions" => Some(Self::SessionsEnded),
            "unlocked" => Some(Self::Unlocked),
            "disabled" => Some(Self::Disabled),
            "enabled" => Some(Self::Enabled),
            "pin" => Some(Self::PinSet),
            "pin_removed" => Some(Self::PinRemoved),
            _ => None,
        }
    }
}

impl StaffPersonPage {
    fn error(&self, field: &str) -> &str {
        let found = self.errors.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, text)| text)
    }

    fn may_touch(&self) -> bool {
        !self.roles.is_empty()
    }

    fn choices(&self) -> Vec<RoleChoice> {
        choices(&self.chrome, &self.roles, self.role)
    }

    fn role(&self) -> &'static str {
        self.chrome.t().words.role(self.row.role)
    }

    fn state(&self) -> &'static str {
        self.row.state.text(&self.chrome)
    }

    fn email_hint(&self) -> &'static str {
        if self.row.is_self {
            self.chrome.t().staff.email_own
        } else {
            ""
        }
    }

    fn created(&self) -> String {
        format::date_time(self.chrome.locale, self.row.created_at)
    }

    fn last_login(&self) -> String {
        self.row.last_login_at.map_or_else(
            || self.chrome.t().common.never.to_owned(),
            |time| format::date_time(self.chrome.locale, time),
        )
    }

    fn can_link(&self) -> bool {
        matches!(self.row.state, StaffState::Invited | StaffState::MustChange)
    }

    fn can_disable(&self) -> bool {
        self.row.state != StaffState::Disabled && !self.row.is_self
    }

    fn can_enable(&self) -> bool {
        self.row.state == StaffState::Disabled
    }

    /// Where the form of an action is sent.
    fn action(&self, act: &str) -> String {
        format!("{}/{act}", self.row.href())
    }

    fn notice_text(&self) -> Option<String> {
        let t = &self.chrome.t().staff;
        let text = match self.notice? {
            StaffNotice::Created => t.done_created,
            StaffNotice::Invited => t.done_invited,
            StaffNotice::Saved => t.done_saved,
            StaffNotice::Linked => t.done_linked,
            StaffNotice::SessionsEnded => t.done_sessions,
            StaffNotice::Unlocked => t.done_unlocked,
            StaffNotice::Disabled => t.done_disabled,
            StaffNotice::Enabled => t.done_enabled,
            StaffNotice::PinSet => self.chrome.t().devices.done_pin,
            StaffNotice::PinRemoved => self.chrome.t().devices.done_pin_removed,
        };
        let text = i18n::fill(text, "email", &self.row.email);
        Some(i18n::fill(&text, "name", &self.row.name))
    }

    fn pin_about(&self) -> String {
        let name = &self.chrome.brand.name;
        i18n::fill(self.chrome.t().devices.pin_about, "tenant", name)
    }

    fn pin_error(&self) -> &'static str {
        let t = &self.chrome.t().devices;
        match self.pin_trouble {
            None => "",
            Some(PinTrouble::NotSixDigits) => t.pin_not_six_digits,
            Some(PinTrouble::OneDigit) => t.pin_one_digit,
            Some(PinTrouble::InARow) => t.pin_in_a_row,
            Some(PinTrouble::Repeats) => t.pin_repeats,
        }
    }

    fn trouble_text(&self) -> Option<&'static str> {
        let t = &self.chrome.t().staff;
        Some(match self.trouble? {
            StaffTrouble::LastOwner => t.last_owner,
            StaffTrouble::Oneself => t.oneself,
            StaffTrouble::HasPassword => t.has_password,
        })
    }
}

impl Samples for StaffPersonPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |row: StaffRow| Self {
            chrome: samples::signed_in(samples::acme(locale)),
            email: row.email.clone(),
            full_name: row.name.clone(),
            username: "person".to_owned(),
            role: row.role,
            row,
            roles: vec![Role::Member, Role::Admin, Role::Owner],
            errors: Vec::new(),
            notice: None,
            trouble: None,
            password: None,
            has_pin: false,
            pin_trouble: None,
        };
        let mut states = Vec::new();
        let named = [
            "staff-person-self",
            "staff-person",
            "staff-person-invited",
            "staff-person-created",
            "staff-person-disabled",
        ];
        for (name, row) in named.into_iter().zip(super::sample_rows()) {
            let mut page = page(row);
            match name {
                "staff-person-self" => page.trouble = Some(StaffTrouble::LastOwner),
                "staff-person-invited" => page.notice = Some(StaffNotice::Invited),
                "staff-person-created" => {
                    page.notice = Some(StaffNotice::Created);
                    page.pin_trouble = Some(PinTrouble::InARow);
                    page.password = Some("k7mwq2-hx4tnd-p9vrba-c3fyje".to_owned());
                }
                "staff-person" => page.has_pin = true,
                "staff-person-disabled" => page.notice = Some(StaffNotice::Disabled),
                _ => {}
            }
            states.push((name, page));
        }
        let above = super::sample_rows().into_iter().next().map(|row| Self {
            roles: Vec::new(),
            ..page(StaffRow {
                is_self: false,
                ..row
            })
        });
        states.extend(above.map(|page| ("staff-person-above", page)));
        states
    }
}
