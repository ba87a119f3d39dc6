//! The new access, once.

use askama::Template;
use tenantry_core::{Locale, Timestamp};

use super::clients::{self, Client};
use crate::i18n::{self, format};
use crate::pages::Chrome;
use crate::pages::samples::{self, Samples};

/// The page that shows new database access. It is the answer to the form and can't be loaded again.
#[derive(Clone, Template)]
#[template(path = "credentials/shown.html")]
pub struct CredentialsShownPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The access.
    pub access: Access,
    /// The user it replaces, if there was one.
    pub old: Option<OldUser>,
}

/// Everything to connect with. Has no `Debug`, since it holds a password.
#[derive(Clone)]
pub struct Access {
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// Where the application's tables go.
    pub schema: String,
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// All of it as one URL.
    pub url: String,
}

/// A user that works for a while yet.
#[derive(Debug, Clone)]
pub struct OldUser {
    /// Its name.
    pub name: String,
    /// Until when it works.
    pub until: Timestamp,
}

/// A value to copy.
struct Value {
    id: &'static str,
    label: &'static str,
    text: String,
}

impl CredentialsShownPage {
    fn values(&self) -> [Value; 6] {
        let t = &self.chrome.t().credentials;
        let value = |id, label, text: &str| Value {
            id,
            label,
            text: text.to_owned(),
        };
        [
            value("password", t.password, &self.access.password),
            value("user", t.user, &self.access.user),
            value("host", t.host, &self.access.host),
            value("port", t.port, &self.access.port.to_string()),
            value("database", t.database, &self.access.database),
            value("schema", t.schema, &self.access.schema),
        ]
    }

    fn clients(&self) -> [Client; 5] {
        clients::clients(&self.access, self.chrome.t().credentials.environment)
    }

    /// What becomes of the old user, after its name.
    fn old_text(&self, old: &OldUser) -> String {
        let until = format::date_time(self.chrome.locale, old.until);
        i18n::fill(self.chrome.t().credentials.old_until, "time", &until)
    }
}

impl Samples for CredentialsShownPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let access = Access {
            host: "pg-7.eu-1.example.com".to_owned(),
            port: 5432,
            database: "t_5b1e7c449d0e3f1c_g1".to_owned(),
            schema: "app".to_owned(),
            user: "t_5b1e7c449d0e3f1c_g1_b".to_owned(),
            password: "Kq3vX-9mWc_T2rLz8FbYh6NdJp4sGa7E".to_owned(),
            url: "postgres://t_5b1e7c449d0e3f1c_g1_b:Kq3vX-9mWc_T2rLz8FbYh6NdJp4sGa7E\
                  @pg-7.eu-1.example.com:5432/t_5b1e7c449d0e3f1c_g1"
                .to_owned(),
        };
        let old = OldUser {
            name: "t_5b1e7c449d0e3f1c_g1_a".to_owned(),
            until: samples::time(),
        };
        let hostile = Access {
            password: samples::HOSTILE_NAME.to_owned(),
            url: samples::HOSTILE_NAME.to_owned(),
            ..access.clone()
        };
        let page = |chrome, access, old| Self {
            chrome,
            access,
            old,
        };
        vec![
            (
                "credentials-shown",
                page(samples::acme(locale), access.clone(), Some(old.clone())),
            ),
            (
                "credentials-shown-first",
                page(samples::globex(locale), access, None),
            ),
            (
                "credentials-shown-hostile",
                page(samples::hostile(locale), hostile, Some(old)),
            ),
        ]
    }
}
