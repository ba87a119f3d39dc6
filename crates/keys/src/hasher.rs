//! The pool that hashes passwords: a fixed number of threads behind a bounded queue that is fair
//! between tenants.
//!
//! Hashing takes tens of milliseconds and 19 MiB by design, so that it must be kept apart from the
//! threads that serve requests, and a storm of sign-ins at one tenant must neither slow down another
//! tenant's nor pile up. Each tenant has a lane. Lanes take turns; within a lane it is first come,
//! first served; past the bound the answer is [`Busy`] at once. Whoever stops waiting costs nothing
//! any more. Called by every use case that makes or checks a password.

mod queue;
mod worker;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tenantry_core::password::Password;
use tenantry_core::{Entropy, TenantId};
use tokio::sync::oneshot;

use crate::password::{Argon2Error, HashParams, StoredHashError, Verdict};
use worker::{Answer, Job, Shared};

/// Whose turn a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A tenant's.
    Tenant(TenantId),
    /// That of one network, where no tenant is named: a storm from one holds up no other.
    Network([u8; 32]),
    /// That of everybody else outside the tenants.
    Platform,
}

impl From<Option<TenantId>> for Lane {
    fn from(tenant: Option<TenantId>) -> Self {
        tenant.map_or(Self::Platform, Self::Tenant)
    }
}

/// The queue is full. Nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Busy {
    /// When it is worth trying again; whole seconds, as `Retry-After` has them.
    pub retry_after: Duration,
}

/// Why the pool gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// What is stored can't be compared with a password.
    #[error(transparent)]
    Stored(#[from] StoredHashError),
    /// Argon2 itself failed.
    #[error(transparent)]
    Failed(#[from] Argon2Error),
    /// The thread that worked on it panicked. The pool goes on.
    #[error("the password could not be hashed because of a fault in the program")]
    Lost,
}

/// How many may hash and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Threads, each with the memory of one hash.
    pub threads: NonZeroUsize,
    /// The most that wait, over all lanes.
    pub waiting: usize,
    /// The most that wait in one lane.
    pub lane: usize,
}

impl Default for PoolSize {
    /// As many threads as there are cores; 256 may wait, which two cores work off in a few seconds;
    /// one tenant takes no more than half of that.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            waiting: 256,
            lane: 128,
        }
    }
}

/// How much there is to do and was done, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Jobs in the queue, over all lanes.
    pub waiting: usize,
    /// Lanes with a job in the queue.
    pub lanes: usize,
    /// Jobs being worked on.
    pub running: usize,
    /// Jobs taken up since the pool started, each counted before its answer can be known. Each is
    /// one computation, unless what is stored can't be compared at all.
    pub begun: u64,
}

/// The pool. Its threads end with it.
pub struct HashPool {
    shared: Arc<Shared>,
}

impl HashPool {
    /// Starts the threads. Fails where the system gives none.
    pub fn start(size: PoolSize, params: HashParams, entropy: Entropy) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(size, params, entropy));
        // From here on an early return drops the pool, which ends the threads there are.
        let pool = Self { shared };
        for number in 0..size.threads.get() {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || worker::run(&shared))?;
        }
        Ok(pool)
    }

    /// Hashes a password; the answer is a PHC string.
    pub async fn hash(
        &self,
        lane: impl Into<Lane>,
        password: Password,
    ) -> Result<String, HashError> {
        self.submit(lane.into(), |answer| Job::Hash { password, answer })
            .await
    }

    /// Compares a password with a stored hash. `None` stands for an account that doesn't exist, or
    /// has no password: it costs the same and never fits.
    pub async fn verify(
        &self,
        lane: impl Into<Lane>,
        password: Password,
        stored: Option<String>,
    ) -> Result<Verdict, HashError> {
        self.submit(lane.into(), |answer| Job::Verify {
            password,
            stored,
            answer,
        })
        .await
    }

    /// How much there is to do now, and was done so far.
    pub fn load(&self) -> Load {
        self.shared.load()
    }

    async fn submit<T>(
        &self,
        lane: Lane,
        job: impl FnOnce(Answer<T>) -> Job,
    ) -> Result<T, HashError> {
        let (answer, answered) = oneshot::channel();
        self.shared.submit(lane, job(answer))?;
        answered.await.unwrap_or(Err(HashError::Lost))
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

#[cfg(test)]
mod tests;
