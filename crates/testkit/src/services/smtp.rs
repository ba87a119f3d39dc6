//! An SMTP server that keeps what it is given.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use tempfile::TempDir;

use super::dialogue::Dialogue;
use super::environment;

/// The server: aiosmtpd, which parses commands and messages independently of our own mail code.
const SERVER: &str = include_str!("smtp/server.py");

/// A mail as the server received it, its parts decoded.
#[derive(Clone, Debug, Deserialize)]
pub struct DeliveredMail {
    /// The sender of the envelope.
    pub sender: String,
    /// The recipients of the envelope.
    pub recipients: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain-text part, decoded; empty where there is none.
    pub text: String,
    /// The HTML part, decoded.
    pub html: Option<String>,
    /// The whole message as a file of the Maildir.
    pub file: PathBuf,
}

impl DeliveredMail {
    /// The web addresses in the plain-text part, in their order.
    pub fn links(&self) -> Vec<&str> {
        self.text
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
            .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
            .collect()
    }

    /// The six-digit codes in the plain-text part, in their order.
    pub fn codes(&self) -> Vec<&str> {
        self.text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
            .collect()
    }
}

/// An SMTP server on a free port of 127.0.0.1, without TLS or sign-in. It ends when dropped.
pub struct SmtpServer {
    dialogue: Dialogue,
    port: u16,
    folder: TempDir,
}

impl SmtpServer {
    /// Starts a server and waits until it listens.
    pub async fn start() -> Result<Self> {
        let python =
            environment("TENANTRY_TEST_PYTHON").unwrap_or_else(|| "/usr/bin/python3".to_owned());
        let folder = tempfile::Builder::new()
            .prefix("tenantry-mail-")
            .tempdir()?;
        let mut command = Command::new(python);
        command
            .args(["-c", SERVER])
            .arg(folder.path().join("maildir"));
        let mut dialogue = Dialogue::start(&mut command)?;
        let port = dialogue.port_after("listening on ").await.context(
            "the SMTP server needs Python with aiosmtpd; `cargo xtask test` installs it",
        )?;
        Ok(Self {
            dialogue,
            port,
            folder,
        })
    }

    /// The setting that makes Tenantry send its mails here.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Maildir with all mails that were delivered so far.
    pub fn maildir(&self) -> PathBuf {
        self.folder.path().join("maildir")
    }

    /// Waits for the next mail that was not taken yet.
    pub async fn next(&mut self) -> Result<DeliveredMail> {
        let line = self
            .dialogue
            .line()
            .await
            .context("no mail was delivered")?;
        parse(&line)
    }

    /// Waits for the next mail to this address and leaves out those before it.
    pub async fn next_to(&mut self, address: &str) -> Result<DeliveredMail> {
        loop {
            let mail = self
                .next()
                .await
                .with_context(|| format!("none to {address}"))?;
            if mail.recipients.iter().any(|recipient| recipient == address) {
                return Ok(mail);
            }
        }
    }

    /// The mails that are delivered and were not taken yet, without waiting.
    pub fn take(&mut self) -> Result<Vec<DeliveredMail>> {
        let mut mails = Vec::new();
        while let Some(line) = self.dialogue.line_at_hand() {
            mails.push(parse(&line)?);
        }
        Ok(mails)
    }
}

fn parse(line: &str) -> Result<DeliveredMail> {
    serde_json::from_str(line).with_context(|| format!("the SMTP server said {line:?}"))
}
