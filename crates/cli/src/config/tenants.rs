//! `[tenants]`

use serde::{Deserialize, Serialize};
use tenantry_core::application::Signup;

use super::refusal::wrong;
use crate::exit::Exit;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Given {
    /// What a tenant's code begins with.
    code_prefix: Option<String>,
    /// Who gets a tenant by asking for one: `closed`, `apply` or `open`.
    signup: Option<String>,
}

/// What holds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tenants {
    pub(super) code_prefix: String,
    pub(super) signup: Signup,
}

impl Given {
    pub(super) fn decide(self) -> Result<Tenants, Exit> {
        let signup = self.signup.as_deref().map_or(Ok(Signup::Closed), |text| {
            text.parse()
                .map_err(|_| wrong("tenants.signup", "it is `closed`, `apply` or `open`"))
        })?;
        let code_prefix = self.code_prefix.unwrap_or_else(|| "TEN".to_owned());
        let capitals = code_prefix.bytes().all(|b| b.is_ascii_uppercase());
        if !(1..=8).contains(&code_prefix.len()) || !capitals {
            return Err(wrong(
                "tenants.code_prefix",
                "it has 1 to 8 capital letters",
            ));
        }
        Ok(Tenants {
            code_prefix,
            signup,
        })
    }
}
