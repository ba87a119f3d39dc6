//! Sealing: settled entries get a number and a keyed hash over themselves and the entry before.
//!
//! Every process seals what it finds. One conditional statement about the end of the chain decides
//! between two, so the chain never forks. Before it is gone on with, the end is compared with the
//! hash that vouches for it: were it not, sealing on would vouch for what somebody else put there.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tenantry_core::audit::Chain;
use tenantry_store::ControlTx;
use tokio::sync::{Notify, watch};

use crate::refusal::Chain as Causes;
use crate::{Refusal, Service};

/// Entries sealed or pruned in one transaction.
const PORTION: i64 = 200;

/// How often is looked for what other processes left to be sealed.
const LOOK: Duration = Duration::from_secs(10);

/// What sealing shares within the process.
#[derive(Default)]
pub(crate) struct Sealing {
    wanted: Notify,
    unsealed: AtomicI64,
}

impl Sealing {
    /// There is something to seal. Many calls before the next look are one.
    pub(super) fn wake(&self) {
        self.wanted.notify_one();
    }
}

impl Service {
    /// Seals whenever something was settled, until told to stop.
    pub(crate) async fn seal_until(&self, mut stopped: watch::Receiver<bool>) {
        loop {
            let sealed = self.seal_audit().await;
            let failed = sealed.is_err();
            if let Err(error) = sealed {
                tracing::error!(error = %Causes(&error), "the audit could not be sealed and is tried again");
            }
            if *stopped.borrow() {
                return;
            }
            let wanted = async {
                if failed {
                    // Not again for each request: it is told often enough.
                    std::future::pending::<()>().await;
                }
                self.sealing().wanted.notified().await;
            };
            tokio::select! {
                () = wanted => {}
                () = tokio::time::sleep(LOOK) => {}
                // Stopped, or the sender's end, which means the same.
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Gives every settled entry its place in the chain; how many got one.
    pub async fn seal_audit(&self) -> Result<usize, Refusal> {
        let mut sealed = 0;
        loop {
            let portion = self.seal_portion().await?;
            sealed += portion.unwrap_or(0);
            if portion == Some(0) {
                let mut tx = self.control().read().await?;
                let unsealed = tx.audit().count_unsealed().await?;
                self.sealing().unsealed.store(unsealed, Ordering::Relaxed);
                return Ok(sealed);
            }
        }
    }

    /// Entries that were not in the chain when it was last looked at.
    pub fn unsealed_entries(&self) -> i64 {
        self.sealing().unsealed.load(Ordering::Relaxed)
    }

    /// Seals some; `None` where another process was faster, and it is to be looked again.
    async fn seal_portion(&self) -> Result<Option<usize>, Refusal> {
        let mut look = self.control().read().await?;
        let some = look.audit().list_unsealed(1).await?;
        drop(look);
        if some.is_empty() {
            return Ok(Some(0));
        }
        let mut tx = self.control().begin().await?;
        let entries = tx.audit().list_unsealed(PORTION).await?;
        let from = self.chain(&mut tx).await?;
        let mut to = from.clone();
        let mut links = Vec::with_capacity(entries.len());
        for entry in &entries {
            to.last += 1;
            let hash = self
                .keyring()
                .audit()
                .link(&entry.octets(to.last, &to.last_hash));
            to.last_hash = hash.to_vec();
            links.push((entry.id, to.last, hash));
        }
        let mac = self.keyring().audit().link(&to.octets());
        if !tx.audit().move_chain(&from, &to, &mac).await? {
            return Ok(None);
        }
        for (id, seq, hash) in links {
            if !tx.audit().seal(id, seq, &hash).await? {
                return Ok(None);
            }
        }
        tx.commit().await?;
        Ok(Some(entries.len()))
    }

    /// The ends of the chain, which is begun where there is none.
    async fn chain(&self, tx: &mut ControlTx) -> Result<Chain, Refusal> {
        let mut found = tx.audit().find_chain().await?;
        if found.is_none() && tx.audit().ends().await?.is_some() {
            // Another process may have begun it and sealed something since that look.
            found = Some(tx.audit().find_chain().await?.ok_or_else(changed)?);
        }
        if found.is_none() {
            let chain = Chain::begin(self.clock().now());
            let mac = self.keyring().audit().link(&chain.octets());
            tx.audit().begin_chain(&chain, &mac).await?;
            // As it stands there now: another process may have begun it at this very moment.
            found = tx.audit().find_chain().await?;
        }
        let ours = found.filter(|(chain, mac)| {
            let key = self.keyring().audit();
            key.verify(&chain.octets(), mac)
        });
        ours.map(|(chain, _)| chain).ok_or_else(changed)
    }

    /// Removes entries older than they are to be kept, from the beginning of the chain; how many.
    /// What is removed is verified first, so that pruning hides nothing.
    pub async fn prune_audit(&self) -> Result<usize, Refusal> {
        let Some(keep) = self.settings().audit_keep else {
            return Ok(0);
        };
        let before = self.clock().now() - keep;
        let mut pruned = 0;
        loop {
            let mut tx = self.control().begin().await?;
            let Some((from, mac)) = tx.audit().find_chain().await? else {
                return Ok(pruned);
            };
            if !self.keyring().audit().verify(&from.octets(), &mac) {
                return Err(changed());
            }
            let mut to = from.clone();
            for sealed in tx.audit().list_sealed(from.pruned, PORTION).await? {
                if sealed
                    .entry
                    .as_ref()
                    .is_some_and(|entry| entry.at >= before)
                {
                    break;
                }
                if sealed.seq != to.pruned + 1 || !self.follows(&sealed, &to.pruned_hash) {
                    return Err(changed());
                }
                (to.pruned, to.pruned_hash) = (sealed.seq, sealed.hash);
            }
            if to == from {
                return Ok(pruned);
            }
            let mac = self.keyring().audit().link(&to.octets());
            if tx.audit().move_chain(&from, &to, &mac).await? {
                let removed = tx.audit().prune(to.pruned).await?;
                tx.commit().await?;
                pruned += usize::try_from(removed).unwrap_or(usize::MAX);
            }
        }
    }
}

fn changed() -> Refusal {
    Refusal::failed("the audit's chain can't be gone on with")(
        "something else changed it; `tenantry audit verify` tells where",
    )
}
