//! A caller that goes away in the middle of anything leaves no open transaction behind.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sqlx::Executor as _;
use tenantry_store::{Conn, Db, Tx};

use crate::support::{Bench, Dialect, number};

on_both! {
    a_begin_that_is_abandoned_leaves_nothing_open,
    work_that_is_abandoned_leaves_nothing_open,
    an_aborted_task_leaves_nothing_open,
}

/// Polls a future so many times and then drops it.
async fn abandon(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        if ready.await {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Whether a connection is inside a transaction, as the database itself sees it: in one, time
/// stands still (PostgreSQL), and no other may begin (SQLite).
async fn is_inside(tx: &mut Tx) -> bool {
    match tx.conn() {
        Conn::Postgres(conn) => {
            let row = conn.fetch_one("SELECT now() <> statement_timestamp()");
            sqlx::Row::get(&row.await.unwrap(), 0)
        }
        Conn::Sqlite(conn) => match conn.execute("BEGIN").await {
            Ok(_) => conn.execute("ROLLBACK").await.is_err(),
            Err(_) => true,
        },
    }
}

async fn assert_nothing_is_open(db: &Db) {
    // As many at once as there may have been in use, so that each connection of the pool is seen.
    let mut all = Vec::new();
    let count = match db {
        Db::Sqlite { .. } => 2,
        Db::Postgres(_) => 8,
    };
    for _ in 0..count {
        all.push(db.read().await.unwrap());
    }
    for tx in &mut all {
        assert!(
            !is_inside(tx).await,
            "a connection of the pool is inside a transaction"
        );
    }
    drop(all);
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
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
    db
}

async fn a_begin_that_is_abandoned_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for round in 0..200 {
        abandon(1 + round % 12, db.begin()).await;
    }
    assert_nothing_is_open(&db).await;
    assert_eq!(number(&db, "SELECT COUNT(*) FROM tries").await, 1);
}

async fn work(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx).await.unwrap();
    insert(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn work_that_is_abandoned_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for round in 0..300 {
        abandon(1 + round % 40, work(&db)).await;
    }
    let before = number(&db, "SELECT COUNT(*) FROM tries").await;
    assert_eq!(before % 2, 0, "both rows or none");
    assert_nothing_is_open(&db).await;
    let after = number(&db, "SELECT COUNT(*) FROM tries").await;
    assert_eq!(
        after,
        before + 1,
        "nothing of the abandoned work came along"
    );
}

async fn an_aborted_task_leaves_nothing_open(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = fresh(&bench).await;
    for round in 0..200 {
        let theirs = db.clone();
        let task = tokio::spawn(async move { work(&theirs).await });
        for _ in 0..round % 25 {
            tokio::task::yield_now().await;
        }
        task.abort();
        let _ended = task.await;
    }
    assert_nothing_is_open(&db).await;
    assert_eq!(
        number(&db, "SELECT COUNT(*) FROM tries").await % 2,
        1,
        "both rows or none"
    );
}
