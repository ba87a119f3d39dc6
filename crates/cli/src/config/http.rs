//! `[http]`

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Proxies whose forwarded headers count, as networks.
    pub(crate) trusted_proxies: Vec<IpNet>,
}
