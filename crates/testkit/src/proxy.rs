//! A TCP proxy in the test's own process that makes a network misbehave: latency, hanging, a server
//! that is gone, connections that lead nowhere any more, resets, and connections cut around one
//! chosen request.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// Where a connection is cut, seen from one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The request never arrives.
    Before,
    /// The request arrives, and the connection is gone at once.
    After,
    /// The server has done it and answers; so many bytes of the answer come through.
    InAnswer(usize),
    /// The request arrives, and nothing ever comes back, though the connection stays.
    Hang,
}

/// What becomes of the connections that are singled out, while all others go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// They are as the others.
    #[default]
    Carried,
    /// They stay, and nothing is handed on until they are carried again.
    Held,
    /// They break, and so does each new one that is singled out.
    Cut,
}

/// A proxy before one server. Everything of it ends when it is dropped.
pub struct Proxy {
    url: String,
    rules: Arc<Rules>,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct State {
    resets: usize,
    stranded: usize,
    hanging: bool,
    gone: bool,
    fate: Fate,
    latency: Duration,
}

#[derive(Default)]
struct Rules {
    armed: Mutex<Option<(Vec<u8>, Cut)>>,
    singled: OnceLock<Vec<u8>>,
    cuts: AtomicUsize,
    held: AtomicUsize,
}

fn holds(sent: &[u8], needle: &[u8]) -> bool {
    sent.windows(needle.len()).any(|part| part == needle)
}

impl Rules {
    /// Whether a connection on which this was sent is one of those singled out.
    fn singles_out(&self, sent: &[u8]) -> bool {
        self.singled.get().is_some_and(|words| holds(sent, words))
    }

    /// The cut that is due once this was sent, which is then used up.
    fn due(&self, sent: &[u8]) -> Option<Cut> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let (needle, cut) = armed.as_ref()?;
        if !holds(sent, needle) {
            return None;
        }
        let cut = *cut;
        *armed = None;
        self.cuts.fetch_add(1, Ordering::SeqCst);
        Some(cut)
    }
}

impl Proxy {
    /// Starts a proxy before the server that a URL names.
    pub async fn before(url: &str) -> Result<Self> {
        let mut own = Url::parse(url).context("no URL")?;
        let host = own.host_str().context("a URL without a host")?.to_owned();
        let port = own.port().context("a URL without a port")?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        own.set_host(Some("127.0.0.1"))?;
        own.set_port(Some(listener.local_addr()?.port()))
            .map_err(|()| anyhow::anyhow!("a URL that has no port"))?;
        let (state, watched) = watch::channel(State::default());
        let rules = Arc::new(Rules::default());
        let accepting = tokio::spawn(accept(listener, (host, port), Arc::clone(&rules), watched));
        Ok(Self {
            url: own.into(),
            rules,
            state,
            accepting,
        })
    }

    /// The server's URL, but through the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Holds back what the server sends for so long.
    pub fn set_latency(&self, latency: Duration) {
        self.state.send_modify(|state| state.latency = latency);
    }

    /// Breaks every connection that is open now.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.resets += 1);
    }

    /// Hands on nothing, in neither direction, until told otherwise.
    pub fn set_hanging(&self, hanging: bool) {
        self.state.send_modify(|state| state.hanging = hanging);
    }

    /// Hands on nothing more over the connections that are open now, for ever, and breaks none of
    /// them: a firewall that forgot them, a host that went without a word. Later ones work.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.stranded += 1);
    }

    /// Breaks every connection, and ends new ones at once, until told otherwise: nobody is there.
    pub fn set_gone(&self, gone: bool) {
        self.state.send_modify(|state| {
            state.gone = gone;
            state.resets += usize::from(gone);
        });
    }

    /// Singles out, from now on and once for all, the connections on which these words are sent.
    pub fn single_out(&self, words: impl Into<Vec<u8>>) {
        self.rules.singled.get_or_init(|| words.into());
    }

    /// Decides what becomes of those, also of the ones that are open already.
    pub fn set_fate(&self, fate: Fate) {
        self.state.send_modify(|state| state.fate = fate);
    }

    /// How many connections are, or were, held with an answer on the way.
    pub fn held(&self) -> usize {
        self.rules.held.load(Ordering::SeqCst)
    }

    /// Cuts the connection around the next request that holds these words, once.
    pub fn cut(&self, words: &str, cut: Cut) {
        *self
            .rules
            .armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some((words.as_bytes().to_vec(), cut));
    }

    /// How often a connection was cut around a request.
    pub fn cuts(&self) -> usize {
        self.rules.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    upstream: (String, u16),
    rules: Arc<Rules>,
    state: watch::Receiver<State>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, rules, state) = (upstream.clone(), Arc::clone(&rules), state.clone());
        if state.borrow().gone {
            continue;
        }
        tokio::spawn(async move {
            // A server that can't be reached is a connection that ends at once.
            if let Ok(server) = TcpStream::connect((upstream.0.as_str(), upstream.1)).await {
                let _ended = Pair { client, server }.carry(&rules, state).await;
            }
        });
    }
}

