//! The same test over every database that it has to hold for.

/// Makes two tests of each function: over SQLite, and over PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::service::Driver::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::service::Driver::Postgres).await;
            }
        }
    )+};
}

/// Makes four tests of each function: with sessions in the control database of either kind, in Redis
/// and in files.
#[macro_export]
macro_rules! on_each_session_driver {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use tenantry_core::session::SessionDriver;
            use $crate::service::Options;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Options::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(Options::postgres()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                super::$name(Options::sqlite().with_sessions(SessionDriver::Redis)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn files() {
                super::$name(Options::sqlite().with_sessions(SessionDriver::File)).await;
            }
        }
    )+};
}

/// Makes four tests of each function: over tenants in files, and over tenants on a server in each
/// way of keeping them apart. Registries of both kinds are among them.
#[macro_export]
macro_rules! on_each_isolation {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use $crate::service::{Isolation, Options, Tenants};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn files() {
                super::$name(Options::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn databases() {
                let there = Tenants::Cluster(Isolation::Database);
                super::$name(Options::postgres().with_tenants(there)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn schemas() {
                let there = Tenants::Cluster(Isolation::Schema);
                super::$name(Options::sqlite().with_tenants(there)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn shared_tables() {
                let there = Tenants::Cluster(Isolation::Shared);
                super::$name(Options::postgres().with_tenants(there)).await;
            }
        }
    )+};
}
