//! How long a request waits to be judged.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tenantry_service::facts::LOOK;
use tokio::time::timeout;

/// Waits for all that is looked up for one request, and for no longer than [`LOOK`]: each look has that
/// limit too, but where one ends late and the next begins, nobody waits for one after the other.
///
/// What is known from memory is there at once, and no clock is asked for it.
pub(super) async fn patiently<T>(mut judging: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    if let Poll::Ready(judged) = poll_fn(|cx| Poll::Ready(judging.as_mut().poll(cx))).await {
        return Some(judged);
    }
    // Boxed, as else every request would carry room for it.
    Box::pin(timeout(LOOK, judging)).await.ok()
}
