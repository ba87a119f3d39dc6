//! Mails to a mail server.
//!
//! Owns the connections. lettre speaks the protocol; its own pool is not used, since it takes a
//! connection back whose dialogue was cut off by a deadline, and the next mail would then read
//! the answers meant for the one before it.

mod url;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tenantry_core::Secret;

pub use self::url::SmtpUrlError;

use crate::{Cause, Envelope, SendError};

/// How long each step may take: connecting, encrypting, signing in, and each command.
const STEP: Duration = Duration::from_secs(10);

/// How long the server may think once it has the whole mail. Giving up here delivers mails twice,
/// so RFC 5321, section 4.5.3.2.6 asks for ten minutes; a minute is what a lease can wait for.
const FINAL_STEP: Duration = Duration::from_mins(1);

/// `NOOP`, connecting, then `MAIL`, `RCPT`, `DATA` and the mail itself.
pub(crate) const LONGEST_SEND: Duration = Duration::from_secs(5 * 10 + 60);

/// The most connections that are kept for the next mail.
const KEPT: usize = 4;

/// Reply codes that speak of how we signed in, not of the mail (RFC 4954, section 6): once an
/// operator has mended the settings, the same mail is taken.
const ABOUT_OUR_SETTINGS: [u16; 4] = [530, 534, 535, 538];

/// Whether and when a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    /// From the first byte (`smtps`, RFC 8314), with a certificate that is checked.
    Implicit,
    /// By `STARTTLS` or not at all, with a certificate that is checked.
    Required,
    /// By `STARTTLS` where the server offers it.
    Opportunistic,
    /// Never.
    None,
}

/// A mail server. Clones share its connections.
#[derive(Clone)]
pub struct Smtp(Arc<Server>);

struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<(String, Secret<String>)>,
    hello: ClientId,
    kept: Mutex<Vec<AsyncSmtpConnection>>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.0.host)
            .field("port", &self.0.port)
            .field("tls", &self.0.tls)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    pub(crate) async fn send(&self, envelope: &Envelope) -> Result<(), SendError> {
        let mime = envelope
            .to_mime()
            .map_err(|error| SendError::Permanent(Cause::Compose(error)))?;
        // Whatever fails before the mail is named says nothing about the mail.
        let mut connection = self.0.connection().await.map_err(SendError::Retry)?;
        deliver(&mut connection, &mime).await?;
        self.0.keep(connection);
        Ok(())
    }

    pub(crate) async fn check(&self) -> Result<(), Cause> {
        let mut connection = self.0.connection().await?;
        step(connection.command(Noop)).await?;
        self.0.keep(connection);
        Ok(())
    }

    /// Says goodbye to the server on every kept connection, for the end of the process.
    pub async fn close(&self) {
        let kept = std::mem::take(&mut *self.0.kept());
        for mut connection in kept {
            // A server that is gone already needs no goodbye.
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.command(Quit)).await;
        }
    }
}

impl Server {
    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        // A list of connections is whole after every operation on it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.push(connection);
        }
    }

    /// A connection that is signed in: a kept one that still answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Cause> {
        let kept = self.kept().pop();
        if let Some(mut connection) = kept
            && step(connection.command(Noop)).await.is_ok()
        {
            return Ok(connection);
        }
        // If one went stale, so did the others: a server closes what is idle for too long.
        self.kept().clear();
        step_with(self.connect()).await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Cause> {
        let implicit = match self.tls {
            Tls::Implicit => Some(self.tls_parameters()?),
            Tls::Required | Tls::Opportunistic | Tls::None => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, implicit, None).await?;
        let upgrade = match self.tls {
            Tls::Required => true,
            Tls::Opportunistic => connection.can_starttls(),
            Tls::Implicit | Tls::None => false,
        };
        if upgrade {
            if !connection.can_starttls() {
                return Err(Cause::NotEncrypted);
            }
            connection
                .starttls(self.tls_parameters()?, &self.hello)
                .await?;
        }
        if let Some((user, password)) = &self.credentials {
            if !connection.is_encrypted() && self.tls == Tls::Opportunistic && !self.is_loopback() {
                return Err(Cause::NotEncrypted);
            }
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, &credentials).await?;
        }
        Ok(connection)
    }

    /// Opportunistic encryption without a password takes any certificate (RFC 7435): refusing one
    /// would leave the choice between no mail and no encryption. A password goes only to a server
    /// that proved its name.
    fn tls_parameters(&self) -> Result<TlsParameters, Error> {
        let unproven = self.tls == Tls::Opportunistic && self.credentials.is_none();
        TlsParameters::builder(self.host.clone())
            .dangerous_accept_invalid_certs(unproven)
            .build()
    }

    /// Whether the server is on this machine, where nobody listens in between.
    fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(Cause::Timeout))
}

async fn step_with<T>(work: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    within(STEP, work).await
}

async fn step<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Cause> {
    step_with(async { work.await.map_err(Cause::from) }).await
}

/// One mail over a connection. After an error the connection is somewhere within a dialogue and
/// must be dropped.
async fn deliver(
    connection: &mut AsyncSmtpConnection,
    mime: &lettre::Message,
) -> Result<(), SendError> {
    let content = mime.formatted();
    let mut options = Vec::new();
    // Only an address outside ASCII makes the headers so; all else is encoded.
    if !content.is_ascii() {
        let server = connection.server_info();
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::Permanent(Cause::AddressNotAscii));
        }
        options.push(MailParameter::SmtpUtfEight);
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = mime.envelope().from().cloned();
    step(connection.command(Mail::new(from, options)))
        .await
        .map_err(judge)?;
    for to in mime.envelope().to() {
        step(connection.command(Rcpt::new(to.clone(), Vec::new())))
            .await
            .map_err(judge)?;
    }
    step(connection.command(Data)).await.map_err(judge)?;
    let sent = async { connection.message(&content).await.map_err(Cause::from) };
    within(FINAL_STEP, sent).await.map_err(judge)?;
    Ok(())
}

/// Whether a failure is this mail's own.
fn judge(cause: Cause) -> SendError {
    match cause.code() {
        Some(code) if (500..600).contains(&code) && !ABOUT_OUR_SETTINGS.contains(&code) => {
            SendError::Permanent(cause)
        }
        _ => SendError::Retry(cause),
    }
}
