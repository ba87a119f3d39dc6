//! An answer without end costs no more than a set time and size.

use std::time::Duration;

use tenantry_webhooks::{Deliverer, PostError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::{HERE, NOTICE};

/// A receiver that begins its answer so and then says the same again and again; how many octets it
/// got rid of before the sender left.
async fn endless(
    begin: &'static str,
    again: &'static [u8],
) -> (Url, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let talking = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut written = 0;
        while stream.write_all(again).await.is_ok() {
            written += again.len();
        }
        written
    });
    (url.parse().unwrap(), talking)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_without_end_is_not_read_to_the_end() {
    let begin = "HTTP/1.1 200 x\r\ncontent-length: 1000000000000\r\n\r\n";
    let (url, talking) = endless(begin, &[b'x'; 4096]).await;
    assert_eq!(Deliverer::new(HERE).post(&url, NOTICE).await.unwrap(), 200);
    let written = talking.await.unwrap();
    // What the sockets of both sides hold comes on top.
    assert!(written < 32 * 1024 * 1024, "{written} octets");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_without_end_is_refused() {
    let (url, talking) = endless("HTTP/1.1 200 x\r\nx: ", &[b'x'; 4096]).await;
    let error = Deliverer::new(HERE).post(&url, NOTICE).await.unwrap_err();
    assert!(matches!(error, PostError::Http(_)), "{error:?}");
    assert!(talking.await.unwrap() < 32 * 1024 * 1024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_drop_by_drop_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let talking = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let hasty = Deliverer::new(HERE).with_patience(Duration::from_millis(200));
    let error = hasty.post(&url, NOTICE).await.unwrap_err();
    let cut = matches!(error, PostError::Late(_) | PostError::Http(_));
    assert!(cut, "{error:?}");
    talking.await.unwrap();
}
