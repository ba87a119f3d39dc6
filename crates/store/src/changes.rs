//! What was changed here, told to whoever keeps something that was read before.
//!
//! Each statement that changes what requests are judged by names its topic, and the topic is told
//! when its transaction ends. So nobody who calls such a statement can forget to tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tenantry_core::marks::{Marks, Topic};
use tokio::sync::mpsc;

/// Tells changes within this process, and to whoever carries them to others.
#[derive(Clone, Default)]
pub struct Changes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    marks: Marks,
    told: AtomicU64,
    last_told: Mutex<Option<Instant>>,
    heard: AtomicU64,
    carriers: Mutex<Vec<mpsc::UnboundedSender<Topic>>>,
}

impl Changes {
    /// The marks that a change raises.
    pub fn marks(&self) -> &Marks {
        &self.0.marks
    }

    /// Tells of something that was changed here: to this process at once, to others by carriers.
    pub fn tell(&self, topic: Topic) {
        self.0.marks.raise(topic);
        self.0.told.fetch_add(1, Ordering::Relaxed);
        *whole(&self.0.last_told) = Some(Instant::now());
        whole(&self.0.carriers).retain(|carrier| carrier.send(topic).is_ok());
    }

    /// Tells this process of something that another changed.
    pub fn hear(&self, topic: Topic) {
        self.0.marks.raise(topic);
        self.0.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// What is told here from now on, to be carried to others.
    pub fn carry(&self) -> mpsc::UnboundedReceiver<Topic> {
        let (sender, receiver) = mpsc::unbounded_channel();
        whole(&self.0.carriers).push(sender);
        receiver
    }

    /// Changes told here and heard from other processes, since the start.
    pub fn counts(&self) -> (u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.0.told), of(&self.0.heard))
    }

    /// When something was last told here.
    pub fn last_told(&self) -> Option<Instant> {
        *whole(&self.0.last_told)
    }
}

/// What lies under a lock. Each change of it is one call, so that a panic elsewhere leaves it whole.
fn whole<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a transaction changed. Told when it is dropped, which is after the commit; a transaction
/// whose outcome is not known, or that changed nothing after all, costs its readers one more look.
#[derive(Default)]
pub(crate) struct Touched {
    topics: Vec<Topic>,
    changes: Option<Changes>,
}

impl Touched {
    /// Tells to `changes` when it is over.
    pub(crate) const fn to(changes: Changes) -> Self {
        Self {
            topics: Vec::new(),
            changes: Some(changes),
        }
    }

    /// Notes that something is changed.
    pub(crate) fn note(&mut self, topic: impl Into<Topic>) {
        let topic = topic.into();
        if self.changes.is_some() && !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        if let Some(changes) = &self.changes {
            self.topics.iter().for_each(|topic| changes.tell(*topic));
        }
    }
}
