//! The real services that tests talk to: PostgreSQL, Redis, an SMTP server, a browser.
//!
//! PostgreSQL is started once for a run by `cargo xtask test` or `cargo xtask services`, and found
//! through the environment; the others are cheap and private, so each test starts its own and they
//! end when dropped. Nothing here is ever skipped: a missing service fails the test.

mod browser;
mod dialogue;
mod postgres;
mod private;
mod profile;
mod redis;
mod smtp;

pub use browser::{Browser, BrowserOptions};
pub use fantoccini::cookies::Cookie;
pub use fantoccini::{Client, Locator};
pub use postgres::{FreshDatabase, fresh_database, fresh_database_at, postgres};
pub use private::{Ending, PrivatePostgres};
pub use redis::RedisServer;
pub use smtp::{DeliveredMail, SmtpServer};

/// What a variable of the test environment says, if it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner tells where its services are through the environment"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
