//! The one connection to Redis that a process shares.
//!
//! Commands of many tasks travel on it at once. It is made when it is first needed, thrown away
//! with the first doubt, and made again by whoever asks next, so that a Redis that was away is used
//! again once it is back. Nobody waits for it longer than [`CONNECT`] and [`COMMAND`] together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisResult,
    ScriptInvocation, ServerErrorKind, cmd,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{RedisError, RedisUrl, RedisUrlError};

/// How long a connection may take to be made, with TLS and signing in.
pub const CONNECT: Duration = Duration::from_millis(500);

/// How long an answer may take. Redis takes microseconds; what is over it is a fork of a large
/// process, a network in trouble, or a host that is gone.
pub const COMMAND: Duration = Duration::from_millis(250);

/// How long nobody tries again after a connection could not be made: a crowd of requests is told
/// at once what the first of them found out.
const PAUSE: Duration = Duration::from_millis(100);

/// How Redis was when it was last asked for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisState {
    /// It was not asked yet.
    Unasked,
    /// It answered.
    Up,
    /// It did not; why, in a sentence.
    Away(String),
}

/// A Redis. Copies share its connection.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    place: String,
    link: RwLock<Option<Link>>,
    /// Held by whoever makes the connection; when that last failed, and how.
    connecting: Mutex<Option<(Instant, RedisError)>>,
    made: AtomicU64,
    state: RwLock<RedisState>,
}

#[derive(Clone)]
struct Link {
    number: u64,
    connection: MultiplexedConnection,
}

impl Redis {
    /// The Redis at this URL. Nothing is asked of it yet.
    pub fn at(url: &RedisUrl) -> Result<Self, RedisUrlError> {
        Ok(Self(Arc::new(Inner {
            client: Client::open(url.info()?).map_err(|_| RedisUrlError)?,
            place: url.place().to_owned(),
            link: RwLock::new(None),
            connecting: Mutex::new(None),
            made: AtomicU64::new(0),
            state: RwLock::new(RedisState::Unasked),
        })))
    }

    /// Host and port.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// What connections of another kind are made with, such as one that only listens.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// How it was when it was last asked for something. Asks for nothing itself.
    pub fn state(&self) -> RedisState {
        let state = self.0.state.read();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks whether it takes what is written. A Redis that only answers would be one whose disk or
    /// memory is full, or that follows another.
    pub async fn check(&self) -> Result<(), RedisError> {
        let probe = format!("tenantry:probe:{}", std::process::id());
        let mut write = cmd("SET");
        write.arg(probe).arg(1).arg("PX").arg(1_000);
        self.query::<()>(&write).await
    }

    /// One command.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.ask(async |mut connection| command.query_async(&mut connection).await)
            .await
    }

    /// Commands in one go, each for itself; an answer for each.
    pub async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisError> {
        self.ask(async |mut connection| commands.query_async(&mut connection).await)
            .await
    }

    /// A script with its keys and words.
    pub async fn script<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        self.ask(async |mut connection| script.invoke_async(&mut connection).await)
            .await
    }

    async fn ask<T>(
        &self,
        work: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, RedisError> {
        let link = self.link().await?;
        match timeout(COMMAND, work(link.connection)).await {
            Ok(Ok(answer)) => {
                self.note(RedisState::Up);
                Ok(answer)
            }
            Ok(Err(source)) => {
                let doubt = is_doubtful(&source);
                let place = self.0.place.clone();
                let error = RedisError::Refused { place, source };
                if doubt {
                    self.lost(link.number, &error);
                }
                Err(error)
            }
            Err(_) => {
                let error = self.slow("answer", COMMAND, true);
                self.lost(link.number, &error);
                Err(error)
            }
        }
    }

    /// The connection, made if there is none. One of many makes it and the others wait.
    async fn link(&self) -> Result<Link, RedisError> {
        if let Some(link) = self.current() {
            return Ok(link);
        }
        let mut failed = self.0.connecting.lock().await;
        if let Some(link) = self.current() {
            return Ok(link);
        }
        if let Some((at, error)) = &*failed
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(link) => {
                *failed = None;
                Ok(link)
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                self.note(RedisState::Away(told(&error)));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Link, RedisError> {
        // Our own limits are the narrower ones and name what was waited for.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let client = &self.0.client;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        match timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => {
                let number = self.0.made.fetch_add(1, Ordering::Relaxed);
                let link = Link { number, connection };
                *self.0.link.write().unwrap_or_else(PoisonError::into_inner) = Some(link.clone());
                Ok(link)
            }
            Ok(Err(source)) => Err(RedisError::Unreachable {
                place: self.0.place.clone(),
                source,
            }),
            Err(_) => Err(self.slow("let us in", CONNECT, false)),
        }
    }

    fn current(&self) -> Option<Link> {
        let link = self.0.link.read();
        link.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Throws a connection away, unless somebody has made another since.
    fn lost(&self, number: u64, error: &RedisError) {
        let mut link = self.0.link.write().unwrap_or_else(PoisonError::into_inner);
        if link.as_ref().is_some_and(|link| link.number == number) {
            *link = None;
        }
        drop(link);
        self.note(RedisState::Away(told(error)));
    }

    pub(super) fn slow(&self, what: &'static str, within: Duration, sent: bool) -> RedisError {
        RedisError::Slow {
            place: self.0.place.clone(),
            what,
            within,
            sent,
        }
    }

    /// Remembers how it is, and tells the log when that changes.
    fn note(&self, now: RedisState) {
        let is_same =
            |state: &RedisState| std::mem::discriminant(state) == std::mem::discriminant(&now);
        // Nearly always the same as before, and then nobody waits for anybody.
        if is_same(&self.0.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if is_same(&state) {
            return;
        }
        match (&*state, &now) {
            (_, RedisState::Away(why)) => {
                tracing::warn!(redis.place = self.0.place, why, "Redis is away");
            }
            (RedisState::Away(_), _) => {
                tracing::info!(redis.place = self.0.place, "Redis is back");
            }
            (RedisState::Unasked | RedisState::Up, _) => {}
        }
        *state = now;
    }
}

/// Whether another connection may do better: this one is broken, or leads to a Redis that starts,
/// stops, or has become the follower of another.
fn is_doubtful(error: &::redis::RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
        ),
        ErrorKind::Extension => false,
        _ => true,
    }
}

/// An error with what caused it, in one sentence.
fn told(error: &RedisError) -> String {
    match error {
        RedisError::Unreachable { source, .. } | RedisError::Refused { source, .. } => {
            format!("{error}: {source}")
        }
        RedisError::Slow { .. } => error.to_string(),
    }
}
