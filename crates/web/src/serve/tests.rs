//! Clients that take their time.

use axum::body::Bytes;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;

const PACE: Pace = Pace {
    every: Duration::from_millis(100),
    looks: 3,
};

/// As long as a client may stand still, and as long as it may not.
const ALLOWED: Duration = Duration::from_millis(250);
const TOO_LONG: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// What is longer than what sockets keep on the way.
const LONG: usize = 16 << 20;

/// A connection to a server that answers after so long, with so many octets.
async fn connected(after: Duration, octets: usize) -> (TcpStream, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let connecting = socket.connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(connecting, listener.accept());
    let (server, _) = accepted.unwrap();
    let graceful = GracefulShutdown::new();
    let answer = move |_| async move {
        sleep(after).await;
        let pieces =
            (0..octets / 65_536).map(|_| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 65_536])));
        Response::new(Body::from_stream(stream::iter(pieces)))
    };
    let watcher = graceful.watcher();
    let carried = tokio::spawn(async move {
        carry(server, answer, watcher, PACE).await;
        drop(graceful);
    });
    (client.unwrap(), carried)
}

async fn is_closed(carried: JoinHandle<()>) {
    let ended = timeout(TOO_LONG, carried).await;
    ended.expect("the connection is still there").unwrap();
}

#[tokio::test]
async fn whoever_sends_no_whole_head_is_not_waited_for() {
    let (client, carried) = connected(Duration::ZERO, 0).await;
    is_closed(carried).await;
    drop(client);

    let (mut client, carried) = connected(Duration::ZERO, 0).await;
    let trickling = tokio::spawn(async move {
        // Octet by octet, so that something arrives all the while.
        for octet in REQUEST.iter().chain(&[b'x'; 10_000]) {
            if client.write_all(&[*octet]).await.is_err() {
                return;
            }
            if octet == &b':' {
                break;
            }
            sleep(PACE.every / 10).await;
        }
        while client.write_all(b"x").await.is_ok() {
            sleep(PACE.every / 10).await;
        }
    });
    is_closed(carried).await;
    trickling.abort();
}

#[tokio::test]
async fn whoever_sends_no_other_request_is_not_waited_for() {
    let (mut client, carried) = connected(Duration::ZERO, 0).await;
    for _ in 0..3 {
        client.write_all(REQUEST).await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        // More than all of it together would be allowed at once.
        sleep(ALLOWED).await;
        client.try_read(&mut [0; 4_096]).unwrap();
    }
    is_closed(carried).await;
}

#[tokio::test]
async fn an_answer_takes_as_long_as_it_takes() {
    let (mut client, carried) = connected(PACE.every * 10, 0).await;
    client.write_all(REQUEST).await.unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert!(!carried.is_finished());
}

#[tokio::test]
async fn whoever_reads_slowly_gets_all_and_whoever_does_not_gets_no_more() {
    let (mut client, carried) = connected(Duration::ZERO, LONG).await;
    client.write_all(REQUEST).await.unwrap();
    let (mut got, mut piece) = (0, vec![0; LONG / 16]);
    while got < LONG {
        sleep(PACE.every / 2).await;
        let read = client.read_exact(&mut piece).await.unwrap();
        got += read;
    }
    assert!(!carried.is_finished());
    drop(client);

    let (mut client, carried) = connected(Duration::ZERO, LONG).await;
    client.write_all(REQUEST).await.unwrap();
    is_closed(carried).await;
    drop(client);
}
