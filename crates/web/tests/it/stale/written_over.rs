//! A tenant's file that was written over in place, behind the server's back: no other inode tells.

use std::fs;
use std::time::{Duration, Instant};

use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::TestApp;
use tenantry_testkit::service::Options;

use super::behind::{Files, SECOND, alter};
use super::changes::{Person, Stage};
use super::start;
use super::warm::Warm;

/// What is written over a tenant's file, and whether its log and shared memory go with it.
const CASES: [(&str, bool, bool); 4] = [
    ("others-file", true, false),
    ("others-file-alone", true, true),
    ("own-file", false, false),
    ("own-file-alone", false, true),
];

/// Asks until the session has ended. Half a file, for as long as somebody writes, may be told as
/// anything but a session that counts.
async fn ends(app: &TestApp, person: &Person, since: Instant, case: &str) {
    loop {
        let asked = since.elapsed();
        let cookie = Credential::Cookie(&person.cookie);
        match app.service().authenticate(cookie, None).await {
            Err(Refusal::SessionStale) => return,
            Err(other) => assert!(asked < 4 * SECOND, "{case}: {other:?}"),
            Ok(_) => assert!(asked < SECOND, "{case} counts after {asked:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_written_over_in_place_is_noticed_within_a_second() {
    let app = start(Options::sqlite()).await;
    let stage = Stage::set(&app).await;
    let other = stage.owner_of("other").await;
    let others = fs::read(Files::of(&app, &other).0).unwrap();
    for (case, foreign, alone) in CASES {
        let person = stage.owner_of(case).await;
        let warm = Warm::up(&app, &person).await;
        let path = Files::of(&app, &person).0;
        // What was committed lies in the file, so that it can be copied as it is.
        let emptied = path.with_extension("emptied");
        fs::copy(&path, &emptied).unwrap();
        assert_eq!(alter(&emptied, "DELETE FROM tenantry_users"), 1);
        let content = if foreign {
            others.clone()
        } else {
            fs::read(&emptied).unwrap()
        };
        if alone {
            for suffix in ["db-wal", "db-shm"] {
                fs::remove_file(path.with_extension(suffix)).unwrap();
            }
        }
        let since = Instant::now();
        fs::write(&path, content).unwrap();
        ends(&app, &person, since, case).await;
        // Each credential is kept for itself, and none for longer.
        tokio::time::sleep(SECOND.saturating_sub(since.elapsed())).await;
        warm.expect_stale(&app, &person, case).await;
    }
    // Nobody else's is touched.
    let cookie = Credential::Cookie(&other.cookie);
    assert!(app.service().authenticate(cookie, None).await.is_ok());
}
