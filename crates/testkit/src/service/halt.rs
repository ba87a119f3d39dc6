//! Stopping a workflow at a chosen place, as a process that is killed there would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenantry_core::workflow::LogEvent;
use tenantry_saga::{Fault, Faults, Moment};
use tokio::sync::Notify;

/// One entry of a run's log: where a run can be cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workflow.
    pub kind: String,
    /// The step.
    pub step: String,
    /// What the log says.
    pub event: LogEvent,
}

/// Tells when a run has come to its place.
#[derive(Clone, Default)]
pub struct Reached {
    there: Arc<Notify>,
    stopped: Arc<AtomicBool>,
}

impl Reached {
    /// Waits until a run stands still at the place.
    pub async fn wait(&self) {
        self.there.notified().await;
    }

    /// Whether a run stands still there.
    pub fn is_reached(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

impl Place {
    /// Faults that stop a run right after this entry was written, beside the faults `others` makes.
    pub fn halt(
        self,
        others: impl Fn(&str, &str, Moment) -> Option<Fault> + Send + Sync + 'static,
    ) -> (Faults, Reached) {
        let reached = Reached::default();
        let tell = reached.clone();
        let faults = Faults::new(move |kind, step, moment| {
            let here = (kind, step, moment)
                == (
                    self.kind.as_str(),
                    self.step.as_str(),
                    Moment::Logged(self.event),
                );
            if here {
                tell.stopped.store(true, Ordering::SeqCst);
                tell.there.notify_one();
                return Some(Fault::Halt);
            }
            others(kind, step, moment)
        });
        (faults, reached)
    }
}