/// Takes what a server sent, or sees that it sent something.
async fn from(server: &mut TcpStream, sent: &mut [u8], take: bool) -> std::io::Result<usize> {
    if take {
        server.read(sent).await
    } else {
        server.peek(sent).await
    }
}

struct Pair {
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    async fn carry(
        mut self,
        rules: &Rules,
        mut state: watch::Receiver<State>,
    ) -> std::io::Result<()> {
        let first = *state.borrow_and_update();
        let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
        let mut sent = Vec::new();
        let mut left: Option<usize> = None;
        let (mut stopped, mut singled, mut told) = (false, false, false);
        loop {
            let State {
                hanging,
                latency,
                stranded,
                fate,
                resets,
                ..
            } = *state.borrow();
            // Also before what came meanwhile: nothing that was held counts on a connection of before.
            if resets != first.resets {
                return self.client.set_zero_linger();
            }
            if singled && fate == Fate::Cut {
                return self.client.set_zero_linger();
            }
            let held = singled && fate == Fate::Held;
            let flowing = !hanging && !stopped && !held && stranded == first.stranded;
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return self.client.set_zero_linger();
                    }
                }
                read = self.client.read(&mut up), if flowing => {
                    let read = read?;
                    if read == 0 {
                        return Ok(());
                    }
                    sent.extend_from_slice(&up[..read]);
                    singled |= rules.singles_out(&sent);
                    let cut = rules.due(&sent);
                    let refused = singled && state.borrow().fate == Fate::Cut;
                    if refused || cut == Some(Cut::Before) {
                        return self.client.set_zero_linger();
                    }
                    self.server.write_all(&up[..read]).await?;
                    match cut {
                        Some(Cut::After) => return self.client.set_zero_linger(),
                        Some(Cut::InAnswer(bytes)) => left = Some(bytes),
                        Some(Cut::Hang) => stopped = true,
                        Some(Cut::Before) | None => {}
                    }
                }
                read = from(&mut self.server, &mut down, flowing), if flowing || held && !told => {
                    let read = read?;
                    if !flowing {
                        told = true;
                        rules.held.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                    if read == 0 {
                        return Ok(());
                    }
                    // What comes next is the answer to a request of its own.
                    sent.clear();
                    if !latency.is_zero() {
                        tokio::time::sleep(latency).await;
                    }
                    if let Some(bytes) = left {
                        self.client.write_all(&down[..bytes.min(read)]).await?;
                        return self.client.set_zero_linger();
                    }
                    self.client.write_all(&down[..read]).await?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each request with itself in capitals, and counts them.
    async fn shouting() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("tcp://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let counter = Arc::clone(&counter);
                tokio::spawn(async move {
                    let mut buffer = [0; 64];
                    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                        counter.fetch_add(1, Ordering::SeqCst);
                        buffer[..read].make_ascii_uppercase();
                        if stream.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        (url, heard)
    }

    async fn connect(proxy: &Proxy) -> TcpStream {
        let url = Url::parse(proxy.url()).unwrap();
        TcpStream::connect((url.host_str().unwrap(), url.port().unwrap()))
            .await
            .unwrap()
    }

    /// What comes back for a request, until the answer is whole or the connection ends.
    async fn ask(stream: &mut TcpStream, request: &str) -> (String, bool) {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 64];
        while answer.len() < request.len() {
            match stream.read(&mut buffer).await {
                Ok(read @ 1..) => answer.extend_from_slice(&buffer[..read]),
                Ok(0) | Err(_) => return (String::from_utf8(answer).unwrap(), false),
            }
        }
        (String::from_utf8(answer).unwrap(), true)
    }

    #[tokio::test]
    async fn a_calm_proxy_changes_nothing() {
        let (url, _) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert_eq!(ask(&mut stream, "hello").await, ("HELLO".to_owned(), true));
        proxy.set_latency(Duration::from_millis(30));
        let start = std::time::Instant::now();
        assert_eq!(ask(&mut stream, "again").await.0, "AGAIN");
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[tokio::test]
    async fn each_cut_is_where_it_should_be_and_only_once() {
        for (cut, heard_after, answer) in [
            (Cut::Before, 0, ""),
            (Cut::InAnswer(2), 1, "MA"),
            (Cut::InAnswer(0), 1, ""),
        ] {
            let (url, heard) = shouting().await;
            let proxy = Proxy::before(&url).await.unwrap();
            proxy.cut("mark", cut);
            let mut stream = connect(&proxy).await;
            assert!(ask(&mut stream, "x").await.1);
            let (text, whole) = ask(&mut stream, "mark").await;
            assert!(!whole, "{cut:?}");
            // A reset may overtake what was sent before it.
            assert!(answer.starts_with(&text), "{cut:?}: {text}");
            assert_eq!(heard.load(Ordering::SeqCst), 1 + heard_after, "{cut:?}");
            assert_eq!(proxy.cuts(), 1);
            assert!(ask(&mut connect(&proxy).await, "mark").await.1);
        }
    }

    #[tokio::test]
    async fn a_reset_ends_open_connections_and_no_later_ones() {
        let (url, _) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert!(ask(&mut stream, "x").await.1);
        proxy.reset();
        let mut buffer = [0; 1];
        assert!(matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)));
        assert!(ask(&mut connect(&proxy).await, "x").await.1);
    }

    #[tokio::test]
    async fn what_hangs_goes_on_when_it_may() {
        let (url, heard) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert!(ask(&mut stream, "x").await.1);
        proxy.set_hanging(true);
        stream.write_all(b"y").await.unwrap();
        let mut buffer = [0; 1];
        let wait = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut buffer));
        assert!(wait.await.is_err());
        assert_eq!(heard.load(Ordering::SeqCst), 1);
        proxy.set_hanging(false);
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
        assert_eq!(&buffer, b"Y");
    }

