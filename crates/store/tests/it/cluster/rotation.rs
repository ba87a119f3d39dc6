//! Changing from one slot to the other while the application's queries go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::PgConnection;
use tenantry_core::Secret;
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, Placement, SignIn};
use tokio::task::JoinHandle;

use super::{Bench, run};

/// An application that signs in anew for every third query, with one set of credentials.
struct Load {
    stop: Arc<AtomicBool>,
    queries: Arc<AtomicUsize>,
    task: JoinHandle<Result<(), sqlx::Error>>,
}

impl Load {
    fn start(bench: &Bench, placement: Placement, login: Login, password: &Secret<String>) -> Self {
        let options = bench.options(placement, login, password);
        let stop = Arc::new(AtomicBool::new(false));
        let queries = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&queries));
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                let mut conn = sqlx::ConnectOptions::connect(&options).await?;
                for _ in 0..3 {
                    query(&mut conn).await?;
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                sqlx::Connection::close(conn).await?;
            }
            Ok(())
        });
        Self {
            stop,
            queries,
            task,
        }
    }

    /// Waits until it made some more queries.
    async fn goes_on(&self) {
        let before = self.queries.load(Ordering::SeqCst);
        while self.queries.load(Ordering::SeqCst) < before + 4 && !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
        assert!(!self.task.is_finished(), "a query failed");
    }

    async fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap().unwrap();
        self.queries.load(Ordering::SeqCst)
    }
}

async fn query(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    run(
        conn,
        "INSERT INTO orders VALUES (1); SELECT COUNT(*) FROM orders; SELECT id FROM users",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_fails_over_rotations_to_and_fro() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        to_and_fro(&bench, *isolation).await;
    }
}

async fn to_and_fro(bench: &Bench, isolation: Isolation) {
    let cluster = &bench.cluster;
    let placement = bench.tenant(isolation).await;
    let (mut active, mut idle) = (Login::A, Login::B);
    let password = bench.password();
    cluster
        .set_password(placement, active, &password)
        .await
        .unwrap();
    let mut conn = bench.connect(placement, active, &password).await.unwrap();
    run(&mut conn, "CREATE TABLE orders (id BIGINT)")
        .await
        .unwrap();
    drop(conn);
    let mut load = Load::start(bench, placement, active, &password);
    let mut old = password;
    for _ in 0..4 {
        load.goes_on().await;
        let fresh = bench.password();
        cluster.set_password(placement, idle, &fresh).await.unwrap();
        let ending = cluster.sign_in(placement, idle, &fresh).await.unwrap();
        assert_eq!(ending, cluster.expected(placement, idle));
        // Both at once, until the application has changed over.
        load.goes_on().await;
        let next = Load::start(bench, placement, idle, &fresh);
        next.goes_on().await;
        load.goes_on().await;
        assert!(load.end().await > 0);
        cluster.disable(placement, active).await.unwrap();
        cluster.end_sessions(placement, active).await.unwrap();
        next.goes_on().await;
        let ending = cluster.sign_in(placement, active, &old).await.unwrap();
        assert_eq!(ending, SignIn::Refused);
        (load, old) = (next, fresh);
        std::mem::swap(&mut active, &mut idle);
    }
    load.end().await;
}

#[tokio::test]
async fn ending_sessions_ends_that_roles_alone() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let a = bench.admit(placement, Login::A).await;
        let mut sessions = vec![bench.connect(placement, Login::A, &a).await.unwrap()];
        sessions.push(bench.connect(placement, Login::A, &a).await.unwrap());
        for login in [Login::B, Login::Service] {
            let password = bench.admit(placement, login).await;
            sessions.push(bench.connect(placement, login, &password).await.unwrap());
        }
        // Disabled, a role's running sessions go on.
        cluster.disable(placement, Login::A).await.unwrap();
        assert!(run(&mut sessions[0], "SELECT 1").await.is_ok());
        assert_eq!(cluster.end_sessions(placement, Login::A).await.unwrap(), 2);
        assert_eq!(cluster.end_sessions(placement, Login::A).await.unwrap(), 0);
        let mut alive = Vec::new();
        for session in &mut sessions {
            alive.push(run(session, "SELECT 1").await.is_ok());
        }
        assert_eq!(alive, [false, false, true, true]);
        // Closing ends those of both slots, and the server's own go on.
        cluster.close_home(placement).await.unwrap();
        assert!(run(&mut sessions[2], "SELECT 1").await.is_err());
        assert!(run(&mut sessions[3], "SELECT 1").await.is_ok());
    }
}

#[tokio::test]
async fn signing_in_tells_what_is_wrong() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let password = bench.password();
        let sign_in = async || {
            cluster
                .sign_in(placement, Login::A, &password)
                .await
                .unwrap()
        };
        let right = cluster.expected(placement, Login::A);
        assert_eq!(sign_in().await, SignIn::Refused, "no password yet");
        bench.admit(placement, Login::A).await;
        assert_eq!(sign_in().await, SignIn::Refused, "another password");
        cluster
            .set_password(placement, Login::A, &password)
            .await
            .unwrap();
        assert_eq!(sign_in().await, right);
        assert_ne!(sign_in().await, cluster.expected(placement, Login::B));
        cluster.close_home(placement).await.unwrap();
        assert_eq!(sign_in().await, SignIn::ShutOut);
        cluster.open_home(placement).await.unwrap();
        assert_eq!(sign_in().await, right);
        cluster.drop_home(placement).await.unwrap();
        let gone = match isolation {
            Isolation::Database => SignIn::NoDatabase,
            Isolation::Schema | Isolation::Shared => SignIn::ShutOut,
        };
        assert_eq!(sign_in().await, gone);
        cluster.drop_roles(placement).await.unwrap();
        assert_eq!(sign_in().await, SignIn::Refused);
    }
}

#[tokio::test]
async fn the_server_keeps_a_verifier_of_ours() {
    let bench = Bench::open().await;
    let placement = bench.tenant(Isolation::Database).await;
    let password = bench.password();
    bench
        .cluster
        .set_password(placement, Login::Service, &password)
        .await
        .unwrap();
    let role = placement.role(tenantry_store::cluster::RoleKind::Login(Login::Service));
    let sql = format!(
        "SELECT COUNT(*) FROM pg_authid WHERE rolname = '{}' AND rolpassword LIKE 'SCRAM-SHA-256$4096:%'",
        role.as_str()
    );
    assert_eq!(super::number(&sql).await, 1);
}
