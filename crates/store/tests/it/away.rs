//! A server that went without a word, and another in its place: its connections stay open and lead
//! nowhere.

use std::time::{Duration, Instant};

use tenantry_store::{Control, Db};
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::services::postgres;

/// Less than a connection that can't be made is waited for.
const SOON: Duration = Duration::from_secs(4);

/// A pool of one connection, which has been used, behind a proxy.
async fn one() -> (Proxy, Control) {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let control = Control::over(Db::postgres(proxy.url(), 1).unwrap());
    works(&control).await;
    (proxy, control)
}

async fn works(control: &Control) {
    let since = Instant::now();
    let mut tx = control.read().await.unwrap();
    tx.instance().ping().await.unwrap();
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_connection_that_lay_idle_meanwhile_is_another() {
    let (proxy, control) = one().await;
    // Whoever got the only one knows that it had come back.
    works(&control).await;
    let tx = control.read().await.unwrap();
    drop(tx);
    tokio::task::yield_now().await;
    proxy.strand();
    works(&control).await;
}

#[tokio::test]
async fn a_connection_that_was_in_use_leaves_its_place() {
    for writes in [false, true] {
        let (proxy, control) = one().await;
        let tx = if writes {
            control.begin().await.unwrap()
        } else {
            control.read().await.unwrap()
        };
        proxy.strand();
        drop(tx);
        works(&control).await;
    }
}

#[tokio::test]
async fn a_statement_that_is_not_waited_for_leaves_its_place() {
    let (proxy, control) = one().await;
    let mut tx = control.read().await.unwrap();
    proxy.cut("AS one", Cut::Hang);
    // Said anew on a connection that has not said it yet.
    proxy.reset();
    assert!(tx.instance().ping().await.is_err());
    drop(tx);
    let mut tx = control.read().await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(100), async {
        tx.instance().ping().await.unwrap();
    });
    assert!(asked.await.is_err(), "it hangs");
    assert_eq!(proxy.cuts(), 1);
    drop(tx);
    works(&control).await;
}
