//! The engine over a real control database, driving a workflow of toy steps.

mod bench;
mod forward;
mod racing;
mod resume;
mod retry;
mod stuck;
mod unknown;
