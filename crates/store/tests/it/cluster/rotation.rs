//! Changing from one slot to the other while the application's queries go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::PgConnection;
use tenantry_core::Secret;
use tenantry_store::cluster::{Login, Placement, SignIn};
use tokio::task::JoinHandle;

use super::{Bench, options, run};

/// An application that signs in anew for every third query, with one set of credentials.
struct Load {
    stop: Arc<AtomicBool>,
    queries: Arc<AtomicUsize>,
    task: JoinHandle<Result<(), sqlx::Error>>,
}

impl Load {
    fn start(placement: Placement, login: Login, password: &Secret<String>) -> Self {
        let options = options(placement, login, password);
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
    let cluster = &bench.cluster;
    let placement = bench.tenant().await;
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
    let mut load = Load::start(placement, active, &password);
    let mut old = password;
    for _ in 0..4 {
        load.goes_on().await;
        let fresh = bench.password();
        cluster.set_password(placement, idle, &fresh).await.unwrap();
        let ending = cluster.sign_in(placement, idle, &fresh).await.unwrap();
        assert!(ending.is_right(placement, idle), "{ending:?}");
        // Both at once, until the application has changed over.
        load.goes_on().await;
        let next = Load::start(placement, idle, &fresh);
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
    let placement = bench.tenant().await;
    let password = bench.password();
    let mut sessions = Vec::new();
    for login in [Login::A, Login::A, Login::B, Login::Service] {
        bench
            .cluster
            .set_password(placement, login, &password)
            .await
            .unwrap();
        sessions.push(bench.connect(placement, login, &password).await.unwrap());
    }
    // Disabled, a role's running sessions go on.
    bench.cluster.disable(placement, Login::A).await.unwrap();
    assert!(run(&mut sessions[0], "SELECT 1").await.is_ok());
    assert_eq!(
        bench
            .cluster
            .end_sessions(placement, Login::A)
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        bench
            .cluster
            .end_sessions(placement, Login::A)
            .await
            .unwrap(),
        0
    );
    let mut alive = Vec::new();
    for session in &mut sessions {
        alive.push(run(session, "SELECT 1").await.is_ok());
    }
    assert_eq!(alive, [false, false, true, true]);
}

#[tokio::test]
async fn signing_in_tells_what_is_wrong() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.tenant().await;
    let password = bench.password();
    let sign_in = async |placement| {
        cluster
            .sign_in(placement, Login::A, &password)
            .await
            .unwrap()
    };
    assert_eq!(sign_in(placement).await, SignIn::Refused, "no password yet");
    cluster
        .set_password(placement, Login::A, &bench.password())
        .await
        .unwrap();
    assert_eq!(
        sign_in(placement).await,
        SignIn::Refused,
        "another password"
    );
    cluster
        .set_password(placement, Login::A, &password)
        .await
        .unwrap();
    assert!(sign_in(placement).await.is_right(placement, Login::A));
    assert!(!sign_in(placement).await.is_right(placement, Login::B));
    cluster.close_database(placement).await.unwrap();
    assert_eq!(sign_in(placement).await, SignIn::ShutOut);
    cluster.open_database(placement).await.unwrap();
    assert!(sign_in(placement).await.is_right(placement, Login::A));
    cluster.drop_database(placement).await.unwrap();
    assert_eq!(sign_in(placement).await, SignIn::NoDatabase);
    cluster.drop_roles(placement).await.unwrap();
    assert_eq!(sign_in(placement).await, SignIn::Refused);
}

#[tokio::test]
async fn the_server_keeps_a_verifier_of_ours() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
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
