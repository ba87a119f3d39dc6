//! An answer, and what the contract says of every one.

use http::HeaderMap;
use serde_json::Value;
use uuid::Uuid;

/// What must never stand in an answer to somebody who did something wrong: SQL, paths, what a
/// program says when it breaks.
const LEAKS: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "SQLSTATE",
    "sqlx",
    "sqlite",
    "postgres",
    "constraint",
    "src/",
    ".rs",
    ".db",
    "/tmp",
    "panicked",
    "backtrace",
    "unwrap",
    "os error",
];

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's octets.
    pub body: Vec<u8>,
}

impl Answer {
    /// The only value of a header.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} is given twice");
        Some(first.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{}",
            self.text()
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as JSON, of an answer with this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The `code` of problem details, where the body is some.
    pub fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body["code"].as_str().map(str::to_owned)
    }

    /// Expects problem details with this status and code, whole and without a field too many; gives
    /// them back.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let seen = (self.status, self.code());
        assert_eq!(seen, (status, Some(code.to_owned())), "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let mut expected = vec!["code", "detail", "request_id", "status", "title", "type"];
        match code {
            "validation_failed" => expected.push("errors"),
            "tenant_selection_required" => expected.extend(["selection_token", "tenants"]),
            _ => {}
        }
        expected.sort_unstable();
        assert_eq!(names(&body), expected, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
        for text in ["type", "title", "detail"] {
            assert!(
                body[text].as_str().is_some_and(|text| !text.is_empty()),
                "{body}"
            );
        }
        if status == 401 {
            assert_eq!(self.header("www-authenticate"), Some("Bearer"));
        }
        if matches!(code, "rate_limited" | "busy") {
            let wait: u64 = self.header("retry-after").unwrap().parse().unwrap();
            assert!(wait > 0, "Retry-After is a number of seconds above 0");
        }
        body
    }

    /// Expects `validation_failed` about exactly these fields, as `field:code`.
    #[track_caller]
    pub fn invalid(&self, fields: &[&str]) {
        let body = self.problem(422, "validation_failed");
        let list = body["errors"].as_array().unwrap();
        let seen: Vec<String> = list
            .iter()
            .map(|error| {
                assert_eq!(names(error), ["code", "field", "message"]);
                assert!(
                    error["message"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty())
                );
                let text = |name: &str| error[name].as_str().unwrap().to_owned();
                format!("{}:{}", text("field"), text("code"))
            })
            .collect();
        assert_eq!(seen, fields);
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert!(
            (300..400).contains(&self.status),
            "{} {}",
            self.status,
            self.text()
        );
        self.header("location").unwrap()
    }

    /// Expects what every answer of the router has.
    #[track_caller]
    pub fn expect_common(&self, asked: &str) {
        let id = self.header("x-request-id");
        let id: Uuid = id
            .unwrap_or_else(|| panic!("{asked}: {} has no X-Request-Id", self.status))
            .parse()
            .unwrap();
        assert_eq!(id.get_version_num(), 7, "{asked}: X-Request-Id");
        // A proxy that lets a request through sends nobody this answer.
        if !(self.status == 200 && asked.ends_with("/auth/verify")) {
            self.expect_for_browsers(asked);
        }
        assert!(
            self.header("cache-control").is_some(),
            "{asked}: Cache-Control"
        );
        assert_ne!(self.status, 500, "{asked}: {}", self.text());
        if self.status >= 400 {
            let text = self.text();
            for leak in LEAKS {
                assert!(
                    !text.contains(leak),
                    "{asked}: an answer with {leak:?}: {text}"
                );
            }
        }
    }
}

impl Answer {
    /// What browsers are told about every answer.
    #[track_caller]
    fn expect_for_browsers(&self, asked: &str) {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(self.header(name), Some(value), "{asked}: {name}");
        }
        let csp = self.header("content-security-policy").unwrap_or_default();
        assert!(csp.contains("default-src 'none'"), "{asked}: {csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{asked}: {csp}");
        assert!(!csp.contains("unsafe"), "{asked}: {csp}");
    }
}

/// The names of an object's fields, in order.
fn names(object: &Value) -> Vec<&str> {
    let fields = object.as_object().into_iter().flatten();
    let mut names: Vec<&str> = fields.map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}
