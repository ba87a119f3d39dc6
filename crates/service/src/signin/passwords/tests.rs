use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use futures_util::FutureExt as _;
use tenantry_core::{Entropy, TenantId};
use tenantry_keys::hasher::PoolSize;
use tenantry_keys::password::HashParams;
use uuid::Uuid;

use super::*;

const RIGHT: &str = "correct horse";
const WRONG: &str = "wrong horse";

fn offered(password: &str) -> Password {
    Password::offered(password).unwrap()
}

/// A pool of one thread, whose hashes cost nearly nothing.
fn pool(waiting: usize, entropy: Entropy) -> HashPool {
    let size = PoolSize {
        threads: NonZeroUsize::MIN,
        waiting,
        lane: waiting,
    };
    HashPool::start(size, HashParams::new(8, 1, 1).unwrap(), entropy).unwrap()
}

fn quiet() -> Entropy {
    Entropy::new(|buffer| buffer.fill(7))
}

async fn stored(pool: &HashPool) -> Option<String> {
    Some(pool.hash(None, offered(RIGHT)).await.unwrap())
}

#[test]
fn refusals_cost_powers_of_two() {
    let costs: Vec<usize> = [0, 1, 2, 3, 4, 5, 8, 9, 16]
        .map(hashes_without_tenant)
        .into();
    assert_eq!(costs, [2, 2, 2, 4, 4, 8, 8, 16, 16]);
}

#[tokio::test]
async fn refusals_are_filled_up_and_what_fits_is_not() {
    let pool = pool(32, quiet());
    let account = stored(&pool).await;
    let nobody = None;
    for (accounts, password, refusal, cost) in [
        (vec![&nobody], RIGHT, 2, 2),
        (vec![&account], WRONG, 2, 2),
        (vec![&account, &account], WRONG, 2, 2),
        (vec![&account, &nobody], WRONG, 2, 2),
        (vec![&account, &account, &account], WRONG, 4, 4),
        (vec![&account], RIGHT, 2, 1),
        (vec![&account, &account], RIGHT, 2, 2),
        (vec![&account, &nobody, &account], RIGHT, 4, 3),
        // With a tenant named.
        (vec![&nobody], RIGHT, 1, 1),
        (vec![&account], WRONG, 1, 1),
        (vec![&account], RIGHT, 1, 1),
    ] {
        let expected: Vec<bool> = accounts
            .iter()
            .map(|account| account.is_some() && password == RIGHT)
            .collect();
        let accounts = accounts.into_iter().cloned().collect();
        let before = pool.load().begun;
        let lane = Lane::Platform;
        let compared = compare(&pool, lane, &offered(password), accounts, refusal).await;
        assert_eq!(pool.load().begun - before, cost, "{expected:?}, {password}");
        let fits: Vec<bool> = compared
            .verdicts
            .iter()
            .map(|verdict| matches!(verdict, Ok(Verdict::Match { .. })))
            .collect();
        assert_eq!(fits, expected);
        assert!(compared.turned_away.is_none());
    }
}

#[tokio::test]
async fn one_that_fits_behind_the_first_is_found() {
    let pool = pool(32, quiet());
    let other = Some(pool.hash(None, offered(WRONG)).await.unwrap());
    let accounts = vec![
        other.clone(),
        Some("damaged".to_owned()),
        stored(&pool).await,
    ];
    let compared = compare(&pool, Lane::Platform, &offered(RIGHT), accounts, 4).await;
    assert!(matches!(
        compared.verdicts[..],
        [
            Ok(Verdict::Mismatch),
            Err(HashError::Stored(_)),
            Ok(Verdict::Match { outdated: false })
        ]
    ));
}

#[tokio::test]
async fn a_full_queue_is_told_at_once() {
    let pool = pool(0, quiet());
    let compared = compare(&pool, Lane::Platform, &offered(RIGHT), vec![None, None], 2).await;
    assert!(matches!(compared.verdicts[..], [Err(HashError::Busy(_))]));
    assert!(compared.turned_away.is_some());
    assert_eq!(pool.load().begun, 0);
}

/// Randomness at which the thread stops until it is let on; a comparison draws none.
struct Gate {
    closed: Arc<AtomicBool>,
    arrivals: mpsc::Receiver<()>,
    permits: mpsc::Sender<()>,
}

impl Gate {
    fn build() -> (Self, Entropy) {
        let (arrive, arrivals) = mpsc::channel();
        let (permits, permitted) = mpsc::channel();
        let permitted = Mutex::new(permitted);
        let closed = Arc::new(AtomicBool::new(false));
        let shut = Arc::clone(&closed);
        let entropy = Entropy::new(move |buffer| {
            if shut.load(Ordering::SeqCst) && arrive.send(()).is_ok() {
                // Without anybody to let it on, it goes on by itself.
                permitted.lock().unwrap().recv().unwrap_or_default();
            }
            buffer.fill(7);
        });
        let gate = Self {
            closed,
            arrivals,
            permits,
        };
        (gate, entropy)
    }

    fn wait_for_arrival(&self) {
        self.arrivals.recv_timeout(Duration::from_mins(1)).unwrap();
    }
}

/// Compares while the queue fills up behind the first.
async fn crowded_behind_the_first(accounts: usize) -> (Compared, u64) {
    let (gate, entropy) = Gate::build();
    let pool = pool(2, entropy);
    let accounts = vec![stored(&pool).await; accounts];
    gate.closed.store(true, Ordering::SeqCst);
    let other = Lane::Tenant(TenantId::from_uuid(Uuid::from_u128(1)));
    let crowd = || Box::pin(pool.hash(other, offered(RIGHT)));
    // One poll puts a job into the queue.
    let mut held = crowd();
    assert!((&mut held).now_or_never().is_none());
    gate.wait_for_arrival();
    let password = offered(WRONG);
    let mut comparing = Box::pin(compare(&pool, Lane::Platform, &password, accounts, 2));
    assert!((&mut comparing).now_or_never().is_none());
    let mut next = crowd();
    assert!((&mut next).now_or_never().is_none());
    let before = pool.load().begun;
    gate.permits.send(()).unwrap();
    // The one after the first has begun, so that the first has its answer.
    gate.wait_for_arrival();
    let mut last = [crowd(), crowd()];
    for job in &mut last {
        assert!(job.now_or_never().is_none());
    }
    let compared = comparing.await;
    (compared, pool.load().begun - before)
}

#[tokio::test]
async fn a_stand_in_is_turned_away_as_an_account_is() {
    for accounts in [1, 2] {
        let (compared, begun) = crowded_behind_the_first(accounts).await;
        assert_eq!(compared.verdicts.len(), accounts);
        assert!(matches!(compared.verdicts[0], Ok(Verdict::Mismatch)));
        assert!(compared.turned_away.is_some(), "{accounts}");
        assert_eq!(begun, 2, "the first, and another's");
    }
}
