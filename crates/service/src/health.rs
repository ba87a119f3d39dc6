//! Whether the parts work.

use tenantry_store::control::ControlUrl;

use crate::Service;
use crate::refusal::Chain;

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    /// It works.
    Up,
    /// It does not, and the service gets along without for a while.
    Degraded,
    /// It does not, and nothing works without it.
    Down,
}

/// A part and how it is.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// How it is.
    pub state: PartState,
    /// What is wrong, for the operator. Not for anonymous answers.
    pub detail: Option<String>,
}

impl Service {
    /// Looks at each part.
    pub async fn parts(&self) -> Vec<Part> {
        let control = async { self.control().read().await?.instance().ping().await }.await;
        let control = Part {
            name: "control_database",
            state: if control.is_ok() {
                PartState::Up
            } else {
                PartState::Down
            },
            detail: control.err().map(|error| Chain(&error).to_string()),
        };
        let mail = self.mail().check().await;
        let mail = Part {
            name: "mail",
            state: if mail.is_ok() {
                PartState::Up
            } else {
                PartState::Degraded
            },
            detail: mail.err().map(|error| Chain(&error).to_string()),
        };
        vec![control, mail]
    }

    /// Numbers for the metrics page.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            open_tenant_databases: self.pools().open_count(),
            password_queue: self.hasher().load().waiting,
        }
    }
}

/// Numbers that tell how busy the service is.
#[derive(Debug, Clone, Copy)]
pub struct Gauges {
    /// Tenant databases that are open.
    pub open_tenant_databases: usize,
    /// Password hashes that wait.
    pub password_queue: usize,
}

/// Whether SQLite must not be used where this control database lies.
pub fn on_network_file_system(url: &ControlUrl) -> bool {
    match url {
        ControlUrl::Sqlite(path) => path
            .parent()
            .is_some_and(tenantry_store::control::is_network_file_system),
        ControlUrl::Postgres(_) => false,
    }
}
