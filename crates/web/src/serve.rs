//! Serving connections: with a limit on how long a client may take, and an end that lets the
//! answers under way out.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Front;

/// How long a client may take to send a request's head, so that slow ones can't fill the server.
const HEAD: Duration = Duration::from_secs(15);

/// How long answers under way may take once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(25);

/// Connections open at once. Past it new ones wait to be accepted, so that nobody can use up the
/// process's file descriptors.
const CONNECTIONS: usize = 4_096;

/// Serves until `stop` resolves, then lets answers under way out.
pub async fn serve(listener: TcpListener, front: Front, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            (place, accepted) = accept(&listener, &places) => match accepted {
                Ok((stream, peer)) => connect(stream, peer, &front, &graceful, place),
                Err(error) => {
                    // Out of file descriptors, or the client is gone already. Others may still get through.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some answers were still under way when the time to stop was over");
    }
}

type Place = Option<OwnedSemaphorePermit>;

/// Accepts a connection once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Place, std::io::Result<(TcpStream, SocketAddr)>) {
    // The semaphore is never closed, so there is always a place in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, listener.accept().await)
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    front: &Front,
    graceful: &GracefulShutdown,
    place: Place,
) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let front = front.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(100)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended badly");
        }
        drop(place);
    });
}
