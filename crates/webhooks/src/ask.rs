//! Asking a service outside for a short text: one `GET`, tried once.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use crate::post::{AGENT, named};
use crate::{Deliverer, PostError};

impl Deliverer {
    /// Asks for a text of at most so many octets. Fails where the answer is none, is longer or is cut
    /// short.
    pub async fn ask(
        &self,
        url: &Url,
        headers: &[(&'static str, &'static str)],
        most: usize,
    ) -> Result<String, PostError> {
        self.rules().check(url)?;
        let (host, target) = named(url);
        let mut request = Request::get(target)
            .body(Full::new(Bytes::new()))
            .map_err(PostError::Request)?;
        let host = HeaderValue::from_str(&host);
        let host = host.map_err(|error| PostError::Request(error.into()))?;
        let set = request.headers_mut();
        set.insert(HOST, host);
        set.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        set.insert(CONNECTION, HeaderValue::from_static("close"));
        for (name, value) in headers {
            set.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let (_, body) = self.within(self.exchange(url, request, most)).await?;
        let body = body.ok_or(PostError::Unread)?;
        String::from_utf8(body.to_vec()).map_err(|_| PostError::Unread)
    }
}
