//! What the tests of Tenantry share: real services to talk to, the program as a process, and
//! a clock and a randomness that a test can steer. Only ever a dev-dependency.

#[cfg(feature = "app")]
pub mod app;
pub mod clock;
pub mod cluster;
pub mod dns;
pub mod entropy;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod service;
pub mod services;

pub use clock::ManualClock;
pub use entropy::seeded_entropy;
