//! Keeping a tenant's applications out, and letting them in again.

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, Placement, RoleKind, SignIn};
use tenantry_testkit::proxy::Proxy;

use super::{Bench, run};
use tenantry_testkit::proxy::Cut;

/// Of each slot whether it may sign in, and whether it was closed on purpose.
async fn slots(bench: &Bench, placement: Placement) -> Vec<(bool, bool)> {
    let roles = bench.cluster.roles(placement).await.unwrap();
    Login::SLOTS
        .into_iter()
        .filter_map(|login| {
            let kind = RoleKind::Login(login);
            roles.iter().find(|role| role.kind == kind)
        })
        .map(|role| (role.enabled, role.closed))
        .collect()
}

#[tokio::test]
async fn closed_slots_open_with_the_same_passwords() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let (placement, other) = (
            bench.tenant(*isolation).await,
            bench.tenant(*isolation).await,
        );
        let service = bench.admit(placement, Login::Service).await;
        let theirs = bench.admit(other, Login::A).await;
        let mut passwords = Vec::new();
        let mut sessions = Vec::new();
        for login in Login::SLOTS {
            let password = bench.admit(placement, login).await;
            let session = bench.connect(placement, login, &password).await;
            sessions.push(session.unwrap());
            passwords.push((login, password));
        }
        let mut own = bench
            .connect(placement, Login::Service, &service)
            .await
            .unwrap();
        let mut neighbour = bench.connect(other, Login::A, &theirs).await.unwrap();
        assert_eq!(slots(&bench, placement).await, [(true, false); 2]);

        assert_eq!(cluster.close_slots(placement).await.unwrap(), 2);
        assert_eq!(cluster.close_slots(placement).await.unwrap(), 0);
        assert_eq!(slots(&bench, placement).await, [(false, true); 2]);
        for session in &mut sessions {
            assert!(run(session, "SELECT 1").await.is_err());
        }
        // Nobody else notices.
        for session in [&mut own, &mut neighbour] {
            assert!(run(session, "SELECT 1").await.is_ok());
        }
        for (login, password) in &passwords {
            let ending = cluster.sign_in(placement, *login, password).await.unwrap();
            assert_eq!(ending, SignIn::Refused);
        }

        // Roles that are put right meanwhile stay closed.
        cluster.ensure_roles(placement).await.unwrap();
        assert_eq!(slots(&bench, placement).await, [(false, true); 2]);
        for (login, password) in &passwords {
            cluster
                .set_password(placement, *login, password)
                .await
                .unwrap();
            let ending = cluster.sign_in(placement, *login, password).await.unwrap();
            assert_eq!(ending, cluster.expected(placement, *login));
        }
        assert_eq!(slots(&bench, placement).await, [(true, false); 2]);
        // One that has ended was not closed.
        cluster.disable(placement, Login::B).await.unwrap();
        let ended = [(true, false), (false, false)];
        assert_eq!(slots(&bench, placement).await, ended);
        assert!(cluster.has_roles(placement).await.unwrap());
    }
}

#[tokio::test]
async fn there_may_be_nothing_to_close() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let placement = bench.placement(*isolation);
        assert_eq!(bench.cluster.close_slots(placement).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_leaves_nobody_in() {
    let bench = Bench::open().await;
    let proxy = Proxy::before(&bench.url).await.unwrap();
    let through = bench.another(proxy.url());
    let placement = bench.tenant(Isolation::Database).await;
    for words in ["NOLOGIN PASSWORD NULL VALID UNTIL", "pg_terminate_backend"] {
        for cut in [Cut::Before, Cut::InAnswer(0)] {
            let password = bench.admit(placement, Login::A).await;
            let mut session = bench.connect(placement, Login::A, &password).await.unwrap();
            let before = proxy.cuts();
            proxy.cut(words, cut);
            through.close_slots(placement).await.unwrap();
            assert_eq!(proxy.cuts(), before + 1, "{words} was never sent");
            assert!(
                run(&mut session, "SELECT 1").await.is_err(),
                "{cut:?} {words}"
            );
            assert_eq!(slots(&bench, placement).await, [(false, true); 2]);
        }
    }
    through.close().await;
}
