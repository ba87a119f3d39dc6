//! Rotations while applications work: no query fails.

use tenantry_service::credentials::Access;
use tenantry_testkit::cluster::Application;
use tenantry_testkit::service::Driver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{drain, enter, rotate, start};

/// Rotations in a row.
const ROTATIONS: usize = 20;

/// Processes of the application, each of which learns of new credentials at another time.
const PROCESSES: usize = 3;

/// Queries that a process makes on one connection.
const QUERIES: usize = 20;

/// One process of an application: some queries on a connection, then another connection, with the
/// credentials that it was last told.
struct Process {
    told: watch::Sender<Option<String>>,
    /// The URL that it is connected with.
    connected: watch::Receiver<String>,
    queries: watch::Receiver<usize>,
    task: JoinHandle<Result<(), String>>,
}

impl Process {
    fn start(access: &Access) -> Self {
        let (told, mut urls) = watch::channel(Some(access.url.expose().clone()));
        let (tell, connected) = watch::channel(String::new());
        let (count, queries) = watch::channel(0);
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| format!("{error:?}");
        let task = tokio::spawn(async move {
            loop {
                let Some(url) = urls.borrow_and_update().clone() else {
                    return Ok(());
                };
                let working = async {
                    let mut conn = Application::enter(&url).await?;
                    tell.send_replace(url);
                    for number in 0..QUERIES {
                        conn.run(&format!("INSERT INTO orders VALUES ({number})"))
                            .await?;
                        conn.text("SELECT COUNT(*)::text FROM users").await?;
                        count.send_modify(|count| *count += 2);
                    }
                    conn.leave().await?;
                    Ok(())
                };
                working.await.map_err(failed)?;
            }
        });
        Self {
            told,
            connected,
            queries,
            task,
        }
    }

    /// Waits until it made some more queries.
    async fn goes_on(&mut self) {
        let before = *self.queries.borrow();
        let there = self.queries.wait_for(|count| *count > before + QUERIES);
        assert!(there.await.is_ok(), "a query failed");
    }

    /// Tells it new credentials, and waits until it left the old ones.
    async fn change_over(&mut self, access: &Access) {
        let url = access.url.expose().clone();
        self.told.send_replace(Some(url.clone()));
        let there = self.connected.wait_for(|connected| *connected == url);
        assert!(there.await.is_ok(), "a query failed");
    }

    async fn end(self) -> usize {
        self.told.send_replace(None);
        self.task.await.unwrap().unwrap();
        *self.queries.borrow()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_fails_over_twenty_rotations() {
    let (test, tenant) = start(Driver::Postgres).await;
    let first = rotate(&test.service, tenant).await.unwrap();
    let mut conn = enter(&first).await.unwrap();
    conn.run("CREATE TABLE orders (id BIGINT)").await.unwrap();
    conn.leave().await.unwrap();
    let mut processes: Vec<Process> = (0..PROCESSES).map(|_| Process::start(&first)).collect();
    let mut old = first;
    for _ in 0..ROTATIONS {
        let new = rotate(&test.service, tenant).await.unwrap();
        for told in 0..PROCESSES {
            processes[told].change_over(&new).await;
            // The others go on with the old ones meanwhile.
            for process in &mut processes {
                process.goes_on().await;
            }
        }
        drain(&test).await;
        assert!(enter(&old).await.is_err());
        old = new;
    }
    for process in processes {
        assert!(process.end().await > ROTATIONS * QUERIES);
    }
}

/// The test above can fail: whoever is not told in time is cut off.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_told_is_cut_off() {
    let (test, tenant) = start(Driver::Postgres).await;
    let first = rotate(&test.service, tenant).await.unwrap();
    let mut conn = enter(&first).await.unwrap();
    conn.run("CREATE TABLE orders (id BIGINT)").await.unwrap();
    let process = Process::start(&first);
    rotate(&test.service, tenant).await.unwrap();
    drain(&test).await;
    assert!(process.task.await.unwrap().is_err());
}
