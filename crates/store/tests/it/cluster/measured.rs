//! What one tenant costs, beside the same by hand. Run with `--run-ignored all --no-capture`.

use std::time::{Duration, Instant};

use tenantry_store::cluster::{Login, RoleKind};

use super::{Bench, provision, run, superuser_in};

const ROUNDS: u32 = 20;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn one_tenant_beside_the_same_by_hand() {
    let bench = Bench::open().await;
    provision(&bench.cluster, bench.placement()).await;
    let template = bench.cluster.template_name();
    let mut conn = superuser_in("postgres").await;
    let (mut ours, mut raw, mut credentials, mut dropped) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let by_hand = bench.placement();
        let start = Instant::now();
        let (name, owner) = (by_hand.database(), by_hand.role(RoleKind::Owner));
        for sql in [
            format!("CREATE ROLE {owner}"),
            format!(
                "CREATE ROLE {} IN ROLE {owner}",
                by_hand.role(RoleKind::Login(Login::A))
            ),
            format!(
                "CREATE ROLE {} IN ROLE {owner}",
                by_hand.role(RoleKind::Login(Login::B))
            ),
            format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}"),
        ] {
            run(&mut conn, &sql).await.unwrap();
        }
        raw.push(start.elapsed());
        let stem = by_hand.database();
        run(&mut conn, &format!("DROP DATABASE {stem}"))
            .await
            .unwrap();
        for kind in [
            RoleKind::Login(Login::A),
            RoleKind::Login(Login::B),
            RoleKind::Owner,
        ] {
            run(&mut conn, &format!("DROP ROLE {}", by_hand.role(kind)))
                .await
                .unwrap();
        }

        let placement = bench.placement();
        let start = Instant::now();
        provision(&bench.cluster, placement).await;
        ours.push(start.elapsed());
        let password = bench.password();
        let start = Instant::now();
        bench
            .cluster
            .set_password(placement, Login::A, &password)
            .await
            .unwrap();
        let ending = bench.cluster.sign_in(placement, Login::A, &password).await;
        assert!(ending.unwrap().is_right(placement, Login::A));
        credentials.push(start.elapsed());
        let start = Instant::now();
        bench.cluster.drop_database(placement).await.unwrap();
        bench.cluster.drop_roles(placement).await.unwrap();
        dropped.push(start.elapsed());
    }
    eprintln!(
        "median of {ROUNDS}: by hand {:?}, ours {:?}, one password and sign-in {:?}, dropping {:?}",
        median(raw),
        median(ours),
        median(credentials),
        median(dropped),
    );
}
