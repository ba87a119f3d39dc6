//! The pages: what each shows and how it looks, and nothing about how a request gets there.
//!
//! One struct for each page, with its template, next to `samples()` in each state it can have; a
//! test renders every sample in every language. Handlers fill a struct and answer with its
//! [`render`](askama::Template::render). A page refuses to know use cases: what it shows is passed
//! in as values.

pub mod account;
pub mod admin;
pub mod brand;
pub mod choose_tenant;
pub mod chrome;
pub mod credentials;
pub mod dashboard;
pub mod dev_mail;
pub mod docs;
pub mod error;
pub mod field;
pub mod home;
mod house;
mod linked;
pub mod login;
pub mod new_address;
pub mod password;
pub mod recovery;
pub mod registration;
pub mod samples;
pub mod signup;
pub mod staff;

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
    /// Setting one with a code; the form is sent to the same address.
    pub const RESET_BY_CODE: &str = "/reset-password/otp";
    /// Making an account; the form is sent to the same address.
    pub const REGISTER: &str = "/register";
    /// Changing the password; the form is sent to the same address.
    pub const CHANGE_PASSWORD: &str = "/account/password";
    /// One's own names and address; the form is sent to the same address.
    pub const ACCOUNT: &str = "/account";
    /// One's own sessions.
    pub const SESSIONS: &str = "/account/sessions";
    /// A tenant's people; below it a person's page at `/{id}` and its actions at `/{id}/{action}`.
    pub const STAFF: &str = "/staff";
    /// Adding somebody; the form is sent to the same address.
    pub const STAFF_NEW: &str = "/staff/new";
    /// Devices on which a PIN is enough; the form is sent to the same address, one's removal to
    /// `/{id}/remove`.
    pub const DEVICES: &str = "/staff/devices";
    /// What holds for everybody in a tenant; its forms are sent to the same address and below it.
    pub const SETTINGS: &str = "/settings";
    /// Where somebody signed in begins.
    pub const DASHBOARD: &str = "/dashboard";
    /// The console; below it a tenant's page at `/{slug}` and its actions at `/{slug}/{action}`.
    pub const ADMIN: &str = "/admin/tenants";
    /// Asking for a tenant; the form is sent to the same address.
    pub const SIGNUP: &str = "/signup";
    /// Who asks for a tenant; one's actions at `/{id}/{action}`.
    pub const APPLICATIONS: &str = "/admin/applications";
    /// The servers that tenants are placed on.
    pub const CLUSTERS: &str = "/admin/clusters";
    /// Who did what; its form is sent to the same address, by GET.
    pub const AUDIT: &str = "/admin/audit";
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
