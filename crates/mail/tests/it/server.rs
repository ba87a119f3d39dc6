//! A real mail server as a child process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running server, which ends with this value: its standard input closes, and it is reaped.
pub(crate) struct Server {
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
    mails: TempDir,
    child: Child,
    input: Option<ChildStdin>,
}

/// A mail as the server took it.
#[derive(serde::Deserialize)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) options: Vec<String>,
    pub(crate) encrypted: bool,
    pub(crate) user: Option<String>,
    /// The how-manieth connection it came over.
    pub(crate) connection: u32,
    pub(crate) content: String,
}

impl Server {
    /// A server that takes everything.
    pub(crate) fn start() -> Self {
        Self::with(&json!({}))
    }

    /// A server with these settings; `server.py` names them.
    pub(crate) fn with(settings: &Value) -> Self {
        let mails = tempfile::tempdir().unwrap();
        let mut settings = settings.clone();
        settings["dir"] = mails.path().to_str().unwrap().into();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.py");
        // Debian's python3-aiosmtpd belongs to the system's own Python, whatever else is in PATH.
        let mut child = Command::new("/usr/bin/python3")
            .args([script, &settings.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let input = child.stdin.take();
        Self {
            port: line
                .trim()
                .parse()
                .expect("the mail server did not start; it needs the package python3-aiosmtpd"),
            mails,
            child,
            input,
        }
    }

    /// What it took so far, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let mut paths: Vec<_> = std::fs::read_dir(self.mails.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
            .iter()
            .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // Clients may still hold connections, which would keep it from ending by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A self-signed certificate for 127.0.0.1 and its key, in files under `dir`.
pub(crate) fn self_signed(dir: &Path) -> (String, String) {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| {
        let path = dir.join(name);
        path.to_str().unwrap().to_owned()
    });
    let made = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '))
        .args([
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .expect("the test needs the program openssl");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    (certificate, key)
}
