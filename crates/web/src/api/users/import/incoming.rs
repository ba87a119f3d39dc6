//! A body that is worked on while it comes, with a bound on how long is waited for it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the next piece.
    pub(super) piece: Duration,
    /// For all of them together. What we do with a piece meanwhile does not count.
    pub(super) total: Duration,
}

/// Why nothing more came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It took too long.
    Slow,
    /// The connection ended, or what came is no body.
    Unreadable,
}

/// A body as it comes.
pub(super) struct Incoming {
    body: Body,
    patience: Patience,
    waited: Duration,
}

impl Incoming {
    pub(super) const fn new(body: Body, patience: Patience) -> Self {
        Self {
            body,
            patience,
            waited: Duration::ZERO,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let left = self.patience.total.saturating_sub(self.waited);
            let begun = Instant::now();
            let frame =
                tokio::time::timeout(self.patience.piece.min(left), self.body.frame()).await;
            self.waited += begun.elapsed();
            let Some(frame) = frame.map_err(|_| Broken::Slow)? else {
                return Ok(None);
            };
            // Trailers say nothing that anybody asked for.
            if let Ok(piece) = frame.map_err(|_| Broken::Unreadable)?.into_data() {
                return Ok(Some(piece));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        piece: Duration::from_secs(5),
        total: Duration::from_millis(200),
    };

    /// A piece every five milliseconds, for ever.
    fn dripping() -> Body {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        Body::from_stream(drops)
    }

    #[tokio::test]
    async fn whoever_sends_a_little_for_ever_is_not_waited_for_for_ever() {
        let mut incoming = Incoming::new(dripping(), PATIENCE);
        let begun = Instant::now();
        let mut pieces = 0;
        let ended = loop {
            match incoming.next().await {
                Ok(Some(_)) => pieces += 1,
                ended => break ended,
            }
            assert!(pieces < 1000, "it goes on for ever");
        };
        assert_eq!(ended, Err(Broken::Slow));
        assert!(pieces > 0 && begun.elapsed() >= PATIENCE.total);
    }

    #[tokio::test]
    async fn our_own_work_does_not_count() {
        let mut incoming = Incoming::new(Body::from("all of it"), PATIENCE);
        assert_eq!(incoming.next().await, Ok(Some(Bytes::from("all of it"))));
        tokio::time::sleep(PATIENCE.total).await;
        assert_eq!(incoming.next().await, Ok(None));
    }
}
