//! Taking out what every process keeps in memory, and telling how much it was.
//!
//! It changes no answer, since what is kept is compared each time it is used. An operator who does
//! not trust that may look at the numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::{InstanceId, TenantId};
use tenantry_store::control::CacheClearing;

use super::GONE;
use crate::{Refusal, Service};

/// How long other nodes may take to answer. They look for questions twice a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often is looked for answers.
const LOOK: Duration = Duration::from_millis(50);

/// What was taken out of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CachesCleared {
    /// How much, by tenant. What belongs to none is under none.
    pub keys: BTreeMap<Option<TenantId>, u64>,
    /// Other nodes that serve and did not answer in time.
    pub silent: u64,
}

impl CachesCleared {
    /// How much of one tenant.
    pub fn of(&self, tenant: TenantId) -> u64 {
        self.keys.get(&Some(tenant)).copied().unwrap_or_default()
    }

    /// How much in all.
    pub fn total(&self) -> u64 {
        self.keys.values().sum()
    }

    fn add(&mut self, counts: BTreeMap<Option<TenantId>, u64>) {
        for (tenant, count) in counts {
            *self.keys.entry(tenant).or_default() += count;
        }
    }
}

/// Counts as they are stored: by id, and under an empty name what belongs to no tenant.
fn written(counts: &BTreeMap<Option<TenantId>, u64>) -> String {
    let named = |(tenant, count): (&Option<TenantId>, &u64)| {
        let name = tenant.map(|id| id.to_string()).unwrap_or_default();
        (name, (*count).into())
    };
    serde_json::Value::Object(counts.iter().map(named).collect()).to_string()
}

/// Counts as they were stored. What is not one of ours counts nothing.
fn read(text: &str) -> BTreeMap<Option<TenantId>, u64> {
    let named: BTreeMap<String, u64> = serde_json::from_str(text).unwrap_or_default();
    let count = |(name, count): (String, u64)| match name.as_str() {
        "" => Some((None, count)),
        id => Some((Some(id.parse().ok()?), count)),
    };
    named.into_iter().filter_map(count).collect()
}

fn count(answers: &[String]) -> u64 {
    u64::try_from(answers.len()).unwrap_or(u64::MAX)
}

impl Service {
    /// Takes out what every process keeps of a tenant, or of all.
    pub async fn clear_caches(&self, tenant: Option<TenantId>) -> Result<CachesCleared, Refusal> {
        let now = self.clock().now();
        let node = self.node().id;
        let clearing = CacheClearing {
            id: InstanceId::generate(self.clock(), self.entropy()).uuid(),
            tenant,
        };
        let mut cleared = CachesCleared::default();
        cleared.add(self.facts().clear(tenant));
        let mut tx = self.control().begin().await?;
        let others = tx.nodes().count_others(node, GONE, now).await?;
        if others > 0 {
            tx.nodes().ask(&clearing, now).await?;
        }
        tx.commit().await?;
        self.control()
            .changes()
            .tell(tenant.map_or(Topic::Everything, Topic::Tenant));
        let until = tokio::time::Instant::now() + PATIENCE;
        let mut answers = Vec::new();
        while count(&answers) < others && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK).await;
            let mut tx = self.control().read().await?;
            answers = tx.nodes().list_answers(clearing.id, node).await?;
        }
        for answer in &answers {
            cleared.add(read(answer));
        }
        cleared.silent = others.saturating_sub(count(&answers));
        Ok(cleared)
    }

    /// Answers what other processes asked to be taken out; how many questions there were.
    pub(crate) async fn answer_clearings(&self) -> Result<usize, Refusal> {
        let node = self.node().id;
        let since = self.clock().now() - GONE;
        let mut tx = self.control().read().await?;
        let asked = tx.nodes().list_unanswered(node, since).await?;
        drop(tx);
        for clearing in &asked {
            let topic = clearing.tenant.map_or(Topic::Everything, Topic::Tenant);
            self.control().changes().hear(topic);
            let counts = written(&self.facts().clear(clearing.tenant));
            let mut tx = self.control().begin().await?;
            tx.nodes().answer(clearing.id, node, &counts).await?;
            tx.commit().await?;
        }
        Ok(asked.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_and_read() {
        let tenant = "01890a5d-ac96-774b-bcce-b302099a8057".parse().ok();
        let counts = BTreeMap::from([(None, 3), (tenant, 4)]);
        assert_eq!(read(&written(&counts)), counts);
        assert!(read("nonsense").is_empty());
        assert!(read("{\"x\":1}").is_empty());
    }
}
