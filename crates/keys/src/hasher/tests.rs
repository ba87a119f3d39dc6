use std::sync::mpsc;
use std::sync::{Condvar, Mutex};

use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;

/// Randomness at which a hashing thread stops until it is let on: each new hash needs a salt.
/// Comparing needs none and is never stopped.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    armed: bool,
    panics: bool,
    arrived: usize,
    /// How many of those who arrive are let on.
    permits: usize,
}

impl Gate {
    fn entropy(&self) -> Entropy {
        let gate = self.clone();
        Entropy::new(move |buffer| {
            gate.pass();
            buffer.fill(7);
        })
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        if !state.armed {
            return;
        }
        state.arrived += 1;
        changed.notify_all();
        let number = state.arrived;
        let state = changed
            .wait_while(state, |state| state.permits < number)
            .unwrap();
        if state.panics {
            drop(state);
            panic!("a fault on purpose");
        }
    }

    fn open(&self) {
        self.set(|state| state.permits = usize::MAX);
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        let (state, changed) = &*self.0;
        change(&mut state.lock().unwrap());
        changed.notify_all();
    }

    /// Waits until a thread stands at the gate.
    fn wait_for_arrival(&self) {
        let (state, changed) = &*self.0;
        let guard = state.lock().unwrap();
        let (state, _) = changed
            .wait_timeout_while(guard, Duration::from_mins(1), |state| state.arrived == 0)
            .unwrap();
        assert!(state.arrived > 0, "no thread took the job");
    }

    fn arrived(&self) -> usize {
        self.0.0.lock().unwrap().arrived
    }
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn password() -> Password {
    Password::offered("correct horse").unwrap()
}

fn cheap() -> HashParams {
    HashParams::new(8, 1, 1).unwrap()
}

fn start(waiting: usize, lane: usize, entropy: Entropy) -> Arc<HashPool> {
    let size = PoolSize {
        threads: NonZeroUsize::MIN,
        waiting,
        lane,
    };
    Arc::new(HashPool::start(size, cheap(), entropy).unwrap())
}

/// A pool of one thread that stands at the gate with a first job.
async fn held(
    waiting: usize,
    lane: usize,
) -> (Arc<HashPool>, Gate, JoinHandle<Result<String, HashError>>) {
    let gate = Gate::default();
    let pool = start(waiting, lane, gate.entropy());
    gate.set(|state| state.armed = true);
    let first = submit(&pool, None).await;
    gate.wait_for_arrival();
    (pool, gate, first)
}

/// Submits a job and returns once it waits in the queue, or was refused.
async fn submit(
    pool: &Arc<HashPool>,
    lane: impl Into<Lane>,
) -> JoinHandle<Result<String, HashError>> {
    let lane = lane.into();
    let pool = Arc::clone(pool);
    let (submitted, waits) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut job = Box::pin(pool.hash(lane, password()));
        // One poll puts it into the queue.
        let early = tokio::select! {
            biased;
            answer = &mut job => Some(answer),
            () = std::future::ready(()) => None,
        };
        submitted.send(()).unwrap();
        match early {
            Some(answer) => answer,
            None => job.await,
        }
    });
    waits.await.unwrap();
    task
}

#[tokio::test]
async fn hashes_and_compares() {
    let pool = start(4, 4, crate::entropy());
    let phc = pool.hash(Some(tenant(1)), password()).await.unwrap();
    let other = Password::offered("wrong horse").unwrap();
    let verify = |password, phc| pool.verify(Some(tenant(1)), password, phc);
    let fits = Verdict::Match { outdated: false };
    assert_eq!(verify(password(), Some(phc.clone())).await.unwrap(), fits);
    assert_eq!(verify(other, Some(phc)).await.unwrap(), Verdict::Mismatch);
    assert_eq!(verify(password(), None).await.unwrap(), Verdict::Mismatch);
    assert_eq!(pool.load().begun, 4, "one of them for nobody");
    let damaged = verify(password(), Some("damaged".to_owned())).await;
    assert!(matches!(damaged, Err(HashError::Stored(_))));
}

