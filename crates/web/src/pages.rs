//! The pages: what each shows and how it looks, and nothing about how a request gets there.
//!
//! One struct for each page, with its template, next to `samples()` in each state it can have; a
//! test renders every sample in every language. Handlers fill a struct and answer with its
//! [`render`](askama::Template::render). A page refuses to know use cases: what it shows is passed
//! in as values.

pub mod admin;
pub mod choose_tenant;
pub mod chrome;
pub mod credentials;
pub mod dashboard;
pub mod dev_mail;
pub mod docs;
pub mod error;
pub mod home;
mod house;
mod linked;
pub mod login;
pub mod password;
pub mod samples;

pub use chrome::{Brand, Chrome, Person};

/// Addresses that the pages lead to, and names of their hidden fields.
pub mod paths {
    /// Signing in; the form is sent to the same address.
    pub const LOGIN: &str = "/login";
    /// Signing out, by a form.
    pub const LOGOUT: &str = "/logout";
    /// Choosing one of several tenants, by a form.
    pub const CHOOSE_TENANT: &str = "/choose-tenant";
    /// Asking for a new password.
    pub const FORGOT_PASSWORD: &str = "/forgot-password";
    /// Changing the password; the form is sent to the same address.
    pub const CHANGE_PASSWORD: &str = "/account/password";
    /// Where somebody signed in begins.
    pub const DASHBOARD: &str = "/dashboard";
    /// The console; below it a tenant's page at `/{slug}` and its actions at `/{slug}/{action}`.
    pub const ADMIN: &str = "/admin/tenants";
    /// The servers that tenants are placed on.
    pub const CLUSTERS: &str = "/admin/clusters";
    /// Mails of a development server; one at `/{id}`, its HTML part at `/{id}/html`.
    pub const DEV_MAIL: &str = "/dev/mail";
    /// The description of the API.
    pub const DOCS: &str = "/docs";
    /// The same for programs.
    pub const OPENAPI: &str = "/openapi.json";
    /// The form field that carries the token against forged forms.
    pub const CSRF: &str = "csrf_token";
    /// The form field that says where to go after signing in.
    pub const RETURN_TO: &str = "return_to";
}

/// A text as part of a query or a path (RFC 3986, section 2.3): all but unreserved characters
/// encoded.
fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(octet >> 4)]));
            out.push(char::from(DIGITS[usize::from(octet & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
