//! Octets over a bare connection, for what no HTTP client would send.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Answer;

/// After how long a test gives up on a server that neither answers nor closes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a request, which should ask for the connection to be closed, and reads the answer to the
/// end.
pub(super) async fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    let talk = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        received
    };
    let received = tokio::time::timeout(PATIENCE, talk)
        .await
        .unwrap_or_else(|_| panic!("no end of the answer to {shown:?}"));
    parse(&received).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(&received).into_owned();
        panic!("no answer to {shown:?}: {text:?}")
    })
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::try_from(value.trim()).ok()?);
    }
    Some(Answer {
        status,
        headers,
        body: received[end + 4..].to_vec(),
    })
}
