//! Settings that hold secrets, as `tenantry config` shows them.

use serde::Serializer;
use url::Url;

/// What stands in the place of a secret.
const MASK: &str = "********";

/// A URL that may be shown. A password may stand before the host or, for PostgreSQL, among the
/// parameters; what can't be taken apart is masked whole.
fn without_secrets(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return MASK.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        let parameters: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let secret = name.to_ascii_lowercase().contains("password");
                let value = if secret { MASK } else { &*value };
                (name.clone().into_owned(), value.to_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(parameters);
    }
    url.to_string()
}

/// A URL, its password masked.
pub(super) fn url<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&without_secrets(text))
}

/// A URL, its password masked, if it is set.
#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
pub(super) fn url_if_any<S: Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => url(text, serializer),
        None => serializer.serialize_none(),
    }
}

/// A key, masked whole, if it is set.
#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
pub(super) fn key_if_any<S: Serializer>(
    key: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match key {
        Some(_) => serializer.serialize_str(MASK),
        None => serializer.serialize_none(),
    }
}
