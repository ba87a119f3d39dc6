//! A caller that goes away in the middle of anything leaves no open transaction behind.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use sqlx::{Executor as _, Row as _};
use tenantry_store::{Conn, Db, Tx};

use crate::support::{Bench, Dialect, number, warm};

on_both! {
    a_begin_that_is_abandoned_leaves_nothing_open,
    work_that_is_abandoned_leaves_nothing_open,
    an_aborted_task_leaves_nothing_open,
}

/// Polls a future for that long and then drops it. Finer than a timer, so that over many rounds
/// each point at which it waits is met.
async fn abandon(after: Duration, future: impl Future) {
    let mut future = pin!(future);
    let start = Instant::now();
    loop {
        let ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        if ready.await || start.elapsed() > after {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// From nothing to longer than the work takes, in small steps.
fn moments() -> impl Iterator<Item = Duration> {
    (0..250).map(|step| Duration::from_micros(step * 8))
}

/// Takes every connection of the pool out at once and asks each.
async fn assert_nothing_is_open(db: &Db) {
    let connections = match db {
        Db::Sqlite { .. } => {
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx).await.unwrap();
            return;
        }
        Db::Postgres(_) => 4,
    };
    let mut all = Vec::new();
    for _ in 0..connections {
        all.push(db.read().await.unwrap());
    }
    for tx in &mut all {
        let Conn::Postgres(conn) = tx.conn() else {
            unreachable!("it is a server")
        };
        // In a transaction time stands still.
        let row = conn
            .fetch_one("SELECT now() <> statement_timestamp()")
            .await
            .unwrap();
        let inside: bool = row.get(0);
        assert!(!inside, "a connection of the pool is inside a transaction");
    }
}

async fn insert(tx: &mut Tx) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO tries (a) VALUES (1)";
    match tx.conn() {
        Conn::Postgres(conn) => conn.execute(sql).await.map(drop),
        Conn::Sqlite(conn) => conn.execute(sql).await.map(drop),
    }
}

async fn fresh(bench: &Bench) -> Db {
    let db = bench.database().await;
    crate::support::script(&db, "CREATE TABLE tries (a BIGINT)")
        .await
        .unwrap();
    warm(&db, 4).await;
    db
}

async fn a_begin_that_is_abandoned_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for moment in moments() {
        abandon(moment, db.begin()).await;
        assert_nothing_is_open(&db).await;
    }
    work(&db).await;
    assert_eq!(number(&db, "SELECT COUNT(*) FROM tries").await, 2);
}

/// Two rows, or none.
async fn work(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx).await.unwrap();
    insert(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn work_that_is_abandoned_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for moment in moments() {
        abandon(moment * 3, work(&db)).await;
        assert_nothing_is_open(&db).await;
    }
    let rows = number(&db, "SELECT COUNT(*) FROM tries").await;
    assert!(rows > 0 && rows % 2 == 0, "both rows or none: {rows}");
}

async fn an_aborted_task_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for moment in moments() {
        let theirs = db.clone();
        let task = tokio::spawn(async move { work(&theirs).await });
        abandon(moment * 3, pending::<()>()).await;
        task.abort();
        let _ended = task.await;
        assert_nothing_is_open(&db).await;
    }
    work(&db).await;
    let rows = number(&db, "SELECT COUNT(*) FROM tries").await;
    assert!(rows > 0 && rows % 2 == 0, "both rows or none: {rows}");
}
