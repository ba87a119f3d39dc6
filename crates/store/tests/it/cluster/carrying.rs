//! A home carried over to the next generation, as a restored tenant's is.

use sqlx::Connection as _;
use tenantry_core::Generation;
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterError, Login, Placement, RoleKind, SignIn};
use tenantry_testkit::proxy::Proxy;

use super::cut::cuts;
use super::{Bench, impatient, next, refusal, run};

/// What an application has made.
const WORKS: &str = "CREATE TABLE orders (id BIGINT); INSERT INTO orders VALUES (1);
    CREATE VIEW first AS SELECT id FROM orders;
    CREATE TABLE people AS SELECT id FROM users;
    SET ROLE NONE; CREATE TABLE its_own (id BIGINT)";

async fn furnished(bench: &Bench, isolation: Isolation) -> Placement {
    let (placement, _) = bench.inhabited(isolation).await;
    let password = bench.admit(placement, Login::A).await;
    let mut conn = bench.connect(placement, Login::A, &password).await.unwrap();
    run(&mut conn, WORKS).await.unwrap();
    conn.close().await.unwrap();
    placement
}

/// That the later generation lives, with all that the earlier one had.
async fn assert_lives(bench: &Bench, new: Placement) {
    let cluster = &bench.cluster;
    cluster.open_home(new).await.unwrap();
    assert!(cluster.is_open(new).await.unwrap());
    assert!(cluster.has_roles(new).await.unwrap());
    super::stamp(bench, new).await;
    assert_eq!(bench.rows(new).await, 3);
    for login in Login::SLOTS {
        let password = bench.admit(new, login).await;
        let ending = cluster.sign_in(new, login, &password).await.unwrap();
        assert_eq!(ending, cluster.expected(new, login));
        let mut conn = bench.connect(new, login, &password).await.unwrap();
        let sql = "DO $$ BEGIN ASSERT (SELECT COUNT(*) FROM users) = 1;
                   ASSERT (SELECT COUNT(*) FROM first) = 1; END $$;
                   ALTER TABLE its_own ADD COLUMN more TEXT; ALTER TABLE its_own DROP COLUMN more;
                   CREATE TABLE another (id BIGINT); DROP TABLE another";
        run(&mut conn, sql).await.unwrap();
        conn.close().await.unwrap();
    }
    let service = bench.admit(new, Login::Service).await;
    let ending = cluster.sign_in(new, Login::Service, &service).await;
    assert_eq!(ending.unwrap(), cluster.expected(new, Login::Service));
    let mut conn = bench.connect(new, Login::Service, &service).await.unwrap();
    run(&mut conn, "UPDATE tenantry_users SET full_name = 'Anna'")
        .await
        .unwrap();
}

#[tokio::test]
async fn the_later_generation_has_everything_and_the_earlier_one_nothing() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let old = furnished(&bench, *isolation).await;
        let (a, b) = (
            bench.admit(old, Login::A).await,
            bench.admit(old, Login::B).await,
        );
        let mut live = bench.connect(old, Login::B, &b).await.unwrap();
        let new = next(old);
        assert!(!cluster.is_carried_over(old, new).await.unwrap());
        for _ in 0..2 {
            cluster.carry_over(old, new).await.unwrap();
            assert!(cluster.is_carried_over(old, new).await.unwrap());
            assert!(!cluster.is_open(new).await.unwrap());
        }
        assert!(run(&mut live, "SELECT 1").await.is_err(), "it was ended");
        // The credentials of the earlier life don't open the later one.
        for (login, password) in [(Login::A, &a), (Login::B, &b)] {
            let ending = cluster.sign_in(old, login, password).await.unwrap();
            assert!(
                matches!(ending, SignIn::NoDatabase | SignIn::ShutOut),
                "{ending:?}"
            );
            let crossed = bench.options(old, login, password);
            let crossed = crossed.database(&bench.database(new));
            let error = sqlx::ConnectOptions::connect(&crossed).await.unwrap_err();
            assert_eq!(super::code(&error), "42501");
        }
        assert_lives(&bench, new).await;
        assert!(cluster.is_carried_over(old, new).await.unwrap());
        // The next step clears up, and so does one that comes much too late.
        cluster.drop_home(old).await.unwrap();
        for _ in 0..2 {
            cluster.drop_roles(old).await.unwrap();
        }
        cluster.carry_over(old, new).await.unwrap();
        cluster.drop_roles(old).await.unwrap();
        assert_eq!(bench.rows(new).await, 3);
        assert!(cluster.is_open(new).await.unwrap());
    }
}

