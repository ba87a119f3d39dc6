//! The servers that tenants are placed on.

use askama::Template;
use tenantry_core::Locale;

use crate::i18n;
use crate::pages::Chrome;
use crate::pages::samples::{self, Samples};

/// The list of clusters. There are few, so it has no pages.
#[derive(Clone, Template)]
#[template(path = "admin/clusters.html")]
pub struct AdminClustersPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The clusters.
    pub rows: Vec<ClusterRow>,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct ClusterRow {
    /// The name.
    pub name: String,
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Databases of tenants on it.
    pub tenants: i64,
    /// The most tenants to place there, if there is a limit.
    pub capacity: Option<i64>,
    /// Whether new tenants are placed there.
    pub open: bool,
    /// Whether the server answered just now.
    pub reachable: bool,
    /// Its connections and the most it takes, where it answered.
    pub connections: Option<(i64, i64)>,
}

impl ClusterRow {
    fn is_full(&self) -> bool {
        self.capacity
            .is_some_and(|capacity| self.tenants >= capacity)
    }
}

impl AdminClustersPage {
    fn of_limit(&self, used: i64, limit: i64) -> String {
        let text = i18n::fill(self.chrome.t().admin.of_limit, "used", &used.to_string());
        i18n::fill(&text, "limit", &limit.to_string())
    }

    fn tenants(&self, row: &ClusterRow) -> String {
        row.capacity.map_or_else(
            || row.tenants.to_string(),
            |capacity| self.of_limit(row.tenants, capacity),
        )
    }

    fn connections(&self, row: &ClusterRow) -> String {
        row.connections.map_or_else(
            || "–".to_owned(),
            |(used, limit)| self.of_limit(used, limit),
        )
    }

    fn placement(&self, row: &ClusterRow) -> &'static str {
        let t = &self.chrome.t().admin;
        match (row.open, row.is_full()) {
            (false, _) => t.placement_closed,
            (true, true) => t.placement_full,
            (true, false) => t.placement_open,
        }
    }
}

/// The tone of the badge that says whether new tenants come, a class of the style sheet.
fn placement_tone(row: &ClusterRow) -> &'static str {
    match (row.open, row.is_full()) {
        (false, _) => "calm",
        (true, true) => "warn",
        (true, false) => "good",
    }
}

impl Samples for AdminClustersPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let row = |name: &str, host: &str, tenants, capacity, connections: Option<(i64, i64)>| {
            ClusterRow {
                name: name.to_owned(),
                host: host.to_owned(),
                port: 5432,
                tenants,
                capacity,
                open: name != "archive",
                reachable: connections.is_some(),
                connections,
            }
        };
        let rows = vec![
            row("default", "db.example.com", 12, None, Some((41, 97))),
            row(
                "eu-1",
                "pg-1.eu.example.com",
                500,
                Some(500),
                Some((212, 497)),
            ),
            row("eu-2", "pg-2.eu.example.com", 184, Some(500), None),
            row("archive", "pg-old.example.com", 31, None, Some((4, 97))),
        ];
        let page = |rows| Self {
            chrome: samples::signed_in_admin(samples::platform(locale)),
            rows,
        };
        vec![
            ("admin-clusters", page(rows)),
            ("admin-clusters-empty", page(Vec::new())),
        ]
    }
}
