//! Verifying the chain: page by page, beside a server that goes on sealing and pruning.

use tenantry_core::Timestamp;
use tenantry_core::audit::{Chain, Fault};
use tenantry_keys::audit::hex;
use tenantry_store::ControlTx;
use tenantry_store::control::Sealed;

use crate::{Refusal, Service};

/// Entries read at once.
const PAGE: i64 = 500;

/// What verifying the audit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are as they were sealed, up to the first that is not.
    pub entries: i64,
    /// The number of the first entry that was not pruned.
    pub first: i64,
    /// The number of the last entry when it was begun to verify.
    pub last: i64,
    /// The hash of that entry, in hexadecimal. Kept elsewhere, it shows later that a whole database
    /// was put back.
    pub last_hash: String,
    /// When the chain was begun; `None` where nothing was sealed yet.
    pub begun_at: Option<Timestamp>,
    /// Entries that have no place in the chain yet.
    pub unsealed: i64,
    /// The first place where something is wrong.
    pub broken: Option<Broken>,
}

/// A place where the chain is not as it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The number there.
    pub seq: i64,
    /// What is wrong.
    pub fault: Fault,
}

const fn broken(seq: i64, fault: Fault) -> Broken {
    Broken { seq, fault }
}

impl Service {
    /// Looks at every entry of the chain.
    pub async fn verify_audit(&self) -> Result<Verified, Refusal> {
        let mut tx = self.control().read().await?;
        // Before the chain's own record, so that what is sealed meanwhile does not look foreign.
        let last = tx.audit().ends().await?.map_or(0, |(_, last)| last);
        let found = tx.audit().find_chain().await?;
        // And after it, for what is pruned meanwhile.
        let first = tx
            .audit()
            .ends()
            .await?
            .map_or(i64::MAX, |(first, _)| first);
        let unsealed = tx.audit().count_unsealed().await?;
        let Some((chain, mac)) = found else {
            return Ok(Verified {
                entries: 0,
                first: 1,
                last: 0,
                last_hash: String::new(),
                begun_at: None,
                unsealed,
                broken: (last > 0).then_some(broken(last, Fault::Ends)),
            });
        };
        let mut verified = Verified {
            entries: 0,
            first: chain.pruned + 1,
            last: chain.last,
            last_hash: hex(&chain.last_hash),
            begun_at: Some(chain.begun_at),
            unsealed,
            broken: None,
        };
        if first <= chain.pruned {
            verified.broken = Some(broken(first, Fault::Foreign));
            return Ok(verified);
        }
        let (at, hash) = self.walk(&mut tx, &chain, &mut verified).await?;
        let ends_are_ours = self.keyring().audit().verify(&chain.octets(), &mac);
        verified.broken = verified.broken.or_else(|| {
            // One that was pruned to past the last, while it was looked at, can't be compared.
            let other = at == chain.last && hash != chain.last_hash;
            if other || !ends_are_ours {
                return Some(broken(chain.last + 1, Fault::Ends));
            }
            (last > chain.last).then_some(broken(chain.last + 1, Fault::Foreign))
        });
        Ok(verified)
    }

    /// Looks at the entries one after the other, and notes how many there are and the first that is
    /// not as it was; how far it came, and the hash there.
    async fn walk(
        &self,
        tx: &mut ControlTx,
        chain: &Chain,
        verified: &mut Verified,
    ) -> Result<(i64, Vec<u8>), Refusal> {
        let (mut at, mut hash) = (chain.pruned, chain.pruned_hash.clone());
        while at < chain.last && verified.broken.is_none() {
            let page = tx.audit().list_sealed(at, PAGE).await?;
            let end = at;
            for sealed in page
                .into_iter()
                .take_while(|sealed| sealed.seq <= chain.last)
            {
                if sealed.seq != at + 1 {
                    break;
                }
                if !self.follows(&sealed, &hash) {
                    verified.broken = Some(broken(sealed.seq, Fault::Altered));
                    break;
                }
                (at, hash) = (sealed.seq, sealed.hash);
                verified.entries += 1;
            }
            if at == end && verified.broken.is_none() {
                // The next one is not there: pruned meanwhile, or gone.
                match self.pruned_since(tx, at).await? {
                    Some(anchor) => (at, hash) = anchor,
                    None => verified.broken = Some(broken(at + 1, Fault::Missing)),
                }
            }
        }
        Ok((at, hash))
    }

    /// Whether an entry is as it was when it was sealed behind the one with the hash `before`.
    pub(super) fn follows(&self, sealed: &Sealed, before: &[u8]) -> bool {
        sealed.entry.as_ref().is_some_and(|entry| {
            let octets = entry.octets(sealed.seq, before);
            self.keyring().audit().verify(&octets, &sealed.hash)
        })
    }

    /// Where the chain begins by now, if that is behind `at` and rightly so.
    async fn pruned_since(
        &self,
        tx: &mut ControlTx,
        at: i64,
    ) -> Result<Option<(i64, Vec<u8>)>, Refusal> {
        let Some((chain, mac)) = tx.audit().find_chain().await? else {
            return Ok(None);
        };
        let rightly = chain.pruned > at && self.keyring().audit().verify(&chain.octets(), &mac);
        Ok(rightly.then_some((chain.pruned, chain.pruned_hash)))
    }
}
