//! How long a client may take: for the head of a request, to send the next one, to read an answer.
//!
//! hyper has a limit for the head, but makes a timer with each request and takes it away again, under a
//! lock that all connections share. Here a connection only counts what it did, and somebody looks at
//! the count now and then.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};

/// When connections are looked at, and how often one may have stood still before it is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) every: Duration,
    pub(super) looks: u32,
}

impl Pace {
    /// A client has 15 to 20 seconds, so that slow ones can't fill the server.
    pub(super) const USUAL: Self = Self {
        every: Duration::from_secs(5),
        looks: 3,
    };
}

/// What a connection does. Only the connection's own task writes it.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Heads that came whole, and writes that got through.
    done: AtomicU64,
    /// Whether an answer is being made, which takes as long as it takes.
    making: AtomicBool,
}

impl Activity {
    fn did(&self) {
        let done = self.done.load(Ordering::Relaxed);
        self.done.store(done.wrapping_add(1), Ordering::Relaxed);
    }

    /// From now on, and until it is dropped, an answer is being made to a request whose head came whole.
    /// What follows its head is at hand by then, or made faster than a client is given up.
    pub(super) fn making(&self) -> Making<'_> {
        self.did();
        self.making.store(true, Ordering::Relaxed);
        Making(self)
    }

    /// Resolves once the client has been waited for too long.
    pub(super) async fn stands_still(&self, pace: Pace) {
        let (mut before, mut still) = (0, 0);
        while still < pace.looks {
            tokio::time::sleep(pace.every).await;
            let done = self.done.load(Ordering::Relaxed);
            if done == before && !self.making.load(Ordering::Relaxed) {
                still += 1;
            } else {
                (before, still) = (done, 0);
            }
        }
    }
}

/// An answer that is being made.
pub(super) struct Making<'a>(&'a Activity);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.making.store(false, Ordering::Relaxed);
    }
}

/// A connection of which is counted what leaves. What arrives is not: a head that comes octet by octet
/// is as good as none.
pub(super) struct Counted<T> {
    pub(super) io: T,
    pub(super) activity: Arc<Activity>,
}

impl<T: Unpin> Counted<T> {
    fn io(&mut self) -> Pin<&mut T> {
        Pin::new(&mut self.io)
    }

    fn wrote(&self, written: Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.activity.did();
        }
        written
    }
}

impl<T: Read + Unpin> Read for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.io().poll_read(cx, buf)
    }
}

impl<T: Write + Unpin> Write for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = self.io().poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = self.io().poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}
