//! A receiver of notices on this machine: what it was sent, and what it answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a receiver does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It answers with this status.
    Status(u16),
    /// It answers with this text.
    Text(String),
    /// It sends the sender there.
    Redirect(String),
    /// It takes the request and says nothing, for as long as the sender waits.
    Silence,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and target, as in the first line.
    pub line: String,
    /// The headers, by name in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(there, _)| there == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
}

/// A receiver on this machine. Dropped, it ends.
pub struct Receiver {
    port: u16,
    reply: watch::Sender<Reply>,
    log: Arc<Log>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// One that answers 204 until it is told otherwise.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (reply, replies) = watch::channel(Reply::Status(204));
        let log = Arc::new(Log::default());
        let mut serving = JoinSet::new();
        serving.spawn({
            let log = Arc::clone(&log);
            async move {
                let mut open = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (log, replies) = (Arc::clone(&log), replies.clone());
                    open.spawn(async move {
                        // A sender that goes away is no matter of the receiver's.
                        let _ = serve(stream, &log, &replies).await;
                    });
                }
            }
        });
        Ok(Self {
            port,
            reply,
            log,
            _serving: serving,
        })
    }

    /// Where it is reached.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// From now on it answers so.
    pub fn answer(&self, reply: Reply) {
        self.reply.send_replace(reply);
    }

    /// What came so far, in order.
    pub fn seen(&self) -> Vec<Received> {
        let seen = self.log.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many requests came.
    pub async fn until(&self, count: usize) -> Result<Vec<Received>> {
        let mut counted = self.log.count.subscribe();
        let waiting = counted.wait_for(|seen| *seen >= count);
        match tokio::time::timeout(Duration::from_secs(30), waiting).await {
            Ok(_) => Ok(self.seen()),
            Err(_) => bail!("only {} of {count} requests came", self.seen().len()),
        }
    }
}

async fn serve(stream: TcpStream, log: &Log, replies: &watch::Receiver<Reply>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let received = read(&mut stream).await?;
    let reply = replies.borrow().clone();
    {
        let mut seen = log.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(received);
        log.count.send_replace(seen.len());
    }
    let answer = match reply {
        Reply::Status(status) => format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"),
        Reply::Text(text) => format!(
            "HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        ),
        Reply::Redirect(to) => {
            format!("HTTP/1.1 307 x\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
        }
        Reply::Silence => {
            // Ends when the sender does.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await?;
            return Ok(());
        }
    };
    stream.write_all(answer.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

async fn read(stream: &mut BufReader<TcpStream>) -> Result<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            bail!("the request ends early");
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let mut lines = lines.into_iter();
    let line = lines.next().context("no request")?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let mut received = Received {
        line,
        headers,
        body: Vec::new(),
    };
    let length: usize = received.header("content-length").parse().unwrap_or(0);
    received.body.resize(length, 0);
    stream.read_exact(&mut received.body).await?;
    Ok(received)
}