#[tokio::test]
async fn one_tenants_storm_does_not_hold_up_another() {
    let (pool, gate, first) = held(200, 100).await;
    let mut storm = Vec::new();
    for _ in 0..100 {
        storm.push(submit(&pool, Some(tenant(1))).await);
    }
    let single = submit(&pool, Some(tenant(2))).await;
    assert_eq!((pool.load().waiting, pool.load().lanes), (101, 2));

    // One for the job that held the pool, one for the storm, one for the single job.
    gate.set(|state| state.permits = 3);
    soon(first).await.unwrap().unwrap();
    soon(single).await.unwrap().unwrap();
    gate.open();
    for job in storm {
        soon(job).await.unwrap().unwrap();
    }
    assert_eq!(gate.arrived(), 102);
    assert_eq!((pool.load().waiting, pool.load().lanes), (0, 0));
}

/// The outcome of what must not hang.
async fn soon<F: Future>(outcome: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(1), outcome)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_queue_is_bounded_in_all_and_for_each_lane() {
    let (pool, gate, first) = held(4, 2).await;
    let mut accepted = vec![first];
    for number in [1, 1, 2, 2] {
        accepted.push(submit(&pool, Some(tenant(number))).await);
        if pool.load().waiting == 2 {
            assert_busy(&soon(pool.hash(Some(tenant(1)), password())).await);
        }
    }
    assert_busy(&soon(pool.hash(Some(tenant(3)), password())).await);
    assert_busy(&soon(pool.verify(None, password(), None)).await);
    gate.open();
    for job in accepted {
        job.await.unwrap().unwrap();
    }
    pool.hash(Some(tenant(1)), password()).await.unwrap();
}

fn assert_busy<T>(answer: &Result<T, HashError>) {
    let Err(HashError::Busy(Busy { retry_after })) = answer else {
        panic!("not busy");
    };
    assert!((1..=30).contains(&retry_after.as_secs()), "{retry_after:?}");
    assert_eq!(retry_after.subsec_nanos(), 0);
}

#[tokio::test]
async fn whoever_stops_waiting_is_not_hashed_for() {
    let (pool, gate, first) = held(9, 9).await;
    let gone = submit(&pool, Some(tenant(1))).await;
    let waits = submit(&pool, Some(tenant(1))).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    gate.open();
    for job in [first, waits] {
        soon(job).await.unwrap().unwrap();
    }
    assert_eq!(gate.arrived(), 2, "a job that nobody waited for was hashed");
    assert_eq!(pool.load().begun, 2);
}

#[tokio::test]
async fn whoever_stops_waiting_makes_room() {
    let (pool, gate, first) = held(2, 2).await;
    let gone = submit(&pool, Some(tenant(1))).await;
    let waits = submit(&pool, Some(tenant(1))).await;
    assert_busy(&soon(pool.hash(Some(tenant(1)), password())).await);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let last = submit(&pool, Some(tenant(1))).await;
    assert_eq!(pool.load().waiting, 2);
    gate.open();
    for job in [first, waits, last] {
        soon(job).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_panic_costs_one_job_and_not_the_pool() {
    let (pool, gate, first) = held(4, 4).await;
    let waits = submit(&pool, Some(tenant(1))).await;
    gate.set(|state| state.panics = true);
    gate.open();
    assert!(matches!(soon(first).await.unwrap(), Err(HashError::Lost)));
    assert!(matches!(soon(waits).await.unwrap(), Err(HashError::Lost)));
    gate.set(|state| state.panics = false);
    let phc = soon(pool.hash(Some(tenant(1)), password())).await.unwrap();
    let verdict = soon(pool.verify(Some(tenant(1)), password(), Some(phc)))
        .await
        .unwrap();
    assert_eq!(verdict, Verdict::Match { outdated: false });
}

/// Tells when the last thread has let go of it.
struct Goodbye(mpsc::Sender<()>);

impl Drop for Goodbye {
    fn drop(&mut self) {
        // Nobody listening is nobody to tell.
        self.0.send(()).unwrap_or_default();
    }
}

#[tokio::test]
async fn the_threads_end_with_the_pool() {
    let (sender, ended) = mpsc::channel();
    let goodbye = Goodbye(sender);
    let entropy = Entropy::new(move |buffer| {
        let Goodbye(_) = &goodbye;
        buffer.fill(7);
    });
    let size = PoolSize {
        threads: NonZeroUsize::new(3).unwrap(),
        ..PoolSize::default()
    };
    let pool = HashPool::start(size, cheap(), entropy).unwrap();
    pool.hash(None, password()).await.unwrap();
    assert!(ended.try_recv().is_err());
    drop(pool);
    ended.recv_timeout(Duration::from_mins(1)).unwrap();
}
