//! `[webhooks]`

use serde::{Deserialize, Serialize};
use tenantry_webhooks::{Deliverer, Rules};

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Given {
    /// Whether notices may go to any receiver without TLS; to this machine they always may.
    allow_http: Option<bool>,
    /// Whether receivers may be on this machine or in a private network.
    allow_private: Option<bool>,
}

/// What holds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Webhooks {
    #[serde(rename = "webhooks_allow_http")]
    allow_http: bool,
    #[serde(rename = "webhooks_allow_private")]
    allow_private: bool,
}

impl Given {
    /// An installation that is reached at its own machine alone has its receivers there as well.
    pub(super) fn decide(self, at_home: bool) -> Webhooks {
        Webhooks {
            allow_http: self.allow_http.unwrap_or(at_home),
            allow_private: self.allow_private.unwrap_or(at_home),
        }
    }
}

impl Webhooks {
    pub(super) fn deliverer(&self) -> Deliverer {
        Deliverer::new(Rules {
            allow_http: self.allow_http,
            allow_private: self.allow_private,
        })
    }
}
