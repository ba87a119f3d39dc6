//! People who ask all the while, on several servers, and whether what they were answered was due.
//!
//! Judged is when something was asked, and never how long the answer took: whatever the machine is
//! busy with, nobody may be let in who asked later than a change counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::site::{A, BUSY, Person, Site, WAYS};
use crate::eventually;
use crate::http::Ask;

/// For how long a server may go on answering by what it read before a change, whatever becomes of
/// the channels (`docs/ARCHITECTURE.md`, "What a request is judged by"). Promised is a second.
pub(super) const BOUND: Duration = Duration::from_millis(500);

/// How long somebody pauses between two requests.
const PAUSE: Duration = Duration::from_millis(8);

/// How often each is to be answered before anything is changed, and after it counts.
const OFTEN: usize = 3;

/// What somebody was answered.
#[derive(Clone, Debug)]
struct Told {
    node: usize,
    person: usize,
    way: usize,
    asked: Instant,
    answered: Instant,
    status: u16,
    code: String,
}

#[derive(Default)]
struct Shared {
    told: Mutex<Vec<Told>>,
    enough: AtomicBool,
}

/// Requests that go on until it is dropped.
pub(super) struct Asking {
    shared: Arc<Shared>,
    nodes: Vec<usize>,
    threads: Vec<JoinHandle<()>>,
}

/// When a change was sent and when it had been answered.
#[derive(Clone, Copy)]
pub(super) struct Change {
    sent: Instant,
    done: Instant,
}

impl Change {
    /// Makes it.
    pub(super) fn make<T>(act: impl FnOnce() -> Result<T>) -> Result<Self> {
        let sent = Instant::now();
        act()?;
        let done = Instant::now();
        Ok(Self { sent, done })
    }
}

impl Asking {
    /// Starts one who asks for all these people in turn on each of the servers, and waits until all
    /// of them are let in.
    pub(super) fn start(site: &Site, nodes: &[usize], people: &[&Person]) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let asks: Vec<(usize, usize, Ask)> = people
            .iter()
            .enumerate()
            .flat_map(|(person, somebody)| {
                let ways = somebody.asks().into_iter().enumerate();
                ways.map(move |(way, ask)| (person, way, ask))
            })
            .collect();
        let mut threads = Vec::new();
        for node in nodes.iter().copied() {
            let (shared, asks, address) = (Arc::clone(&shared), asks.clone(), site.address(node)?);
            threads.push(std::thread::spawn(move || {
                while !shared.enough.load(Ordering::Relaxed) {
                    for (person, way, ask) in &asks {
                        let asked = Instant::now();
                        // A server that was killed answers nothing, and nothing is noted of it; nor
                        // of one that is busy.
                        if let Ok(answer) = ask.send(address)
                            && answer.status != BUSY
                        {
                            let told = Told {
                                node,
                                person: *person,
                                way: *way,
                                asked,
                                answered: Instant::now(),
                                status: answer.status,
                                code: answer.code(),
                            };
                            shared.add(told);
                        }
                        std::thread::sleep(PAUSE);
                    }
                }
            }));
        }
        let asking = Self {
            shared,
            nodes: nodes.to_vec(),
            threads,
        };
        for person in 0..people.len() {
            asking.wait_for(person, &asking.nodes, |told| told.status == 200)?;
        }
        Ok(asking)
    }

    /// Waits until a person was told something often enough in every way on each of these servers.
    fn wait_for(&self, person: usize, nodes: &[usize], fits: impl Fn(&Told) -> bool) -> Result<()> {
        eventually("each has been answered", || {
            let told = self.shared.of(person);
            let enough = nodes.iter().all(|node| {
                (0..WAYS).all(|way| {
                    let those = told
                        .iter()
                        .filter(|told| told.node == *node && told.way == way && fits(told));
                    those.count() >= OFTEN
                })
            });
            Ok(enough.then_some(()))
        })
    }

    /// The person was let in before a change, and is refused by each of these servers from when it
    /// counts there: at once where it was made, and within the bound elsewhere.
    pub(super) fn expect(&self, case: &str, person: usize, change: Change) -> Result<()> {
        let bound = |node| if node == A { Duration::ZERO } else { BOUND };
        self.expect_on(case, person, change, &self.nodes, bound)
    }

    /// The same on these servers, within these bounds.
    pub(super) fn expect_on(
        &self,
        case: &str,
        person: usize,
        change: Change,
        nodes: &[usize],
        bound: impl Fn(usize) -> Duration,
    ) -> Result<()> {
        let is_late = |told: &Told| told.asked > change.done + bound(told.node);
        self.wait_for(person, nodes, is_late)?;
        for told in self.shared.of(person) {
            if !nodes.contains(&told.node) {
                continue;
            }
            let seen = (told.status, told.code.as_str());
            let after = told.asked.saturating_duration_since(change.done);
            if told.answered < change.sent {
                ensure!(seen.0 == 200, "{case}, before: {told:?}");
            } else if is_late(&told) {
                ensure!(
                    seen == (401, "session_stale"),
                    "{case}, asked {after:?} after it: {told:?}"
                );
            } else {
                ensure!([200, 401].contains(&seen.0), "{case}, meanwhile: {told:?}");
            }
        }
        Ok(())
    }
}

impl Shared {
    fn add(&self, told: Told) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(told);
    }

    fn of(&self, person: usize) -> Vec<Told> {
        let all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let of = all.iter().filter(|told| told.person == person);
        of.cloned().collect()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.shared.enough.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One that broke off told why.
            let _ended = thread.join();
        }
    }
}
