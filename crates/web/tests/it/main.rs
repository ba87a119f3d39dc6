//! HTTP as clients see it: the contract line by line, over real sockets and real databases.
//!
//! Modules follow the URLs. `census` is made from the routes themselves, so that a route that is
//! added is covered without a line here. Every answer of every test passes the checks of what all
//! answers have in common (`tenantry_testkit::app::Answer`).

/// Runs a test with the registry in a file, and again with the registry in PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use tenantry_testkit::app::{AppOptions, TestApp};
            use tenantry_testkit::service::Options;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn with_sqlite() {
                super::$name(TestApp::start().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn with_postgres() {
                let options = Options::postgres().without_rate_limits();
                super::$name(AppOptions::over(options).start().await).await;
            }
        }
    )+};
}

mod api;
mod census;
mod every_answer;
mod faults;
mod infrastructure;
mod input;
mod shape;
mod site;
mod stale;
mod storm;
mod tenant;
