//! Whether a password is known from a breach, asked of a service outside by the first digits of a
//! hash. Off unless the settings name such a service.
//!
//! A password that can't be looked up is allowed: somebody else's outage must keep nobody from
//! setting one, and the other rules hold. The log and a metric say so.

use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_core::password::Password;
use tenantry_keys::password::BreachRange;
use tenantry_webhooks::{Deliverer, PostError};
use url::Url;

use crate::Service;
use crate::refusal::Chain;

/// The longest answer that is read, in octets. With padding there are at most 1,000 lines in one,
/// each of about 40 octets; it may grow to many times that.
const ANSWER: usize = 1 << 20;

/// Who is asked, and how.
#[derive(Clone)]
pub struct BreachCheck {
    /// What the five digits are put behind, such as `https://api.pwnedpasswords.com/range/`.
    pub url: Url,
    /// How the question goes out. An operator names the service, so it may lie inside.
    pub http: Deliverer,
}

/// How often was asked, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreachLooks {
    /// Passwords that were found.
    pub found: u64,
    /// Passwords that were not.
    pub not_found: u64,
    /// Passwords that could not be looked up, and were allowed.
    pub failed: u64,
}

/// The counts behind [`BreachLooks`].
#[derive(Default)]
pub(crate) struct Looks {
    found: AtomicU64,
    not_found: AtomicU64,
    failed: AtomicU64,
}

impl BreachCheck {
    async fn find(&self, password: &Password) -> Result<bool, PostError> {
        let range = BreachRange::of(password);
        let mut url = self.url.clone();
        url.set_path(&format!("{}{}", self.url.path(), range.told()));
        // Padding hides from whoever sees the length of the answer which range it was.
        let headers = [("add-padding", "true"), ("accept", "text/plain")];
        let answer = self.http.ask(&url, &headers, ANSWER).await?;
        Ok(range.is_in(&answer))
    }
}

impl Service {
    /// How often a service outside was asked about a password.
    pub fn breach_looks(&self) -> BreachLooks {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let looks = self.looks();
        BreachLooks {
            found: count(&looks.found),
            not_found: count(&looks.not_found),
            failed: count(&looks.failed),
        }
    }

    pub(super) async fn is_breached(&self, password: &Password) -> bool {
        let Some(check) = &self.settings().breach_check else {
            return false;
        };
        let looks = self.looks();
        let (counter, found) = match check.find(password).await {
            Ok(true) => (&looks.found, true),
            Ok(false) => (&looks.not_found, false),
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    "a password could not be looked up among stolen ones and was allowed; see passwords.breach_check_url"
                );
                (&looks.failed, false)
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }
}
