//! One try.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use hyper::{Request, rt};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::destination::{is_here, is_public};
use crate::{PostError, Rules};

/// How long a whole try may take (Standard Webhooks asks for 15 to 30 seconds).
const PATIENCE: Duration = Duration::from_secs(15);

/// How long one address may take to answer at all, so that the next one gets its turn.
const CONNECT: Duration = Duration::from_secs(5);

/// How much of an answer's head is read, and of its body, before the connection is given up.
const HEAD: usize = 16 * 1024;
const BODY: usize = 64 * 1024;

/// A notice as it goes out.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// Its id, the same over all tries.
    pub id: &'a str,
    /// When this try was made, in seconds since 1970 UTC.
    pub seconds: i64,
    /// The signature over id, time and body.
    pub signature: &'a str,
    /// What it says, in JSON.
    pub body: &'a [u8],
}

/// Hands notices over. Cheap to clone.
#[derive(Clone)]
pub struct Deliverer {
    rules: Rules,
    patience: Duration,
    tls: Arc<ClientConfig>,
}

impl Deliverer {
    /// How long one try may take in all. Whoever holds a lease on a delivery needs a longer one.
    pub const LONGEST_POST: Duration = PATIENCE;

    /// One that keeps to these rules, and trusts the certificate authorities that browsers trust.
    pub fn new(rules: Rules) -> Self {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::trusting(rules, roots)
    }

    /// One that trusts these certificate authorities and no others.
    pub fn trusting(rules: Rules, roots: RootCertStore) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what the versions of TLS need")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            rules,
            patience: PATIENCE,
            tls: Arc::new(tls),
        }
    }

    /// With less patience, for tests of receivers that take long.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience.min(PATIENCE);
        self
    }

    /// What receivers may be.
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// Hands a notice over, once; the status it was taken with. A try that fails may still have
    /// arrived, as the answer can be lost; the next one carries the same id.
    pub async fn post(&self, url: &Url, notice: Notice<'_>) -> Result<u16, PostError> {
        self.rules.check(url)?;
        let request = request(url, notice)?;
        // What the receiver has to say is of no use to anybody; it is let finish saying it, up to a
        // point, since some take a connection that ends early for a failure.
        let (status, _) = self.within(self.exchange(url, request, BODY)).await?;
        Ok(status)
    }

    /// Ends a try that takes too long.
    pub(crate) async fn within<T>(
        &self,
        tried: impl Future<Output = Result<T, PostError>>,
    ) -> Result<T, PostError> {
        timeout(self.patience, tried)
            .await
            .unwrap_or(Err(PostError::Late(self.patience)))
    }

    /// Sends a request; the status of an answer that says yes, and its body if that has no more than
    /// `most` octets.
    pub(crate) async fn exchange(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<(u16, Option<Bytes>), PostError> {
        let stream = connect(&self.addresses(url).await?).await?;
        if url.scheme() == "http" {
            return talk(stream, request, most).await;
        }
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
            Some(Host::Ipv4(ip)) => Some(ServerName::IpAddress(IpAddr::V4(ip).into())),
            Some(Host::Ipv6(ip)) => Some(ServerName::IpAddress(IpAddr::V6(ip).into())),
            None => None,
        };
        let name = name.ok_or(PostError::Resolve(None))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(PostError::Tls)?;
        talk(stream, request, most).await
    }

    /// Where the receiver is, each address looked at. One that leads inside spoils them all: an
    /// honest name has no such among others.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, PostError> {
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Domain(name)) if is_here(name) => {
                vec![
                    (Ipv4Addr::LOCALHOST, port).into(),
                    (Ipv6Addr::LOCALHOST, port).into(),
                ]
            }
            Some(Host::Domain(name)) => lookup_host((name, port))
                .await
                .map_err(|error| PostError::Resolve(Some(error)))?
                .collect(),
            Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
            Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
            None => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(PostError::Resolve(None));
        }
        let inside = addresses.iter().find(|address| !is_public(address.ip()));
        match inside {
            Some(address) if !self.rules.allow_private => Err(PostError::Private(address.ip())),
            _ => Ok(addresses),
        }
    }
}

/// The host and the target that a request names.
pub(crate) fn named(url: &Url) -> (String, String) {
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    (host, target)
}

/// What we call ourselves.
pub(crate) const AGENT: &str = concat!("Tenantry/", env!("CARGO_PKG_VERSION"));

fn request(url: &Url, notice: Notice<'_>) -> Result<Request<Full<Bytes>>, PostError> {
    let written = |error: InvalidHeaderValue| PostError::Request(error.into());
    let (host, target) = named(url);
    let mut request = Request::post(target)
        .body(Full::new(Bytes::copy_from_slice(notice.body)))
        .map_err(PostError::Request)?;
    for (name, value) in [
        (HOST, host.as_str()),
        (USER_AGENT, AGENT),
        (CONTENT_TYPE, "application/json"),
        (CONNECTION, "close"),
        (HeaderName::from_static("webhook-id"), notice.id),
        (
            HeaderName::from_static("webhook-timestamp"),
            &notice.seconds.to_string(),
        ),
        (
            HeaderName::from_static("webhook-signature"),
            notice.signature,
        ),
    ] {
        let value = HeaderValue::from_str(value).map_err(written)?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// A connection to the first of these that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, PostError> {
    let mut failed = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = error,
            Err(_) => failed = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(PostError::Connect(failed))
}

async fn talk<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    most: usize,
) -> Result<(u16, Option<Bytes>), PostError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = handshake(&builder, TokioIo::new(stream)).await?;
    // Ends with this set, however this try ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(PostError::Http)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), most).collect().await;
    let body = body.ok().map(http_body_util::Collected::to_bytes);
    match status.as_u16() {
        code @ 200..=299 => Ok((code, body)),
        code @ 300..=399 => Err(PostError::Redirect(code)),
        code => Err(PostError::Status(code)),
    }
}

type Connection<I> = http1::Connection<I, Full<Bytes>>;

async fn handshake<I>(
    builder: &http1::Builder,
    io: I,
) -> Result<(http1::SendRequest<Full<Bytes>>, Connection<I>), PostError>
where
    I: rt::Read + rt::Write + Unpin + Send + 'static,
{
    builder.handshake(io).await.map_err(PostError::Http)
}
