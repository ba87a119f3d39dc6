//! Devices on which a PIN is enough.

use askama::Template;
use tenantry_core::{Locale, Timestamp};

use crate::i18n::{self, format};
use crate::pages::samples::{self, Samples};
use crate::pages::{Chrome, encoded, paths};

/// A tenant's devices. The form for one to enrol sends `name` to the page's own address; a device's
/// own is sent to `/{id}/remove` below it.
#[derive(Clone, Template)]
#[template(path = "staff/devices.html")]
pub struct DevicesPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// This page's devices.
    pub rows: Vec<DeviceRow>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The device that was just enrolled, and what it keeps.
    pub enrolled: Option<(String, String)>,
    /// Whether a device was removed just before.
    pub removed: bool,
    /// The name as it was typed, where that is none.
    pub typed: Option<String>,
}

/// A device.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// The id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// The last sign-in on it, if there was one.
    pub last_used_at: Option<Timestamp>,
}

impl DevicesPage {
    fn created(&self, row: &DeviceRow) -> String {
        format::date(self.chrome.locale, row.created_at)
    }

    fn last_used(&self, row: &DeviceRow) -> String {
        row.last_used_at.map_or_else(
            || self.chrome.t().common.never.to_owned(),
            |time| format::date_time(self.chrome.locale, time),
        )
    }

    fn remove_of(&self, row: &DeviceRow) -> String {
        i18n::fill(self.chrome.t().devices.remove_of, "name", &row.name)
    }

    fn token_of(&self, name: &str) -> String {
        i18n::fill(self.chrome.t().devices.token, "name", name)
    }

    fn name(&self) -> &str {
        self.typed.as_deref().unwrap_or_default()
    }

    fn name_error(&self) -> &'static str {
        self.typed
            .as_ref()
            .map_or("", |_| self.chrome.t().devices.wrong_name)
    }

    fn next_href(&self) -> Option<String> {
        let next = encoded(self.next.as_deref()?);
        Some(format!("{}?cursor={next}", paths::DEVICES))
    }
}

impl Samples for DevicesPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let row = |number: u32, name: &str, used: bool| DeviceRow {
            id: samples::tenant_id(number).to_string(),
            name: name.to_owned(),
            created_at: samples::time() - std::time::Duration::from_hours(2000),
            last_used_at: used.then(samples::time),
        };
        let rows = vec![
            row(1, "Till 1", true),
            row(2, "<script>alert(1)</script>\"&", false),
            row(
                3,
                "Selbstbedienungsterminal-Erdgeschoss-Eingang-Nord-Hauptgebäude",
                true,
            ),
        ];
        let plain = Self {
            chrome: samples::signed_in(samples::acme(locale)),
            rows: rows.clone(),
            is_first: true,
            next: Some("a&b=\"c\"".to_owned()),
            enrolled: None,
            removed: false,
            typed: None,
        };
        let token = "tnd_2Kp8vXbq7hUu0S3yJcO1fZ5mN9eRtWgLxAaBcDdEeFfGgHhIiJjKkLlMmNnOoPpQq";
        vec![
            ("devices", plain.clone()),
            (
                "devices-enrolled",
                Self {
                    enrolled: Some(("Till 1".to_owned(), token.to_owned())),
                    next: None,
                    ..plain.clone()
                },
            ),
            (
                "devices-wrong",
                Self {
                    typed: Some(String::new()),
                    rows: Vec::new(),
                    next: None,
                    ..plain.clone()
                },
            ),
            (
                "devices-last",
                Self {
                    removed: true,
                    is_first: false,
                    next: None,
                    ..plain
                },
            ),
        ]
    }
}
