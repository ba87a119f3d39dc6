//! The threads of the pool, and what they share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenantry_core::Entropy;
use tenantry_core::password::Password;
use tokio::sync::oneshot;

use super::queue::Queue;
use super::{Busy, HashError, Lane, Load, PoolSize};
use crate::password::{HashParams, Hasher, Verdict, dummy};

/// What a hash is taken to cost until one was measured.
const FIRST_GUESS: Duration = Duration::from_millis(30);

/// The longest wait that is ever asked of a client.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Where an answer goes. Closed once nobody waits for it.
pub(super) type Answer<T> = oneshot::Sender<Result<T, HashError>>;

/// One password to hash or compare.
pub(super) enum Job {
    Hash {
        password: Password,
        answer: Answer<String>,
    },
    Verify {
        password: Password,
        stored: Option<String>,
        answer: Answer<Verdict>,
    },
}

impl Job {
    /// Whether somebody still waits for the answer.
    fn is_wanted(&self) -> bool {
        match self {
            Self::Hash { answer, .. } => !answer.is_closed(),
            Self::Verify { answer, .. } => !answer.is_closed(),
        }
    }

    /// Does it. Nobody taking the answer is no error: the waiter went away meanwhile.
    fn run(self, hasher: &mut Hasher, shared: &Shared) {
        match self {
            Self::Hash { password, answer } => {
                let hash = hasher.hash(&password, &shared.entropy);
                drop(answer.send(hash.map_err(HashError::from)));
            }
            Self::Verify {
                password,
                stored,
                answer,
            } => {
                let phc = stored.as_deref().unwrap_or(&shared.dummy);
                let verdict = hasher.verify(&password, phc);
                drop(answer.send(verdict.map_err(HashError::from)));
            }
        }
    }
}

/// What the pool and its threads share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Told of each new job and of the end.
    changed: Condvar,
    size: PoolSize,
    params: HashParams,
    entropy: Entropy,
    /// What the passwords of unknown accounts are compared with.
    dummy: String,
}

struct State {
    queue: Queue<Job>,
    running: usize,
    begun: u64,
    /// What a hash cost of late.
    cost: Duration,
    closed: bool,
}

impl Shared {
    pub(super) fn new(size: PoolSize, params: HashParams, entropy: Entropy) -> Self {
        Self {
            state: Mutex::new(State {
                queue: Queue::new(size.waiting, size.lane),
                running: 0,
                begun: 0,
                cost: FIRST_GUESS,
                closed: false,
            }),
            changed: Condvar::new(),
            size,
            dummy: dummy(&params, &entropy),
            params,
            entropy,
        }
    }

    /// The state. No job runs while it is locked, so that a panic can't leave it half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, lane: Lane, job: Job) -> Result<(), Busy> {
        let mut state = self.state();
        if !state.queue.has_room(lane) {
            // Places of those who stopped waiting are given away before anybody is turned back.
            state.queue.retain(Job::is_wanted);
        }
        if state.queue.push(lane, job).is_err() {
            let retry_after = self.retry_after(&state);
            return Err(Busy { retry_after });
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// When the queue as it is now will be worked off, in whole seconds.
    fn retry_after(&self, state: &State) -> Duration {
        let rounds = state.queue.waiting().div_ceil(self.size.threads.get());
        let wait = state
            .cost
            .saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
            .clamp(Duration::from_secs(1), LONGEST_WAIT);
        Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state();
        Load {
            waiting: state.queue.waiting(),
            lanes: state.queue.lanes(),
            running: state.running,
            begun: state.begun,
        }
    }

    /// Lets the threads end, each after the job it is at.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits for the next job that somebody still wants; `None` at the end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            match state.queue.pop() {
                Some(job) if job.is_wanted() => {
                    state.running += 1;
                    state.begun += 1;
                    return Some(job);
                }
                Some(_) => {}
                None => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn done(&self, took: Duration) {
        let mut state = self.state();
        state.running -= 1;
        state.cost = (state.cost * 7 + took) / 8;
    }
}

/// What each thread does until the pool ends.
pub(super) fn run(shared: &Shared) {
    let fresh = || Hasher::new(shared.params.clone());
    let mut hasher = fresh();
    while let Some(job) = shared.next() {
        let began = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(&mut hasher, shared)));
        if ran.is_err() {
            // The panic has been reported, and the waiter learns of it because the job is gone.
            // Whatever state the memory is in, it isn't used again.
            hasher = fresh();
        }
        shared.done(began.elapsed());
    }
}
