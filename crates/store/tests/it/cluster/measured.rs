//! What one tenant costs in each isolation, beside a database by hand. Run with
//! `--run-ignored all --no-capture`.

use std::time::{Duration, Instant};

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, RoleKind};

use super::{Bench, next, provision, run, superuser_in};

const ROUNDS: u32 = 20;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn one_tenant_beside_the_same_by_hand() {
    let bench = Bench::open().await;
    provision(&bench.cluster, bench.placement(Isolation::Database)).await;
    let template = bench.cluster.template_name();
    let mut conn = superuser_in("postgres").await;
    let mut raw = vec![];
    for _ in 0..ROUNDS {
        let by_hand = bench.placement(Isolation::Database);
        let start = Instant::now();
        let (name, owner) = (
            bench.cluster.database_name(by_hand),
            by_hand.role(RoleKind::Owner),
        );
        let slots = Login::SLOTS.map(|slot| by_hand.role(RoleKind::Login(slot)));
        for sql in [
            format!("CREATE ROLE {owner}"),
            format!("CREATE ROLE {} IN ROLE {owner}", slots[0]),
            format!("CREATE ROLE {} IN ROLE {owner}", slots[1]),
            format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}"),
        ] {
            run(&mut conn, &sql).await.unwrap();
        }
        raw.push(start.elapsed());
        let [a, b] = slots;
        for sql in [
            format!("DROP DATABASE {name}"),
            format!("DROP ROLE {a}, {b}, {owner}"),
        ] {
            run(&mut conn, &sql).await.unwrap();
        }
    }
    eprintln!("median of {ROUNDS}: a database by hand {:?}", median(raw));
    for isolation in Isolation::ALL {
        measure(&bench, *isolation).await;
    }
}

async fn measure(bench: &Bench, isolation: Isolation) {
    provision(&bench.cluster, bench.placement(isolation)).await;
    let (mut made, mut credentials, mut carried, mut dropped) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let placement = bench.placement(isolation);
        let start = Instant::now();
        provision(&bench.cluster, placement).await;
        made.push(start.elapsed());
        let start = Instant::now();
        let password = bench.admit(placement, Login::A).await;
        let ending = bench.cluster.sign_in(placement, Login::A, &password).await;
        assert_eq!(ending.unwrap(), bench.cluster.expected(placement, Login::A));
        credentials.push(start.elapsed());
        let new = next(placement);
        let start = Instant::now();
        bench.cluster.carry_over(placement, new).await.unwrap();
        carried.push(start.elapsed());
        let start = Instant::now();
        bench.cluster.drop_home(new).await.unwrap();
        bench.cluster.drop_roles(new).await.unwrap();
        dropped.push(start.elapsed());
    }
    eprintln!(
        "median of {ROUNDS}, {isolation}: made {:?}, one password and sign-in {:?}, carried over {:?}, dropped {:?}",
        median(made),
        median(credentials),
        median(carried),
        median(dropped),
    );
}
