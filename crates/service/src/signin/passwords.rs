//! Comparing one password with the accounts it may belong to, at a cost that tells nobody how many
//! there are.
//!
//! With a tenant named there is one account or a stand-in for it, and one hash. Without one, as many
//! accounts as have the address, from none to many, and each hash takes tens of milliseconds, which
//! anybody can measure. So a refusal is filled up with stand-ins to a number of hashes that is the
//! same for addresses of no, one and two accounts, and from there on doubles: three and four cost
//! four, five to eight cost eight. Two and not more, since hardly an address has more accounts, and
//! every wrong password would pay for it.
//!
//! Nobody pays who has the right password, or a morning's sign-ins would cost twice: the first
//! account is compared alone, and where it fits no stand-in follows. Were all compared at once, a
//! stand-in would be running before anybody knows that it isn't needed; were it started only after
//! a first wave of all accounts, one account would take two waves and two accounts would take one.
//! Behind the first one the others are compared at once, stand-ins among them.
//!
//! What stays visible is written in `docs/decisions/0008-hashes-of-a-refusal.md`.

use std::iter::repeat_n;

use futures_util::future::join_all;
use tenantry_core::password::Password;
use tenantry_keys::hasher::{Busy, HashError, HashPool, Lane, Load};
use tenantry_keys::password::Verdict;

use super::candidates::Candidate;
use crate::attempts::in_tenant;
use crate::{Refusal, Service};

/// The fewest hashes of a refusal where no tenant is named.
const FEWEST: usize = 2;

/// How many hashes a refusal takes where no tenant is named and so many accounts were found.
pub(super) fn hashes_without_tenant(accounts: usize) -> usize {
    accounts.next_power_of_two().max(FEWEST)
}

/// What came of comparing one password with several accounts.
pub(super) struct Compared {
    /// For each account, in order; the first alone where the queue had no room for it.
    pub(super) verdicts: Vec<Result<Verdict, HashError>>,
    /// Set where the queue turned anything away, an account's or a stand-in, which answers must
    /// not tell apart.
    pub(super) turned_away: Option<Busy>,
}

const fn busy(verdict: &Result<Verdict, HashError>) -> Option<Busy> {
    match verdict {
        Err(HashError::Busy(busy)) => Some(*busy),
        _ => None,
    }
}

/// Compares a password with the stored hashes of accounts. `None` is one without, or one that must
/// not be compared: it costs the same and does not fit. If the first does not fit, there are
/// `refusal` hashes in all.
pub(super) async fn compare(
    pool: &HashPool,
    lane: Lane,
    password: &Password,
    stored: Vec<Option<String>>,
    refusal: usize,
) -> Compared {
    let accounts = stored.len();
    let verify = |hash| pool.verify(lane, password.clone(), hash);
    let mut stored = stored.into_iter();
    let first = verify(stored.next().flatten()).await;
    if let Some(full) = busy(&first) {
        return Compared {
            verdicts: vec![first],
            turned_away: Some(full),
        };
    }
    let fill = match first {
        Ok(Verdict::Match { .. }) => 0,
        Ok(Verdict::Mismatch) | Err(_) => refusal.saturating_sub(accounts),
    };
    let others = stored.chain(repeat_n(None, fill)).map(verify);
    let mut verdicts = vec![first];
    verdicts.extend(join_all(others).await);
    let turned_away = verdicts.iter().find_map(busy);
    verdicts.truncate(accounts);
    Compared {
        verdicts,
        turned_away,
    }
}

/// What an error of the hashing pool means.
pub(crate) fn hash_refusal(error: HashError) -> Refusal {
    match error {
        HashError::Busy(busy) => Refusal::Busy(busy.retry_after),
        error => Refusal::failed("a password could not be checked")(error),
    }
}

impl Service {
    /// The hash of a new password or PIN, in its tenant's lane of the pool.
    pub(crate) async fn hash_password(
        &self,
        lane: impl Into<Lane>,
        password: Password,
    ) -> Result<String, Refusal> {
        let hash = self.hasher().hash(lane, password).await;
        hash.map_err(hash_refusal)
    }

    /// What the pool that hashes passwords has to do and has done, for metrics.
    pub fn password_load(&self) -> Load {
        self.hasher().load()
    }

    /// Replaces a hash made with weaker parameters. Not done is not bad: the next sign-in tries
    /// again.
    pub(super) async fn upgrade_hash(&self, candidate: &Candidate, password: &Password) {
        let upgraded = async {
            let Some(from) = candidate.password_hash() else {
                return Ok(());
            };
            let to = self
                .hash_password(candidate.tenant(), password.clone())
                .await?;
            match candidate {
                Candidate::Admin(record) => {
                    let mut tx = self.control().begin().await?;
                    tx.admins().upgrade_hash(record.admin.id, from, &to).await?;
                    tx.commit().await?;
                }
                Candidate::User(ctx, record) => {
                    let id = record.user.id;
                    in_tenant!(self, ctx, |tx| tx
                        .users()
                        .upgrade_hash(id, from, &to)
                        .await?)?;
                }
                Candidate::Nobody => {}
            }
            Ok::<(), Refusal>(())
        };
        if let Err(error) = upgraded.await {
            tracing::warn!(%error, "a password's hash could not be upgraded");
        }
    }
}

#[cfg(test)]
mod tests;
