//! What the pages say, in every language we speak.
//!
//! One small file for each feature, each text with all its languages side by side, so that one
//! can't be added or changed without the other: a missing language does not compile. Problems of
//! the API and pages of errors share [`problem`]. Nothing here knows HTML; what is filled in is
//! escaped by the template that shows it.

mod account;
mod admin;
mod applications;
mod brand;
mod choose_tenant;
mod credentials;
mod dashboard;
mod dev_mail;
mod devices;
mod docs;
mod domains;
mod everywhere;
pub mod field;
pub mod format;
mod home;
mod login;
mod password;
pub mod problem;
mod recovery;
mod registration;
mod staff;
mod words;

use tenantry_core::Locale;

/// Declares a struct of texts and its value in each language: `name: "English" | "Deutsch";`. The
/// English text is also the field's documentation.
macro_rules! texts {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $en:literal | $de:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name { $(#[doc = $en] pub $field: &'static str,)+ }

        impl $name {
            pub(super) const EN: Self = Self { $($field: $en,)+ };
            pub(super) const DE: Self = Self { $($field: $de,)+ };

            /// Each text's name with its languages.
            #[cfg(test)]
            pub(super) const ALL: &'static [(&'static str, &'static str, &'static str)] =
                &[$((stringify!($field), $en, $de),)+];
        }
    };
}
use texts;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// The language.
    pub locale: Locale,
    /// On every page.
    pub common: everywhere::CommonTexts,
    /// Names of roles, statuses and the like.
    pub words: words::WordTexts,
    /// The sign-in page.
    pub login: login::LoginTexts,
    /// Choosing one of several tenants.
    pub choose_tenant: choose_tenant::ChooseTenantTexts,
    /// Setting and changing a password.
    pub password: password::PasswordTexts,
    /// Setting a new password without the old one.
    pub recovery: recovery::RecoveryTexts,
    /// Registering.
    pub registration: registration::RegistrationTexts,
    /// Changing the user of a tenant's database.
    pub credentials: credentials::CredentialsTexts,
    /// The dashboard.
    pub dashboard: dashboard::DashboardTexts,
    /// One's own account.
    pub account: account::AccountTexts,
    /// Running a tenant's people.
    pub staff: staff::StaffTexts,
    /// Devices on which a PIN is enough, and the PINs.
    pub devices: devices::DeviceTexts,
    /// What a tenant's pages and mails look like.
    pub brand: brand::BrandTexts,
    /// The mails of a development server.
    pub dev_mail: dev_mail::DevMailTexts,
    /// The platform's own front page.
    pub home: home::HomeTexts,
    /// The console of platform admins.
    pub admin: admin::AdminTexts,
    /// Asking for a tenant.
    pub applications: applications::ApplicationTexts,
    /// Domains of a tenant's own.
    pub domains: domains::DomainTexts,
    /// The description of the API.
    pub docs: docs::DocsTexts,
    /// What can be wrong with a field.
    pub field: field::FieldTexts,
}

/// English.
pub static EN: Texts = Texts {
    locale: Locale::En,
    common: everywhere::CommonTexts::EN,
    words: words::WordTexts::EN,
    login: login::LoginTexts::EN,
    choose_tenant: choose_tenant::ChooseTenantTexts::EN,
    password: password::PasswordTexts::EN,
    recovery: recovery::RecoveryTexts::EN,
    registration: registration::RegistrationTexts::EN,
    credentials: credentials::CredentialsTexts::EN,
    dashboard: dashboard::DashboardTexts::EN,
    account: account::AccountTexts::EN,
    staff: staff::StaffTexts::EN,
    devices: devices::DeviceTexts::EN,
    brand: brand::BrandTexts::EN,
    dev_mail: dev_mail::DevMailTexts::EN,
    home: home::HomeTexts::EN,
    admin: admin::AdminTexts::EN,
    applications: applications::ApplicationTexts::EN,
    domains: domains::DomainTexts::EN,
    docs: docs::DocsTexts::EN,
    field: field::FieldTexts::EN,
};

/// German, with "Sie".
pub static DE: Texts = Texts {
    locale: Locale::De,
    common: everywhere::CommonTexts::DE,
    words: words::WordTexts::DE,
    login: login::LoginTexts::DE,
    choose_tenant: choose_tenant::ChooseTenantTexts::DE,
    password: password::PasswordTexts::DE,
    recovery: recovery::RecoveryTexts::DE,
    registration: registration::RegistrationTexts::DE,
    credentials: credentials::CredentialsTexts::DE,
    dashboard: dashboard::DashboardTexts::DE,
    account: account::AccountTexts::DE,
    staff: staff::StaffTexts::DE,
    devices: devices::DeviceTexts::DE,
    brand: brand::BrandTexts::DE,
    dev_mail: dev_mail::DevMailTexts::DE,
    home: home::HomeTexts::DE,
    admin: admin::AdminTexts::DE,
    applications: applications::ApplicationTexts::DE,
    domains: domains::DomainTexts::DE,
    docs: docs::DocsTexts::DE,
    field: field::FieldTexts::DE,
};

/// The texts of a language.
pub fn of(locale: Locale) -> &'static Texts {
    match locale {
        Locale::En => &EN,
        Locale::De => &DE,
    }
}

/// A text with its `{name}` replaced by `value`. What is filled in is taken as it is, also where it
/// looks like a place to fill.
pub fn fill(text: &str, name: &str, value: &str) -> String {
    let place = format!("{{{name}}}");
    text.split(&place).collect::<Vec<_>>().join(value)
}

#[cfg(test)]
mod tests;
