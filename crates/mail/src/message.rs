//! The messages: what each is told, and which templates show it.
//!
//! One struct for each kind of mail, in the file of its feature, and one variant of [`Message`].
//! Every text part holds each link whole on a line of its own, beside the tenant's name where
//! several are listed; a test renders all samples in all languages and checks that.

mod application;
mod credentials;
mod new_address;
mod recovery;
mod registration;
mod setup;
mod throttle;

use serde::{Deserialize, Serialize};

pub use application::{ApplicationRejected, ConfirmApplication};
pub use credentials::CredentialsLink;
pub use new_address::{AddressChanged, NewAddress};
pub use recovery::{PasswordChanged, PasswordCode, PasswordReset, ResetLink, TenantCode};
pub use registration::{AlreadyRegistered, VerifyAddress};
pub use setup::{AdminSetupLink, SetupLink};
pub use throttle::AccountLocked;

use crate::frame::{Context, Frame};
use crate::{Link, LinkError, MailTenant};

/// A mail to be written: what the outbox keeps, sealed, as JSON, since it may hold links that
/// open an account. For that reason it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A person of a tenant chooses the first password.
    SetupLink(SetupLink),
    /// A platform admin chooses the first password.
    AdminSetupLink(AdminSetupLink),
    /// A forgotten password, in one tenant or several.
    PasswordReset(PasswordReset),
    /// One-time codes for a forgotten password, in one tenant or several.
    PasswordCode(PasswordCode),
    /// Somebody who registered proves the address.
    VerifyAddress(VerifyAddress),
    /// Notice: somebody registered with the address of an account.
    AlreadyRegistered(AlreadyRegistered),
    /// A person proves the address to have from now on.
    NewAddress(NewAddress),
    /// Notice: the address was changed.
    AddressChanged(AddressChanged),
    /// Notice: the password was changed.
    PasswordChanged(PasswordChanged),
    /// Notice: the account was locked.
    AccountLocked(AccountLocked),
    /// An owner may change an application's database credentials.
    CredentialsLink(CredentialsLink),
    /// Whoever asked for a tenant proves the address.
    ConfirmApplication(ConfirmApplication),
    /// Notice: there will be no tenant.
    ApplicationRejected(ApplicationRejected),
}

impl Message {
    /// Examples of every message, for tests and for looking at the templates.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let mut samples = Vec::new();
        samples.extend(SetupLink::samples()?.into_iter().map(Self::from));
        samples.extend(AdminSetupLink::samples()?.into_iter().map(Self::from));
        samples.extend(PasswordReset::samples()?.into_iter().map(Self::from));
        samples.extend(PasswordCode::samples()?.into_iter().map(Self::from));
        samples.extend(VerifyAddress::samples()?.into_iter().map(Self::from));
        samples.extend(AlreadyRegistered::samples()?.into_iter().map(Self::from));
        samples.extend(NewAddress::samples()?.into_iter().map(Self::from));
        samples.extend(AddressChanged::samples()?.into_iter().map(Self::from));
        samples.extend(PasswordChanged::samples()?.into_iter().map(Self::from));
        samples.extend(AccountLocked::samples()?.into_iter().map(Self::from));
        samples.extend(CredentialsLink::samples()?.into_iter().map(Self::from));
        samples.extend(ConfirmApplication::samples()?.into_iter().map(Self::from));
        samples.extend(ApplicationRejected::samples()?.into_iter().map(Self::from));
        Ok(samples)
    }

    /// The kind, as in JSON; for logs and counters.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetupLink(_) => "setup_link",
            Self::AdminSetupLink(_) => "admin_setup_link",
            Self::PasswordReset(_) => "password_reset",
            Self::PasswordCode(_) => "password_code",
            Self::VerifyAddress(_) => "verify_address",
            Self::AlreadyRegistered(_) => "already_registered",
            Self::NewAddress(_) => "new_address",
            Self::AddressChanged(_) => "address_changed",
            Self::PasswordChanged(_) => "password_changed",
            Self::AccountLocked(_) => "account_locked",
            Self::CredentialsLink(_) => "credentials_link",
            Self::ConfirmApplication(_) => "confirm_application",
            Self::ApplicationRejected(_) => "application_rejected",
        }
    }

    /// Every link that the mail holds.
    pub fn links(&self) -> Vec<&Link> {
        self.mail().links()
    }

    pub(crate) fn mail(&self) -> &dyn Mail {
        match self {
            Self::SetupLink(mail) => mail,
            Self::AdminSetupLink(mail) => mail,
            Self::PasswordReset(mail) => mail,
            Self::PasswordCode(mail) => mail,
            Self::VerifyAddress(mail) => mail,
            Self::AlreadyRegistered(mail) => mail,
            Self::NewAddress(mail) => mail,
            Self::AddressChanged(mail) => mail,
            Self::PasswordChanged(mail) => mail,
            Self::AccountLocked(mail) => mail,
            Self::CredentialsLink(mail) => mail,
            Self::ConfirmApplication(mail) => mail,
            Self::ApplicationRejected(mail) => mail,
        }
    }
}

/// What the frame and the envelope ask of every kind of mail.
pub(crate) trait Mail: Templates {
    /// The tenant whose look the mail carries; without one the platform's.
    fn tenant(&self) -> Option<&MailTenant>;

    /// The subject line.
    fn subject(&self, cx: &Context<'_>) -> String;

    /// What mail programs show behind the subject in a list: one sentence that isn't the subject.
    fn preheader(&self, cx: &Context<'_>) -> String;

    /// Every link that the mail holds.
    fn links(&self) -> Vec<&Link>;
}

/// The two forms of a mail; implemented by [`template_pair!`].
pub(crate) trait Templates {
    /// The plain-text part.
    fn text(&self, cx: Context<'_>) -> Result<String, askama::Error>;

    /// The HTML part.
    fn html(&self, frame: Frame<'_>) -> Result<String, askama::Error>;
}

/// Gives a kind of mail its two templates, and makes it a variant of [`Message`].
macro_rules! template_pair {
    ($mail:ident, $text:tt, $html:tt) => {
        const _: () = {
            #[derive(askama::Template)]
            #[template(path = $text)]
            struct Text<'a> {
                cx: $crate::frame::Context<'a>,
                mail: &'a $mail,
            }

            #[derive(askama::Template)]
            #[template(path = $html)]
            struct Html<'a> {
                f: $crate::frame::Frame<'a>,
                mail: &'a $mail,
            }

            impl $crate::message::Templates for $mail {
                fn text(&self, cx: $crate::frame::Context<'_>) -> Result<String, askama::Error> {
                    askama::Template::render(&Text { cx, mail: self })
                }

                fn html(&self, f: $crate::frame::Frame<'_>) -> Result<String, askama::Error> {
                    askama::Template::render(&Html { f, mail: self })
                }
            }

            impl From<$mail> for $crate::Message {
                fn from(mail: $mail) -> Self {
                    Self::$mail(mail)
                }
            }
        };
    };
}
use template_pair;

#[cfg(test)]
mod tests;
