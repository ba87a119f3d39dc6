//! Short messages between processes that share a Redis (`PUBLISH`, `SUBSCRIBE`).
//!
//! A message may be lost: whoever listens takes the end of a connection as if anything might have
//! been said meanwhile.

use std::pin::Pin;

use ::redis::aio::PubSubStream;
use ::redis::cmd;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{CONNECT, Redis, RedisError};

/// Hears what other processes say.
pub struct RedisListener(Pin<Box<PubSubStream>>);

impl Redis {
    /// Says something to every process that listens to a channel.
    pub async fn say(&self, channel: &str, text: &str) -> Result<(), RedisError> {
        let mut said = cmd("PUBLISH");
        said.arg(channel).arg(text);
        self.query::<()>(&said).await
    }

    /// Listens to a channel, over a connection of its own.
    pub async fn listen(&self, channel: &str) -> Result<RedisListener, RedisError> {
        let listening = async {
            let mut pubsub = self.client().get_async_pubsub().await?;
            pubsub.subscribe(channel).await?;
            Ok(pubsub.into_on_message())
        };
        match timeout(CONNECT, listening).await {
            Ok(Ok(stream)) => Ok(RedisListener(Box::pin(stream))),
            Ok(Err(source)) => Err(RedisError::Unreachable {
                place: self.place().to_owned(),
                source,
            }),
            Err(_) => Err(self.slow("let us in", CONNECT, false)),
        }
    }
}

impl RedisListener {
    /// What is said next; `None` when the connection is lost.
    pub async fn next(&mut self) -> Option<String> {
        let said = self.0.next().await?;
        // What is not text was not said by us; it may mean anything, as an empty message does.
        Some(said.get_payload().unwrap_or_default())
    }
}
