//! Faults that tests inject between what happens and what is recorded.

use std::fmt;
use std::sync::Arc;

use tenantry_core::workflow::LogEvent;

/// A moment in a run at which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before a step's effect.
    BeforeForward,
    /// After a step's effect, before it is recorded.
    AfterForward,
    /// Before a step is undone.
    BeforeUndo,
    /// After an entry was written to the log.
    Logged(LogEvent),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step fails for now.
    Retry,
    /// The step fails for good.
    Fatal,
    /// The run stops here for ever, as if the process had lost the power to go on.
    Halt,
}

type Hook = dyn Fn(&str, &str, Moment) -> Option<Fault> + Send + Sync;

/// Which faults happen. In service none do.
#[derive(Clone, Default)]
pub struct Faults {
    hook: Option<Arc<Hook>>,
    /// Whether each step, forward and back, is done twice in a row.
    pub twice: bool,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// Faults by workflow kind, step and moment.
    pub fn new(hook: impl Fn(&str, &str, Moment) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self {
            hook: Some(Arc::new(hook)),
            twice: false,
        }
    }

    /// Every step done twice.
    pub fn every_step_twice() -> Self {
        Self {
            hook: None,
            twice: true,
        }
    }

    /// What goes wrong at this moment of this step of this kind of work, if anything does.
    pub fn at(&self, kind: &str, step: &str, moment: Moment) -> Option<Fault> {
        self.hook.as_ref().and_then(|hook| hook(kind, step, moment))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}
