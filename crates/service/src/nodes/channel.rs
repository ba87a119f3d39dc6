//! What is changed here, told to other processes, and what they tell: over the control database
//! where it is on a server, and over Redis where there is one. Both carry everything, so that one of
//! them may be away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_sessions::redis::RedisListener;
use tenantry_store::Listener;
use tokio::sync::mpsc::UnboundedReceiver;

use super::BEAT;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// Topics told in one message. One takes 34 octets at the most, and PostgreSQL carries fewer than
/// 8,000 (manual, NOTIFY).
const BATCH: usize = 100;

/// How long to wait before a lost channel is looked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// How long opening a channel may take. Where the network swallows what is sent, nobody answers and
/// nothing breaks.
const OPEN: Duration = Duration::from_secs(10);

/// After how long without a word a channel counts as lost: each process says something with each
/// [`BEAT`], and hears itself.
const SILENCE: Duration = Duration::from_secs(25);

/// How long the last messages may take when a process ends.
const LAST: Duration = Duration::from_secs(1);

/// What carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The control database's server.
    Database,
    /// Redis.
    Redis,
}

impl Channel {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Database, Self::Redis];

    /// Its name, for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Redis => "redis",
        }
    }
}

/// Whether this process hears the others, by channel.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    database: AtomicBool,
    redis: AtomicBool,
}

impl Hearing {
    const fn of(&self, channel: Channel) -> &AtomicBool {
        match channel {
            Channel::Database => &self.database,
            Channel::Redis => &self.redis,
        }
    }
}

enum Ear {
    Database(Box<Listener>),
    Redis(RedisListener),
}

impl Ear {
    /// What is said next; `None` when messages may have been lost.
    async fn next(&mut self) -> Result<Option<String>, Refusal> {
        match self {
            Self::Database(listener) => Ok(listener.next().await?),
            Self::Redis(listener) => Ok(listener.next().await),
        }
    }
}

/// A message: who says it and what changed.
fn written(node: &str, topics: &[Topic]) -> String {
    let mut text = node.to_owned();
    for topic in topics {
        text.push(' ');
        text.push_str(&topic.to_string());
    }
    text
}

impl Service {
    /// Whether this process hears what others change; `None` where there is no such channel.
    pub fn hears(&self, channel: Channel) -> Option<bool> {
        let there = match channel {
            Channel::Database => self.control().is_on_server(),
            Channel::Redis => self.settings().redis.is_some(),
        };
        there.then(|| self.node().hearing.of(channel).load(Ordering::Relaxed))
    }

    /// Tells other processes what is changed here, until told to stop.
    pub(crate) async fn tell_others(&self) {
        let mut outgoing = self.node().outgoing.lock().await;
        let mut batch = Vec::new();
        while outgoing.recv_many(&mut batch, BATCH).await > 0 {
            self.tell(&batch).await;
            batch.clear();
        }
    }

    /// Tells what is left: for a process that ends, or that does not tell all the while.
    pub(crate) async fn tell_the_rest(&self) {
        let Ok(mut outgoing) = self.node().outgoing.try_lock() else {
            return;
        };
        let rest = async {
            while let Some(batch) = next(&mut outgoing) {
                self.tell(&batch).await;
            }
        };
        // What is not told counts within a second all the same.
        let _ = tokio::time::timeout(LAST, rest).await;
    }

    /// Says what changed, or just that this process is there, on every channel.
    pub(super) async fn tell(&self, topics: &[Topic]) {
        let text = written(&self.node().id.to_string(), topics);
        let over_redis = async {
            match &self.settings().redis {
                Some(redis) => redis.say(&self.node().channel(), &text).await,
                None => Ok(()),
            }
        };
        let (database, redis) = tokio::join!(self.control().say(&text), over_redis);
        if let Err(error) = database {
            tracing::warn!(error = %Chain(&error), "other nodes could not be told of a change by the control database; they see it within a second");
        }
        if let Err(error) = redis {
            tracing::debug!(error = %Chain(&error), "other nodes could not be told of a change by Redis; they see it within a second");
        }
    }

