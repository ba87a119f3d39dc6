//! The connection breaks around a statement: whether it happened or not, the step ends well.

use std::time::Duration;

use tenantry_store::cluster::{ClusterBounds, Login, Trouble};
use tenantry_testkit::proxy::{Cut, Proxy};

use super::{Bench, impatient, provision};

const CUTS: [Cut; 4] = [Cut::Before, Cut::After, Cut::InAnswer(0), Cut::InAnswer(3)];

/// A statement of each step.
const FORWARD: [&str; 8] = [
    "CREATE ROLE \"tenantry_objects",
    "TEMPLATE template0",
    "WITH ALLOW_CONNECTIONS false IS_TEMPLATE true",
    "CREATE ROLE \"t_",
    "CREATE DATABASE \"t_",
    "ALTER DATABASE \"t_",
    "REASSIGN OWNED",
    "PASSWORD 'SCRAM",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_anywhere_on_the_way_changes_nothing_about_the_end() {
    for cut in CUTS {
        for words in FORWARD {
            let bench = Bench::open().await;
            let proxy = Proxy::before(&bench.url).await.unwrap();
            let through = bench.another(proxy.url());
            let placement = bench.placement();
            proxy.cut(words, cut);
            provision(&through, placement).await;
            let password = bench.password();
            through
                .set_password(placement, Login::A, &password)
                .await
                .unwrap();
            assert_eq!(proxy.cuts(), 1, "{words} was never sent");
            assert!(
                bench.cluster.is_open(placement).await.unwrap(),
                "{cut:?} {words}"
            );
            assert!(
                bench.cluster.has_roles(placement).await.unwrap(),
                "{cut:?} {words}"
            );
            assert!(
                bench.cluster.has_template().await.unwrap(),
                "{cut:?} {words}"
            );
            let ending = bench
                .cluster
                .sign_in(placement, Login::A, &password)
                .await
                .unwrap();
            assert!(ending.is_right(placement, Login::A), "{cut:?} {words}");
            through.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_anywhere_on_the_way_back_leaves_nothing() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.another(proxy.url());
    for cut in CUTS {
        for words in [
            "REVOKE CONNECT",
            "OWNER TO CURRENT_USER",
            "DROP DATABASE",
            "NOLOGIN PASSWORD NULL",
            "pg_terminate_backend",
            "DROP ROLE",
        ] {
            let placement = bench.tenant().await;
            let password = bench.password();
            bench
                .cluster
                .set_password(placement, Login::A, &password)
                .await
                .unwrap();
            let _session = bench.connect(placement, Login::A, &password).await.unwrap();
            let before = proxy.cuts();
            proxy.cut(words, cut);
            through.close_database(placement).await.unwrap();
            through.drop_database(placement).await.unwrap();
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
    through.ensure_template().await.unwrap();
    for words in ["CREATE ROLE \"t_", "CREATE DATABASE \"t_", "REASSIGN OWNED"] {
        let placement = bench.placement();
        let before = proxy.cuts();
        proxy.cut(words, Cut::Hang);
        provision(&through, placement).await;
        assert_eq!(proxy.cuts(), before + 1, "{words} was never sent");
        assert!(bench.cluster.is_open(placement).await.unwrap(), "{words}");
    }
    through.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_passing_trouble() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.bounded(proxy.url(), impatient());
    let placement = bench.placement();
    assert!(!through.has_roles(placement).await.unwrap());
    // Idle connections that broke are noticed by the next step and cost no error.
    proxy.reset();
    through.ensure_roles(placement).await.unwrap();
    drop(proxy);
    let error = through.ensure_template().await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert!(matches!(
        error.trouble(),
        Trouble::Lost | Trouble::Transient
    ));
    bench.cluster.drop_roles(placement).await.unwrap();
}
