//! A tenant's database that was replaced behind the server's back: nobody tells, and a second later
//! nothing of before counts all the same.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenantry_core::Generation;
use tenantry_service::sessions::Credential;
use tenantry_service::{Refusal, facts};
use tenantry_testkit::app::TestApp;
use tenantry_testkit::cluster::{superuser, texts};
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Isolation, Options, Tenants};

use super::changes::{Person, Stage};
use super::start;
use super::warm::Warm;

/// What is promised; whoever takes long to answer has the rest.
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Asks until it is refused. What counts is when was asked, not how long the answer took. By the end
/// no credential counts any more: each is kept for itself, and none for longer than a second.
async fn refused(app: &TestApp, person: &Person, since: Instant, case: &str) -> Refusal {
    assert!(facts::BOUND < SECOND);
    let refusal = loop {
        let asked = since.elapsed();
        let cookie = Credential::Cookie(&person.cookie);
        match app.service().authenticate(cookie, None).await {
            // Somebody else is just closing what was replaced.
            Err(Refusal::Busy(_)) => assert!(asked < 4 * SECOND, "{case} is busy for ever"),
            Err(refusal) => break refusal,
            Ok(_) => assert!(asked < SECOND, "{case} counts after {asked:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    tokio::time::sleep(SECOND.saturating_sub(since.elapsed())).await;
    refusal
}

/// Asked on a page, on the API and for a proxy, a credential of a tenant whose database is not there
/// opens nothing. It may come back, so nobody is told to sign in again.
async fn opens_nothing(app: &TestApp, person: &Person, case: &str) {
    for call in [
        app.get("/dashboard").cookie(&person.cookie),
        app.get("/api/v1/auth/me").bearer(&person.access),
        app.get("/auth/verify").cookie(&person.cookie),
        app.get("/auth/verify").bearer(&person.access),
    ] {
        let answer = call.host(&person.host).send().await;
        assert_eq!(answer.status, 503, "{case}: {}", answer.text());
        assert!(answer.header("x-user-id").is_none(), "{case}");
    }
}

/// The files of a tenant.
pub(super) struct Files(pub(super) PathBuf);

impl Files {
    pub(super) fn of(app: &TestApp, person: &Person) -> Self {
        let tenant = person.tenant.id.parse().unwrap();
        Self(app.inner().tenant_file(tenant, Generation::FIRST))
    }

    /// A whole copy, without a log beside it.
    async fn copy(&self, app: &TestApp, person: &Person) -> PathBuf {
        let copy = self.0.with_extension("copy");
        let view = app.service().find_tenant(&person.tenant.slug).await;
        let sql = format!("VACUUM INTO '{}'", copy.display());
        app.inner()
            .damage_tenant(&view.unwrap(), &sql)
            .await
            .unwrap();
        copy
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            // Logs are there while the file is open.
            let _gone = std::fs::remove_file(name);
        }
    }

    /// Puts another file in its place.
    fn replace(&self, with: &Path) {
        self.remove();
        std::fs::rename(with, &self.0).unwrap();
    }
}

async fn a_replaced_file_is_noticed_within_a_second(options: Options) {
    let app = start(options).await;
    let stage = Stage::set(&app).await;
    let mut people = Vec::new();
    for case in ["another-stamp", "same-stamp", "no-file"] {
        let person = stage.owner_of(case).await;
        let warm = Warm::up(&app, &person).await;
        people.push((case, person, warm));
    }
    let other = stage.owner_of("other").await;
    let others = Files::of(&app, &other).copy(&app, &other).await;
    let own = Files::of(&app, &people[1].1).copy(&app, &people[1].1).await;
    let emptied = "DELETE FROM tenantry_users";
    assert_eq!(alter(&own, emptied), 1);
    let files: Vec<Files> = people
        .iter()
        .map(|(_, it, _)| Files::of(&app, it))
        .collect();

    let since = Instant::now();
    files[0].replace(&others);
    files[1].replace(&own);
    files[2].remove();
    for (case, person, warm) in &people {
        let refusal = refused(&app, person, since, case).await;
        if *case == "no-file" {
            assert!(matches!(refusal, Refusal::TenantUnavailable), "{refusal:?}");
            opens_nothing(&app, person, case).await;
        } else {
            assert!(matches!(refusal, Refusal::SessionStale), "{refusal:?}");
            warm.expect_stale(&app, person, case).await;
        }
    }
    // Nobody else's is touched.
    let cookie = Credential::Cookie(&other.cookie);
    assert!(app.service().authenticate(cookie, None).await.is_ok());
}

pub(super) fn alter(file: &Path, sql: &str) -> u64 {
    tenantry_testkit::process::alter_sqlite(file, sql).unwrap()
}

async fn a_database_made_anew_by_hand_is_noticed_within_a_second(options: Options) {
    let there = Tenants::Cluster(Isolation::Database);
    let app = start(options.with_tenants(there)).await;
    let stage = Stage::set(&app).await;
    let person = stage.owner_of("anew").await;
    let warm = Warm::up(&app, &person).await;
    let admin = app.admin().await.access;
    let shown = app.get("/api/v1/tenants/anew").bearer(&admin);
    let shown = shown.send().await.ok(200);
    let name = shown["database"]["name"].as_str().unwrap();
    let owner = format!("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{name}'");
    let owner = texts(&owner).await.unwrap().remove(0);
    let drop = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
    superuser(&drop).await.unwrap();
    superuser(&format!("CREATE DATABASE \"{name}\" OWNER \"{owner}\""))
        .await
        .unwrap();
    let since = Instant::now();
    let refusal = refused(&app, &person, since, "made anew").await;
    assert!(matches!(refusal, Refusal::SessionStale), "{refusal:?}");
    warm.expect_stale(&app, &person, "made anew").await;
    app.service().close().await;
    superuser(&drop).await.unwrap();
}

on_each_session_driver!(
    a_replaced_file_is_noticed_within_a_second,
    a_database_made_anew_by_hand_is_noticed_within_a_second,
);