    /// Hears what other processes change, until told to stop.
    pub(crate) async fn hear_others(&self) {
        tokio::join!(
            self.hear(Channel::Database),
            self.hear(Channel::Redis),
            self.follow_what_is_said()
        );
    }

    /// Looks at the keys where another process may have changed them: beside the hearing, which waits
    /// for no database.
    async fn follow_what_is_said(&self) {
        loop {
            self.node().keys_said.notified().await;
            if let Err(error) = self.follow_keys().await {
                tracing::debug!(error = %Chain(&error), "the keys could not be looked at when another node spoke of them; the background does so all the while");
            }
        }
    }

    /// Hears one channel, and looks for it again where it breaks; returns where there is none.
    async fn hear(&self, channel: Channel) {
        let hearing = self.node().hearing.of(channel);
        loop {
            let broken = match self.open_channel(channel).await {
                Ok(None) => return,
                Ok(Some(ear)) => {
                    // From here on everything is heard; before, anything may have been missed.
                    self.heard_of(Topic::Everything);
                    hearing.store(true, Ordering::Relaxed);
                    self.hear_out(ear).await
                }
                Err(error) => error.to_string(),
            };
            if hearing.swap(false, Ordering::Relaxed) {
                let channel = channel.as_str();
                tracing::warn!(
                    channel,
                    error = broken,
                    "changes of other nodes are not heard; they count within a second all the same"
                );
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn open_channel(&self, channel: Channel) -> Result<Option<Ear>, Refusal> {
        tokio::time::timeout(OPEN, self.listen(channel))
            .await
            .unwrap_or_else(|late| Err(Refusal::failed("nobody answered in time")(late)))
    }

    async fn listen(&self, channel: Channel) -> Result<Option<Ear>, Refusal> {
        match channel {
            Channel::Database => {
                let listener = self.control().listen().await?;
                Ok(listener.map(|listener| Ear::Database(Box::new(listener))))
            }
            Channel::Redis => {
                let Some(redis) = &self.settings().redis else {
                    return Ok(None);
                };
                let listener = redis.listen(&self.node().channel()).await;
                let listener = listener.map_err(Refusal::failed("Redis is not heard"))?;
                Ok(Some(Ear::Redis(listener)))
            }
        }
    }

    /// Takes in what is said until the channel breaks; why it did.
    async fn hear_out(&self, mut ear: Ear) -> String {
        loop {
            match tokio::time::timeout(SILENCE, ear.next()).await {
                Ok(Ok(Some(text))) => self.heard(&text),
                Ok(Ok(None)) => return "the connection was lost".to_owned(),
                Ok(Err(error)) => return Chain(&error).to_string(),
                Err(_) => return format!("nothing was heard for {} s", SILENCE.as_secs()),
            }
        }
    }

    /// Takes in a message. One in words of another version may mean anything.
    fn heard(&self, text: &str) {
        let mut words = text.split(' ');
        if words.next() == Some(&self.node().id.to_string()) {
            return;
        }
        for word in words {
            self.heard_of(word.parse().unwrap_or(Topic::Everything));
        }
    }

    /// Takes in that something changed. Everything may be the keys, too.
    fn heard_of(&self, topic: Topic) {
        self.control().changes().hear(topic);
        if topic == Topic::Everything {
            self.node().keys_said.notify_one();
        }
    }
}

const _: () = assert!(
    SILENCE.as_secs() > 2 * BEAT.as_secs(),
    "a channel is not lost by one word that is late"
);

fn next(outgoing: &mut UnboundedReceiver<Topic>) -> Option<Vec<Topic>> {
    let batch: Vec<Topic> = std::iter::from_fn(|| outgoing.try_recv().ok())
        .take(BATCH)
        .collect();
    (!batch.is_empty()).then_some(batch)
}
