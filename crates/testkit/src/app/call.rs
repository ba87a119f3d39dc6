//! One request over the shared client.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::Value;

use super::Answer;

/// Every name leads to this machine, as `*.localhost` does in browsers (RFC 6761, section 6.3);
/// tests give tenants domains of their own too.
struct Loopback(SocketAddr);

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let addrs: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(std::future::ready(Ok(addrs)))
    }
}

/// A client that follows no redirect, keeps no cookie and leaves the machine for nothing.
pub(super) fn client(address: SocketAddr) -> reqwest::Client {
    reqwest::Client::builder()
        .dns_resolver(Arc::new(Loopback(address)))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// A request to be filled in and sent.
#[must_use = "a call that is not sent asks nothing"]
pub struct Call {
    client: reqwest::Client,
    port: u16,
    method: String,
    host: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Call {
    pub(super) fn new(
        client: reqwest::Client,
        port: u16,
        method: &str,
        host: &str,
        path: &str,
    ) -> Self {
        Self {
            client,
            port,
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// At this host.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// With this header, beside others of the name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With this value of the session's cookie.
    pub fn cookie(self, value: &str) -> Self {
        self.header("cookie", &format!("tenantry_session={value}"))
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form's fields.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// With any body of any type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// Sends it, and checks what the contract says of every answer.
    ///
    /// # Panics
    /// Where there is no answer, or not one as every answer is.
    pub async fn send(self) -> Answer {
        let asked = format!("{} {}{}", self.method, self.host, self.path);
        let url = format!("http://{}:{}{}", self.host, self.port, self.path);
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let answer = Answer {
            status,
            headers,
            body: body.to_vec(),
        };
        answer.expect_common(&asked);
        answer
    }
}
