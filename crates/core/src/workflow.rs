//! Durable workflows: their states and what their log says.

use crate::text_enum::text_enum;

text_enum! {
    /// Where a run is.
    pub enum WorkflowState {
        /// Going forward.
        Running = "running",
        /// Every step is done.
        Succeeded = "succeeded",
        /// Going back.
        Undoing = "undoing",
        /// Every step is undone.
        Undone = "undone",
        /// Neither forward nor back; an operator must look.
        Stuck = "stuck",
    }
}

text_enum! {
    /// What a log entry says about a step.
    pub enum LogEvent {
        /// Its effect may have happened.
        Started = "started",
        /// Its effect has happened.
        Succeeded = "succeeded",
        /// It did not work this time.
        Failed = "failed",
        /// Its effect may have been undone.
        UndoStarted = "undo_started",
        /// Its effect is undone.
        UndoFinished = "undo_finished",
        /// It works neither way.
        Stuck = "stuck",
    }
}

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Place in the log, from 1.
    pub seq: i64,
    /// The step's name.
    pub step: String,
    /// What happened.
    pub event: LogEvent,
    /// When.
    pub at: crate::Timestamp,
    /// The error's code or sentence, never a secret.
    pub detail: Option<String>,
}
