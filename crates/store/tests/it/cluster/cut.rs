//! The connection breaks around a statement: whether it happened or not, the step ends well.

use std::time::Duration;

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterBounds, Login, Trouble};
use tenantry_testkit::proxy::{Cut, Proxy};

use super::{Bench, impatient, provision};

/// How a statement is cut that happened, without its answer or with a part of it.
const HAPPENED: [Cut; 3] = [Cut::After, Cut::InAnswer(0), Cut::InAnswer(3)];

/// Two cuts for each of these statements: one before it happened, and one after, each in another
/// way, so that every way meets every kind of statement.
pub(super) fn cuts<'a>(statements: &'a [&'a str]) -> impl Iterator<Item = (&'a str, Cut)> {
    let both = |(at, words): (usize, &&'a str)| {
        [Cut::Before, HAPPENED[at % HAPPENED.len()]].map(|cut| (*words, cut))
    };
    statements.iter().enumerate().flat_map(both)
}

/// A statement of each step.
const fn forward(isolation: Isolation) -> &'static [&'static str] {
    match isolation {
        Isolation::Database => &[
            "CREATE ROLE \"tenantry_objects",
            "TEMPLATE template0",
            "WITH ALLOW_CONNECTIONS false IS_TEMPLATE true",
            "CREATE ROLE \"t_",
            "CREATE DATABASE \"t_",
            "ALTER DATABASE \"t_",
            "REASSIGN OWNED",
            "PASSWORD 'SCRAM",
        ],
        Isolation::Schema => &[
            "CREATE ROLE \"tenantry_schemas",
            "TEMPLATE template0",
            "ALLOW_CONNECTIONS true",
            "REVOKE ALL ON SCHEMA public",
            "CREATE ROLE \"t_",
            "CREATE SCHEMA IF NOT EXISTS \"t_",
            "CREATE TABLE tenantry_stamp",
            "RESET ROLE",
            "OR REPLACE VIEW",
            "PASSWORD 'SCRAM",
        ],
        Isolation::Shared => &[
            "CREATE ROLE \"tenantry_viewer",
            "TEMPLATE template0",
            "ALLOW_CONNECTIONS true",
            "CREATE TABLE tenantry_stamp",
            "FORCE ROW LEVEL",
            "CREATE ROLE \"t_",
            "CREATE SCHEMA IF NOT EXISTS \"t_",
            "OR REPLACE VIEW",
            "PASSWORD 'SCRAM",
        ],
    }
}

async fn cut_on_the_way(isolation: Isolation) {
    for (words, cut) in cuts(forward(isolation)) {
        let bench = Bench::open().await;
        let proxy = Proxy::before(&bench.url).await.unwrap();
        let through = bench.another(proxy.url());
        let placement = bench.placement(isolation);
        proxy.cut(words, cut);
        provision(&through, placement).await;
        let password = bench.password();
        through
            .set_password(placement, Login::A, &password)
            .await
            .unwrap();
        assert_eq!(proxy.cuts(), 1, "{words} was never sent");
        let cluster = &bench.cluster;
        assert!(cluster.is_open(placement).await.unwrap(), "{cut:?} {words}");
        assert!(
            cluster.has_roles(placement).await.unwrap(),
            "{cut:?} {words}"
        );
        assert!(
            cluster.has_base(isolation).await.unwrap(),
            "{cut:?} {words}"
        );
        let ending = cluster.sign_in(placement, Login::A, &password).await;
        let expected = cluster.expected(placement, Login::A);
        assert_eq!(ending.unwrap(), expected, "{cut:?} {words}");
        through.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_to_a_database_changes_nothing_about_the_end() {
    cut_on_the_way(Isolation::Database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_to_schemas_changes_nothing_about_the_end() {
    cut_on_the_way(Isolation::Schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_to_shared_tables_changes_nothing_about_the_end() {
    cut_on_the_way(Isolation::Shared).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_anywhere_on_the_way_back_leaves_nothing() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.another(proxy.url());
    for isolation in Isolation::ALL {
        let statements: &[&str] = match isolation {
            Isolation::Database => &["REVOKE CONNECT", "OWNER TO CURRENT_USER", "DROP DATABASE"],
            Isolation::Schema => &["REVOKE \"tenantry_schemas", "DROP SCHEMA"],
            Isolation::Shared => &["REVOKE \"tenantry_shared", "DELETE FROM", "DROP SCHEMA"],
        };
        let common = ["NOLOGIN PASSWORD NULL", "pg_terminate_backend", "DROP ROLE"];
        let all = [statements, &common].concat();
        for (words, cut) in cuts(&all) {
            let (placement, _) = bench.inhabited(*isolation).await;
            let password = bench.admit(placement, Login::A).await;
            let _session = bench.connect(placement, Login::A, &password).await.unwrap();
            let before = proxy.cuts();
            proxy.cut(words, cut);
            through.close_home(placement).await.unwrap();
            through.drop_home(placement).await.unwrap();
            through.drop_roles(placement).await.unwrap();
            assert_eq!(proxy.cuts(), before + 1, "{words} was never sent");
            assert_eq!(bench.left_over(placement).await, 0, "{cut:?} {words}");
        }
    }
    through.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_comes_is_not_waited_for_forever() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let bounds = ClusterBounds {
        statement: Duration::from_secs(2),
        ..ClusterBounds::default()
    };
    let through = bench.bounded(proxy.url(), bounds);
    for isolation in Isolation::ALL {
        through.ensure_base(*isolation).await.unwrap();
        let statements: &[&str] = match isolation {
            Isolation::Database => &["CREATE ROLE \"t_", "CREATE DATABASE \"t_", "REASSIGN OWNED"],
            Isolation::Schema => &["CREATE TABLE tenantry_stamp", "OR REPLACE VIEW"],
            Isolation::Shared => &["OR REPLACE VIEW"],
        };
        for words in statements {
            let placement = bench.placement(*isolation);
            let before = proxy.cuts();
            proxy.cut(words, Cut::Hang);
            provision(&through, placement).await;
            assert_eq!(proxy.cuts(), before + 1, "{words} was never sent");
            assert!(bench.cluster.is_open(placement).await.unwrap(), "{words}");
        }
    }
    through.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_passing_trouble() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.bounded(proxy.url(), impatient());
    let placement = bench.placement(Isolation::Database);
    assert!(!through.has_roles(placement).await.unwrap());
    // Idle connections that broke are noticed by the next step and cost no error.
    proxy.reset();
    through.ensure_roles(placement).await.unwrap();
    drop(proxy);
    let error = through.ensure_base(Isolation::Database).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert!(matches!(
        error.trouble(),
        Trouble::Lost | Trouble::Transient
    ));
    bench.cluster.drop_roles(placement).await.unwrap();
}