#[tokio::test]
async fn a_home_that_was_never_opened_is_carried_over_too() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let old = bench.placement(*isolation);
        cluster.ensure_base(*isolation).await.unwrap();
        cluster.ensure_roles(old).await.unwrap();
        cluster.create_home(old).await.unwrap();
        let new = Placement::new(old.tenant, Generation::new(7).unwrap(), *isolation);
        cluster.carry_over(old, new).await.unwrap();
        cluster.drop_roles(old).await.unwrap();
        cluster.open_home(new).await.unwrap();
        assert!(cluster.is_open(new).await.unwrap());
    }
}

#[tokio::test]
async fn only_to_a_later_generation_of_the_same_tenant() {
    let bench = Bench::open().await;
    let old = bench.tenant(Isolation::Schema).await;
    let mut other = bench.placement(Isolation::Schema);
    other.generation = old.generation.next();
    let mut elsewhere = next(old);
    elsewhere.isolation = Isolation::Database;
    for (from, to) in [(old, old), (next(old), old), (old, other), (old, elsewhere)] {
        let error = bench.cluster.carry_over(from, to).await.unwrap_err();
        assert!(matches!(error, ClusterError::Unrelated(..)), "{error:?}");
    }
    assert!(bench.cluster.is_open(old).await.unwrap());
}

#[tokio::test]
async fn who_is_in_a_database_is_named_and_nothing_is_lost() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let old = furnished(&bench, Isolation::Database).await;
    let new = next(old);
    let visitor = super::superuser_in(&bench.database(old)).await;
    let hurried = bench.bounded(&bench.url, impatient());
    match hurried.carry_over(old, new).await {
        Err(ClusterError::Occupied { by, .. }) => assert_eq!(by, "postgres"),
        other => panic!("{other:?}"),
    }
    assert!(!cluster.is_carried_over(old, new).await.unwrap());
    visitor.close().await.unwrap();
    cluster.carry_over(old, new).await.unwrap();
    assert_lives(&bench, new).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_anywhere_is_met_kindly_by_the_next_try() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.another(proxy.url());
    for isolation in Isolation::ALL {
        let statements: &[&str] = match isolation {
            Isolation::Database => &["CREATE ROLE", "CONNECTIONS false", "RENAME", "REASSIGN"],
            Isolation::Schema | Isolation::Shared => {
                &["CREATE ROLE", "REVOKE \"tenantry", "RENAME"]
            }
        };
        for (words, cut) in cuts(statements) {
            let old = furnished(&bench, *isolation).await;
            let new = next(old);
            let before = proxy.cuts();
            proxy.cut(words, cut);
            through.carry_over(old, new).await.unwrap();
            assert_eq!(proxy.cuts(), before + 1, "{words} was never sent");
            assert!(bench.cluster.is_carried_over(old, new).await.unwrap());
            bench.cluster.drop_roles(old).await.unwrap();
            assert_lives(&bench, new).await;
        }
    }
    through.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_carry_over_at_once() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let old = furnished(&bench, *isolation).await;
        let new = next(old);
        let nodes: Vec<_> = (0..4).map(|_| bench.another(&bench.url)).collect();
        let all = nodes.iter().map(|node| node.carry_over(old, new));
        for outcome in futures_util::future::join_all(all).await {
            outcome.unwrap();
        }
        assert_lives(&bench, new).await;
        for node in nodes {
            node.close().await;
        }
    }
}

#[tokio::test]
async fn applications_own_and_reach_no_more_than_before() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let old = furnished(&bench, *isolation).await;
        let new = next(old);
        bench.cluster.carry_over(old, new).await.unwrap();
        bench.cluster.open_home(new).await.unwrap();
        let password = bench.admit(new, Login::A).await;
        let mut conn = bench.connect(new, Login::A, &password).await.unwrap();
        let (app, identity) = (new.application_schema(), new.identity_schema());
        for sql in [
            format!("DROP VIEW {app}.users"),
            format!("DROP SCHEMA {app} CASCADE"),
            format!("SELECT * FROM {identity}.tenantry_users"),
            format!("SET ROLE {}", new.role(RoleKind::Owner)),
            format!("SET ROLE {}", old.role(RoleKind::Application)),
        ] {
            assert_eq!(refusal(&mut conn, &sql).await, "42501", "{sql}");
        }
    }
}
