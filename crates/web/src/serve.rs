//! Serving connections: with a limit on how long a client may take, and an end that lets the
//! answers under way out.

mod pace;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Front;
use pace::{Activity, Counted, Pace};

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
    // Counted for this connection alone: what all count is a line of memory that the cores take from
    // each other with each request.
    let front = Arc::new(front.clone());
    let answer = move |request| {
        let front = Arc::clone(&front);
        async move { front.answer(request, peer).await }
    };
    let graceful = graceful.watcher();
    tokio::spawn(async move {
        carry(stream, answer, graceful, Pace::USUAL).await;
        drop(place);
    });
}

/// Answers what comes over a connection until it ends, or its client keeps it waiting for too long.
async fn carry<A: Future<Output = Response<Body>>>(
    stream: TcpStream,
    answer: impl Fn(Request<Incoming>) -> A + Clone + 'static,
    graceful: Watcher,
    pace: Pace,
) {
    let activity = Arc::<Activity>::default();
    let io = Counted {
        io: TokioIo::new(stream),
        activity: Arc::clone(&activity),
    };
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request| {
        let (activity, answer) = (Arc::clone(&activity), answer.clone());
        // On the heap: hyper would move it about otherwise.
        Box::pin(async move {
            // Not before it is asked for: of requests sent ahead, one waits here for as long as the
            // client reads nothing.
            let _making = activity.making();
            Ok::<_, Infallible>(answer(request).await)
        })
    });
    let connection = http1::Builder::new()
        .max_headers(100)
        // That is for `activity` to see.
        .header_read_timeout(None)
        .serve_connection(io, service);
    tokio::select! {
        biased;
        ended = graceful.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended badly");
            }
        }
        () = watched.stands_still(pace) => tracing::debug!("a client took too long"),
    }
}
