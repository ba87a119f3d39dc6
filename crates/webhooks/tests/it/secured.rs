//! TLS: a receiver that proves who it is gets its notice, and no other does. The certificates are
//! made for these tests and prove nothing anywhere else.

use std::sync::Arc;

use tenantry_webhooks::{Deliverer, PostError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use url::Url;

use super::{HERE, NOTICE};

const AUTHORITY: &[u8] = include_bytes!("tls/ca.der");
const CERTIFICATE: &[u8] = include_bytes!("tls/server.der");
const KEY: &[u8] = include_bytes!("tls/server.key.der");

fn acceptor() -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE.to_vec())], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A receiver that calls itself `hooks.localhost`; its port.
async fn receiver() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // One that does not like the certificate leaves.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 202 x\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn trusting() -> Deliverer {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(AUTHORITY.to_vec())).unwrap();
    Deliverer::trusting(HERE, roots)
}

fn url(host: &str, port: u16) -> Url {
    format!("https://{host}:{port}/").parse().unwrap()
}

#[tokio::test]
async fn a_receiver_that_proves_its_name_gets_the_notice() {
    let port = receiver().await;
    let taken = trusting().post(&url("hooks.localhost", port), NOTICE).await;
    assert_eq!(taken.unwrap(), 202);
}

#[tokio::test]
async fn one_that_does_not_gets_nothing() {
    let port = receiver().await;
    for (deliverer, host) in [
        (trusting(), "localhost"),
        (trusting(), "127.0.0.1"),
        (Deliverer::new(HERE), "hooks.localhost"),
    ] {
        let error = deliverer.post(&url(host, port), NOTICE).await.unwrap_err();
        assert!(matches!(error, PostError::Tls(_)), "{host}: {error:?}");
    }
}