    #[tokio::test]
    async fn what_is_stranded_stays_so_and_later_connections_work() {
        let (url, heard) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert!(ask(&mut stream, "x").await.1);
        proxy.strand();
        stream.write_all(b"y").await.unwrap();
        let mut buffer = [0; 1];
        let wait = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut buffer));
        assert!(wait.await.is_err());
        assert!(ask(&mut connect(&proxy).await, "x").await.1);
        assert_eq!(heard.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn nobody_is_there_while_the_server_is_gone() {
        let (url, _) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert!(ask(&mut stream, "x").await.1);
        proxy.set_gone(true);
        let mut buffer = [0; 1];
        for mut stream in [stream, connect(&proxy).await] {
            assert!(matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)));
        }
        proxy.set_gone(false);
        assert!(ask(&mut connect(&proxy).await, "x").await.1);
    }

    #[tokio::test]
    async fn what_is_singled_out_is_held_or_cut_alone() {
        let (url, _) = shouting().await;
        let proxy = Proxy::before(&url).await.unwrap();
        proxy.single_out("mark");
        let (mut other, mut singled) = (connect(&proxy).await, connect(&proxy).await);
        assert!(ask(&mut other, "x").await.1);
        assert!(ask(&mut singled, "mark").await.1);
        proxy.set_fate(Fate::Held);
        singled.write_all(b"y").await.unwrap();
        let mut buffer = [0; 1];
        let wait = tokio::time::timeout(Duration::from_millis(50), singled.read(&mut buffer));
        assert!(wait.await.is_err());
        assert!(ask(&mut other, "x").await.1);
        proxy.set_fate(Fate::Carried);
        assert_eq!(singled.read(&mut buffer).await.unwrap(), 1);
        proxy.set_fate(Fate::Cut);
        assert!(matches!(singled.read(&mut buffer).await, Ok(0) | Err(_)));
        assert!(!ask(&mut connect(&proxy).await, "mark").await.1);
        assert!(ask(&mut other, "x").await.1);
        proxy.set_fate(Fate::Carried);
        assert!(ask(&mut connect(&proxy).await, "mark").await.1);
    }
}
