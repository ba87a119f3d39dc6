//! What a mail shows of a tenant.

use serde::{Deserialize, Serialize};

use crate::{Colour, Link, PlainName};

/// A tenant as its mails show it.
#[derive(Clone, Serialize, Deserialize)]
pub struct MailTenant {
    /// Its name.
    pub name: PlainName,
    /// Its colour; without one the platform's.
    pub colour: Option<Colour>,
    /// Where its people sign in. Its host is shown beside the name, since names can be alike.
    pub url: Link,
}

impl MailTenant {
    /// A tenant with this name, cleaned; one of which nothing can be shown is called by its host.
    pub fn new(name: &str, colour: Option<Colour>, url: Link) -> Self {
        let name = PlainName::clean(name).unwrap_or_else(|| PlainName::of_host(&url));
        Self { name, colour, url }
    }
}
