//! `[mail]`

use serde::{Deserialize, Serialize};
use tenantry_core::{Email, Locale};
use tenantry_mail::Sender;

use super::refusal::wrong;
use crate::exit::Exit;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Given {
    /// The sender's address.
    from: Option<String>,
    /// The sender's name.
    name: Option<String>,
    /// The language of mails to people whose language is not known.
    locale: Option<Locale>,
}

/// What holds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mail {
    #[serde(rename = "mail_from")]
    from: String,
    #[serde(rename = "mail_name")]
    name: String,
    #[serde(rename = "mail_locale")]
    pub(super) locale: Locale,
}

impl Given {
    pub(super) fn decide(self, base_domain: &str) -> Result<Mail, Exit> {
        let mail = Mail {
            from: self
                .from
                .unwrap_or_else(|| format!("no-reply@{base_domain}")),
            name: self.name.unwrap_or_else(|| "Tenantry".to_owned()),
            locale: self.locale.unwrap_or_default(),
        };
        mail.sender()?;
        Ok(mail)
    }
}

impl Mail {
    pub(super) fn sender(&self) -> Result<Sender, Exit> {
        let address: Email = self
            .from
            .parse()
            .map_err(|error| wrong("mail.from", error))?;
        Ok(Sender::new(&self.name, address))
    }
}
