//! `[passwords]`

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::password::PasswordPolicy;
use tenantry_service::password::BreachCheck;
use tenantry_webhooks::{Deliverer, Rules};

use super::masking;
use super::refusal::wrong;
use crate::exit::Exit;

/// How long a service outside may take to say whether a password is known from a breach. Somebody
/// waits for it, and without an answer the password is allowed.
const BREACH_PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Passwords {
    /// Fewest characters.
    #[serde(rename(serialize = "password_min"))]
    min: usize,
    /// Most characters.
    #[serde(rename(serialize = "password_max"))]
    max: usize,
    /// What is asked whether a new password is known from a breach, such as
    /// `https://api.pwnedpasswords.com/range/`; five digits of a hash are put behind it.
    #[serde(serialize_with = "masking::url_if_any")]
    breach_check_url: Option<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        let policy = PasswordPolicy::default();
        Self {
            min: policy.min,
            max: policy.max,
            breach_check_url: None,
        }
    }
}

impl Passwords {
    pub(super) fn check(&self) -> Result<(), Exit> {
        if self.min < 8 || !(64..=256).contains(&self.max) || self.min > self.max {
            return Err(wrong(
                "passwords.min and passwords.max",
                "min is at least 8, max is 64 to 256 and no less than min (NIST SP 800-63B-4, 3.1.1.2)",
            ));
        }
        self.breach_check().map(drop)
    }

    pub(super) const fn policy(&self) -> PasswordPolicy {
        PasswordPolicy {
            min: self.min,
            max: self.max,
        }
    }

    /// Who is asked whether a new password is known from a breach.
    pub(super) fn breach_check(&self) -> Result<Option<BreachCheck>, Exit> {
        let Some(text) = &self.breach_check_url else {
            return Ok(None);
        };
        // An operator names the service, which may lie inside.
        let rules = Rules {
            allow_http: true,
            allow_private: true,
        };
        let url = rules
            .read(text)
            .map_err(|error| wrong("passwords.breach_check_url", error))?;
        if url.query().is_some() || !url.path().ends_with('/') {
            return Err(wrong(
                "passwords.breach_check_url",
                "it ends with a `/`, behind which five digits are put",
            ));
        }
        let http = Deliverer::new(rules).with_patience(BREACH_PATIENCE);
        Ok(Some(BreachCheck { url, http }))
    }
}
