//! A Redis of one test, which it may kill, stop, empty and start again.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::environment;

/// How long a start may take; ten milliseconds are usual.
const START: Duration = Duration::from_secs(20);

/// The password. It guards nothing: the server is gone with the test.
const PASSWORD: &str = "of-one-test";

/// Between choosing a free port and binding it another program can take it.
const ATTEMPTS: usize = 3;

/// A server with nothing in it. Started, ended and started again by the test's own thread: the
/// kernel ends it when that thread is gone. It keeps nothing on the disk.
pub struct RedisServer {
    server: Option<Child>,
    port: u16,
    tls: Option<Tls>,
    folder: TempDir,
}

/// Where it also answers with TLS, and as whom.
#[derive(Clone)]
struct Tls {
    port: u16,
    certificate: PathBuf,
    key: PathBuf,
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

impl RedisServer {
    /// Starts a server on a free port and waits until it answers.
    pub fn start() -> Result<Self> {
        Self::begin(None)
    }

    /// The same, answering with TLS on another port.
    pub fn with_tls(certificate: &Path, key: &Path) -> Result<Self> {
        Self::begin(Some((certificate, key)))
    }

    fn begin(tls: Option<(&Path, &Path)>) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let mut server = Self {
                server: None,
                port: free_port()?,
                tls: match tls {
                    Some((certificate, key)) => Some(Tls {
                        port: free_port()?,
                        certificate: certificate.to_owned(),
                        key: key.to_owned(),
                    }),
                    None => None,
                },
                folder: tempfile::Builder::new()
                    .prefix("tenantry-redis-")
                    .tempdir()?,
            };
            match server.restart() {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome.map(|()| server),
            }
        }
    }

    /// Where it is, with the password.
    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/0", self.port)
    }

    /// Where it answers with TLS, if it does.
    pub fn tls_url(&self) -> Option<String> {
        let tls = self.tls.as_ref()?;
        Some(format!("rediss://:{PASSWORD}@127.0.0.1:{}/0", tls.port))
    }

    /// Kills the server (SIGKILL); all that was in it is gone. Nothing where it does not run.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        kill_process(Pid::from_child(&server), Signal::KILL)?;
        server.wait()?;
        Ok(())
    }

    /// Lets the server stand still (SIGSTOP): connections stay, and nothing is answered.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let server = self.server.as_ref().context("the server does not run")?;
        Ok(kill_process(Pid::from_child(server), signal)?)
    }

    /// Starts the server on the same port where it does not run, and waits until it answers.
    pub fn restart(&mut self) -> Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        let binary = environment("TENANTRY_TEST_REDIS")
            .map_or_else(|| PathBuf::from("/usr/bin/redis-server"), PathBuf::from);
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&binary)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--requirepass",
                PASSWORD,
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .arg("--dir")
            .arg(self.folder.path());
        if let Some(tls) = &self.tls {
            command
                .args(["--tls-port", &tls.port.to_string()])
                .args(["--tls-auth-clients", "no"])
                .arg("--tls-cert-file")
                .arg(&tls.certificate)
                .arg("--tls-key-file")
                .arg(&tls.key)
                // It wants one for its followers, of which it has none.
                .arg("--tls-ca-cert-file")
                .arg(&tls.certificate);
        }
        let mut server = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("setpriv can't be started")?;
        let until = Instant::now() + START;
        while server.try_wait()?.is_none() {
            if self.answers() {
                self.server = Some(server);
                return Ok(());
            }
            if Instant::now() > until {
                server.kill()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        server.wait()?;
        bail!(
            "{} did not start on port {}; `cargo xtask test` installs it",
            binary.display(),
            self.port
        )
    }

    /// Whether it lets us in, and not just anybody who listens there.
    fn answers(&self) -> bool {
        self.ask(&["PING"]).is_ok_and(|answer| answer == "+PONG")
    }

    /// Removes everything in it.
    pub fn flush(&self) -> Result<()> {
        self.ask(&["FLUSHALL"]).map(drop)
    }

    /// Sends one command and gives back its answer as the protocol has it, without the end of line.
    /// For answers of one line and lists of them.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        let answer = self.answer(words)?;
        Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
    }

    /// Sends one command and gives back its answer, octet for octet.
    fn answer(&self, words: &[&str]) -> Result<Vec<u8>> {
        use std::io::{Read as _, Write as _};
        let stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(START))?;
        let mut message = Vec::new();
        for command in [&["AUTH", PASSWORD][..], words, &["QUIT"]] {
            write!(message, "*{}\r\n", command.len())?;
            for word in command {
                write!(message, "${}\r\n{word}\r\n", word.len())?;
            }
        }
        (&stream).write_all(&message)?;
        // It ends the connection itself, having answered all of them.
        let mut answer = Vec::new();
        (&stream).read_to_end(&mut answer)?;
        let answer = answer
            .strip_prefix(b"+OK\r\n")
            .and_then(|rest| rest.strip_suffix(b"+OK\r\n"));
        Ok(answer.context("Redis does not let us in")?.to_vec())
    }

    /// Every key with all that lies under it, octet for octet, whatever type it is of.
    pub fn contents(&self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for key in self.keys()? {
            let read: &[&str] = match self.ask(&["TYPE", &key])?.as_str() {
                "+string" => &["GET", &key],
                "+hash" => &["HGETALL", &key],
                "+list" => &["LRANGE", &key, "0", "-1"],
                "+set" => &["SMEMBERS", &key],
                "+zset" => &["ZRANGE", &key, "0", "-1", "WITHSCORES"],
                "+stream" => &["XRANGE", &key, "-", "+"],
                // It ran out just now.
                "+none" => continue,
                other => anyhow::bail!("nobody knows how to read {key}, which is of type {other}"),
            };
            all.extend_from_slice(key.as_bytes());
            all.push(b'\n');
            all.extend(self.answer(read)?);
        }
        Ok(all)
    }

    /// Every key, in order.
    pub fn keys(&self) -> Result<Vec<String>> {
        let answer = self.ask(&["KEYS", "*"])?;
        let lines = answer.split("\r\n").skip(1);
        let mut keys: Vec<String> = lines
            .filter(|line| !line.starts_with('$') && !line.is_empty())
            .map(str::to_owned)
            .collect();
        keys.sort();
        Ok(keys)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("a Redis can't be ended: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_comes_back_empty_on_its_port() {
        let mut server = RedisServer::start().unwrap();
        let url = server.url();
        assert_eq!(server.ask(&["SET", "a", "1"]).unwrap(), "+OK");
        assert_eq!(server.keys().unwrap(), ["a"]);
        server.flush().unwrap();
        assert!(server.keys().unwrap().is_empty());
        server.ask(&["SET", "b", "1"]).unwrap();
        server.ask(&["HSET", "c", "field", "value"]).unwrap();
        server.ask(&["ZADD", "d", "7", "member"]).unwrap();
        let contents = server.contents().unwrap();
        for there in ["b", "c", "field", "value", "member"] {
            let there = there.as_bytes();
            assert!(contents.windows(there.len()).any(|part| part == there));
        }
        server.kill().unwrap();
        assert!(server.keys().is_err());
        server.restart().unwrap();
        assert_eq!(server.url(), url);
        assert!(server.keys().unwrap().is_empty());
    }
}
