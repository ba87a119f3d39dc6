//! The sessions of a test, wherever they lie.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use tenantry_core::session::SessionDriver;

use super::TestService;

/// What says of a session in Redis or in a file that it has ended.
const ENDED: [&str; 2] = ["ended_at", "end_reason"];

impl TestService {
    /// Takes back, behind everybody's back, that sessions were ended; how many. What is left to end
    /// them are the facts that they are compared with.
    pub async fn revive_sessions(&self) -> Result<u64> {
        match self.options.sessions {
            SessionDriver::Database => {
                let sql = "UPDATE sessions SET ended_at = NULL, end_reason = NULL
                           WHERE ended_at IS NOT NULL";
                self.control().damage(sql).await
            }
            SessionDriver::Redis => {
                let redis = self.redis().context("no Redis")?;
                let mut revived = 0;
                for key in redis.keys()?.iter().filter(|key| key.contains(":s:")) {
                    let [at, why] = ENDED;
                    let answer = redis.ask(&["HDEL", key, at, why])?;
                    revived += u64::from(answer != ":0");
                }
                Ok(revived)
            }
            SessionDriver::File => revive_below(&self.data_dir().join("sessions")),
        }
    }
}

fn revive_below(folder: &Path) -> Result<u64> {
    let mut revived = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            revived += revive_below(&path)?;
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut fields: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(&path)?)?;
        let before = fields.len();
        fields.retain(|name, _| !ENDED.contains(&name.as_str()));
        if fields.len() < before {
            std::fs::write(&path, serde_json::to_vec(&fields)?)?;
            revived += 1;
        }
    }
    Ok(revived)
}
