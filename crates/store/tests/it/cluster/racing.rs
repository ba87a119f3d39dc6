//! Several nodes doing the same at once.

use futures_util::future::join_all;
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::Login;

use super::steps::whole;
use super::{Bench, provision};

#[tokio::test(flavor = "multi_thread")]
async fn eight_nodes_make_one_tenant() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        for _ in 0..3 {
            let placement = bench.placement(*isolation);
            let nodes: Vec<_> = (0..8).map(|_| bench.another(&bench.url)).collect();
            join_all(nodes.iter().map(|node| provision(node, placement))).await;
            assert!(bench.cluster.is_open(placement).await.unwrap());
            assert!(bench.cluster.has_roles(placement).await.unwrap());
            assert_eq!(bench.left_over(placement).await, whole(*isolation));

            let undone = nodes.iter().map(async |node| {
                node.drop_home(placement).await?;
                node.drop_roles(placement).await
            });
            for outcome in join_all(undone).await {
                outcome.unwrap();
            }
            assert_eq!(bench.left_over(placement).await, 0);
            for node in nodes {
                node.close().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_makes_eight_tenants_of_each_kind() {
    let bench = Bench::open().await;
    let placements: Vec<_> = (0..8)
        .flat_map(|_| Isolation::ALL)
        .map(|isolation| bench.placement(*isolation))
        .collect();
    join_all(
        placements
            .iter()
            .map(|placement| provision(&bench.cluster, *placement)),
    )
    .await;
    let listing = bench.cluster.list().await.unwrap();
    assert_eq!(listing.databases.len(), 8);
    assert_eq!(listing.schemas.len(), 8 * 2 + 8);
    assert_eq!(listing.roles.len(), 8 * (5 + 5 + 4));
    let all = [&listing.databases, &listing.schemas, &listing.roles];
    assert!(all.into_iter().flatten().all(|listed| listed.named_right));
    let drops = placements
        .iter()
        .map(|placement| bench.cluster.drop_home(*placement));
    for outcome in join_all(drops).await {
        outcome.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_waits_while_somebody_is_in_the_template() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement(Isolation::Database);
    cluster.ensure_base(Isolation::Database).await.unwrap();
    cluster.ensure_roles(placement).await.unwrap();
    let name = cluster.template_name();
    super::superuser(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    let visitor = super::superuser_in(name.as_str()).await;
    let leave = async {
        // Until the server has reported once that the template is in use, which takes it 5 s.
        let waiting = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = '{}' AND state = 'active'
                AND query_start < clock_timestamp() - INTERVAL '1 second'",
            bench.admin
        );
        while super::number(&waiting).await == 0 {
            tokio::task::yield_now().await;
        }
        while super::number(&waiting).await != 0 {
            tokio::task::yield_now().await;
        }
        sqlx::Connection::close(visitor).await.unwrap();
    };
    let (created, ()) = tokio::join!(cluster.create_home(placement), leave);
    created.unwrap();
    assert!(cluster.has_home(placement).await.unwrap());
    assert!(
        !cluster.has_base(Isolation::Database).await.unwrap(),
        "it accepts connections"
    );
    cluster.ensure_base(Isolation::Database).await.unwrap();
    assert!(cluster.has_base(Isolation::Database).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_set_one_password_and_the_last_one_counts() {
    let bench = Bench::open().await;
    let placement = bench.tenant(Isolation::Database).await;
    let (one, two) = (bench.password(), bench.password());
    let other = bench.another(&bench.url);
    for _ in 0..5 {
        let (first, second) = tokio::join!(
            bench.cluster.set_password(placement, Login::A, &one),
            other.set_password(placement, Login::A, &two),
        );
        first.unwrap();
        second.unwrap();
        let mut right = 0;
        for password in [&one, &two] {
            let ending = bench.cluster.sign_in(placement, Login::A, password).await;
            right += usize::from(ending.unwrap() == bench.cluster.expected(placement, Login::A));
        }
        assert_eq!(right, 1);
    }
    other.close().await;
}
