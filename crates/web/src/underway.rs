//! What every answer has in common: an id, headers, a line in the log, numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tenantry_core::{Entropy, Timestamp};
use uuid::Uuid;

use crate::App;
use crate::forward_auth::{self, FORWARD_AUTH};

/// What browsers are told about every answer.
const FOR_BROWSERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Headers with room for `more`, and with what [`Underway::finish`] puts into each answer: headers
/// that are copied for many answers grow in none.
pub(crate) fn with_room(more: usize) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(more + 2);
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(X_REQUEST_ID, HeaderValue::from_static(""));
    headers
}

/// The id to find a request again by. Always ours: a client's own would let it write into our logs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestId(Uuid);

/// Draws the ids of this process's requests: UUIDs of version 7 whose random bits are drawn once and
/// counted up from (RFC 9562, section 6.2, method 2). Nothing hangs on whether one can be guessed, and
/// asking the system for bits costs more than all else that an answer has.
pub(crate) struct RequestIds {
    node: u16,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(entropy: &Entropy) -> Self {
        Self {
            node: u16::from_be_bytes(entropy.bytes()),
            next: AtomicU64::new(u64::from_be_bytes(entropy.bytes())),
        }
    }

    fn next(&self, now: Timestamp) -> RequestId {
        let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
        let mut random = [0; 10];
        random[..2].copy_from_slice(&self.node.to_be_bytes());
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        random[2..].copy_from_slice(&count.to_be_bytes());
        RequestId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A request under way.
pub(crate) struct Underway {
    /// What it is found again by.
    pub(crate) id: RequestId,
    method: Method,
    begun: Instant,
}

impl Underway {
    /// From here on it is under way.
    pub(crate) fn begin(app: &App, method: &Method) -> Self {
        Self {
            begun: Instant::now(),
            id: app.request_ids.next(app.service.clock().now()),
            method: method.clone(),
        }
    }

    /// Its answer, with what all answers have; `path` is the route's, where it met one.
    pub(crate) fn finish(self, app: &App, path: Option<&str>, mut response: Response) -> Response {
        let status = response.status();
        // What a proxy lets through is answered by somebody else, with headers of their own; and the
        // proxy logs it.
        let is_passed_on =
            path == Some(FORWARD_AUTH) && status == StatusCode::OK && self.method == Method::GET;
        let headers = response.headers_mut();
        if !is_passed_on {
            for (name, value) in FOR_BROWSERS {
                headers.entry(name).or_insert(value);
            }
            headers
                .entry(header::CONTENT_SECURITY_POLICY)
                .or_insert_with(|| app.content_security_policy.clone());
        }
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        let id = forward_auth::of_uuid(self.id.0);
        headers.insert(X_REQUEST_ID, id);
        let took = self.begun.elapsed();
        let (method, status) = (&self.method, status.as_u16());
        if is_passed_on {
            app.metrics.passed_on(took);
        } else {
            app.metrics.answered(method, path, status, took);
        }
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let path = path.unwrap_or("unmatched");
        if is_passed_on {
            tracing::debug!(request.id = %self.id, http.method = %method, http.route = path, http.status = status, took_us, "answered");
        } else {
            tracing::info!(request.id = %self.id, http.method = %method, http.route = path, http.status = status, took_us, "answered");
        }
        response
    }
}
