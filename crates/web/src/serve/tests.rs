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

/// As long as a client may stand still on a machine that does much else, and as long as it may not.
const ALLOWED: Duration = Duration::from_millis(150);
const TOO_LONG: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// What is longer than what sockets keep on the way.
const LONG: usize = 16 << 20;

/// What is sent as a whole.
const PIECE: usize = 1 << 16;

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
        if !after.is_zero() {
            sleep(after).await;
        }
        if octets <= PIECE {
            return Response::new(Body::from(vec![b'x'; octets]));
        }
        let piece = |_| Ok::<_, Infallible>(Bytes::from(vec![b'x'; PIECE]));
        let pieces = (0..octets / PIECE).map(piece);
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
        client.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        // Octet by octet, so that something arrives all the while.
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
    for _ in 0..5 {
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
    drop((client, carried));

    let (mut client, carried) = connected(Duration::ZERO, LONG).await;
    client.write_all(REQUEST).await.unwrap();
    is_closed(carried).await;
    drop(client);
}

#[tokio::test]
async fn whoever_asks_ahead_and_reads_nothing_is_not_waited_for() {
    let (mut client, carried) = connected(Duration::ZERO, PIECE).await;
    let request = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx";
    let asking = tokio::spawn(async move {
        while client.write_all(request).await.is_ok() {}
        client
    });
    is_closed(carried).await;
    drop(asking.await.unwrap());
}
