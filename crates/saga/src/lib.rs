//! The durable workflow engine: log, lease, forward, undo, resume.
//!
//! A workflow is a list of steps over more than one database. What is to be done is recorded
//! before anything is done; each step can be repeated, undone, and asked whether it happened; so a
//! run that stops anywhere, also with its process, is taken up again by whoever comes next. This
//! crate knows no step and no tenant: the use cases bring them as a [`Definition`].

mod definition;
mod engine;
mod faults;

pub use definition::{Definition, StepError};
pub use engine::{Engine, Outcome, Pace, SagaError};
pub use faults::{Fault, Faults, Moment};
