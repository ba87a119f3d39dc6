//! Everything mails say, one static for each language.
//!
//! A text without a gap is a `&str`, one with a gap a function, so a language that lacks a text or
//! forgets a gap does not compile. Texts are plain: what goes into HTML is escaped there, names
//! included. English stays within ASCII, so that its mails need no transfer encoding.

mod de;
mod en;

use tenantry_core::Locale;

use crate::when::{Moment, Span};

/// The texts of one language.
pub(crate) struct Texts {
    /// A point in time, to the minute, with its zone.
    pub(crate) moment: fn(Moment) -> String,
    /// A span of time, as after "for".
    pub(crate) span: fn(Span) -> String,
    /// What every mail says.
    pub(crate) common: Common,
    /// A tenant's member sets the first password.
    pub(crate) setup: Setup,
    /// A platform admin sets the first password.
    pub(crate) admin_setup: AdminSetup,
    /// A forgotten password.
    pub(crate) reset: Reset,
    /// One-time codes.
    pub(crate) code: Code,
    /// Proving the address of a registration.
    pub(crate) verify: Verify,
    /// There is an account already.
    pub(crate) already: Already,
    /// Proving an address to change to.
    pub(crate) new_address: NewAddress,
    /// Notice of a changed address.
    pub(crate) address_changed: AddressChanged,
    /// Notice of a changed password.
    pub(crate) changed: Changed,
    /// Notice of a locked account.
    pub(crate) locked: Locked,
    /// New database credentials for a tenant's applications.
    pub(crate) credentials: Credentials,
    /// Asking for a tenant.
    pub(crate) application: Application,
}

/// What every mail says.
pub(crate) struct Common {
    /// The first line; takes the person's name where one is known.
    pub(crate) hello: fn(Option<&str>) -> String,
    /// Stands before a button's address written out.
    pub(crate) or_copy: &'static str,
    /// The last line; takes the platform and the recipient's address.
    pub(crate) sent_to: fn(&str, &str) -> String,
    /// A link with an end; takes the moment.
    pub(crate) until: fn(&str) -> String,
}

/// Texts of [`SetupLink`](crate::message::SetupLink). Functions of one text take the tenant's name.
pub(crate) struct Setup {
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    pub(crate) intro: fn(&str) -> String,
    pub(crate) button: &'static str,
    /// Whom to ask once the link has run out.
    pub(crate) renew: fn(&str) -> String,
    /// Where to sign in later; takes the recipient's address.
    pub(crate) sign_in: fn(&str) -> String,
}

/// Texts of [`AdminSetupLink`](crate::message::AdminSetupLink). Functions take the platform's name.
pub(crate) struct AdminSetup {
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    pub(crate) intro: fn(&str) -> String,
    pub(crate) button: &'static str,
    pub(crate) keep: &'static str,
}

/// Texts of [`PasswordReset`](crate::message::PasswordReset).
pub(crate) struct Reset {
    /// For one tenant; takes its name.
    pub(crate) subject_one: fn(&str) -> String,
    /// For several; takes the platform's name.
    pub(crate) subject_many: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// For one tenant; takes its name.
    pub(crate) intro_one: fn(&str) -> String,
    /// For several.
    pub(crate) intro_many: &'static str,
    pub(crate) button: &'static str,
    /// How long the link works; takes the span.
    pub(crate) valid_one: fn(&str) -> String,
    /// How long each link works; takes the span.
    pub(crate) valid_many: fn(&str) -> String,
    pub(crate) ignore: &'static str,
}

/// Texts of [`PasswordCode`](crate::message::PasswordCode).
pub(crate) struct Code {
    /// For one tenant; takes its name.
    pub(crate) subject_one: fn(&str) -> String,
    /// For several; takes the platform's name.
    pub(crate) subject_many: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// For one tenant; takes its name.
    pub(crate) intro_one: fn(&str) -> String,
    /// For several.
    pub(crate) intro_many: &'static str,
    /// Stands before the address where a code is typed.
    pub(crate) enter: &'static str,
    pub(crate) button: &'static str,
    /// How long the code works; takes the span.
    pub(crate) valid_one: fn(&str) -> String,
    /// How long each code works; takes the span.
    pub(crate) valid_many: fn(&str) -> String,
    pub(crate) keep: &'static str,
}

/// Texts of [`VerifyAddress`](crate::message::VerifyAddress).
pub(crate) struct Verify {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name and the username.
    pub(crate) intro: fn(&str, &str) -> String,
    pub(crate) button: &'static str,
    pub(crate) ignore: &'static str,
}

/// Texts of [`AlreadyRegistered`](crate::message::AlreadyRegistered).
pub(crate) struct Already {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name.
    pub(crate) intro: fn(&str) -> String,
    pub(crate) sign_in: &'static str,
    /// Stands before the address where a password is forgotten.
    pub(crate) forgot: &'static str,
    pub(crate) not_you: &'static str,
}

/// Texts of [`NewAddress`](crate::message::NewAddress).
pub(crate) struct NewAddress {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name.
    pub(crate) intro: fn(&str) -> String,
    pub(crate) button: &'static str,
    /// What counts before.
    pub(crate) until_then: &'static str,
    pub(crate) ignore: &'static str,
}

/// Texts of [`AddressChanged`](crate::message::AddressChanged).
pub(crate) struct AddressChanged {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name and the moment.
    pub(crate) intro: fn(&str, &str) -> String,
    pub(crate) was_you: &'static str,
    /// Takes the tenant's name.
    pub(crate) not_you: fn(&str) -> String,
    pub(crate) button: &'static str,
}

/// Texts of [`PasswordChanged`](crate::message::PasswordChanged).
pub(crate) struct Changed {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name and the moment.
    pub(crate) intro: fn(&str, &str) -> String,
    pub(crate) was_you: &'static str,
    /// Takes the tenant's name.
    pub(crate) not_you: fn(&str) -> String,
    pub(crate) button: &'static str,
}

/// Texts of [`AccountLocked`](crate::message::AccountLocked).
pub(crate) struct Locked {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name and the moment.
    pub(crate) intro: fn(&str, &str) -> String,
    /// Takes the tenant's name.
    pub(crate) was_you: fn(&str) -> String,
    pub(crate) not_you: &'static str,
    pub(crate) button: &'static str,
}

/// Texts of [`CredentialsLink`](crate::message::CredentialsLink).
pub(crate) struct Credentials {
    /// Takes the tenant's name.
    pub(crate) subject: fn(&str) -> String,
    pub(crate) title: &'static str,
    /// Takes the tenant's name.
    pub(crate) intro: fn(&str) -> String,
    pub(crate) button: &'static str,
    /// What changes, and when.
    pub(crate) nothing_yet: &'static str,
    pub(crate) keep: &'static str,
}

/// Texts of [`ConfirmApplication`](crate::message::ConfirmApplication) and
/// [`ApplicationRejected`](crate::message::ApplicationRejected). Functions take the platform's name.
pub(crate) struct Application {
    pub(crate) confirm_subject: fn(&str) -> String,
    pub(crate) confirm_title: &'static str,
    pub(crate) confirm_intro: fn(&str) -> String,
    pub(crate) confirm_button: &'static str,
    pub(crate) not_you: &'static str,
    /// Stands before the address that was asked for.
    pub(crate) wished: &'static str,
    pub(crate) rejected_subject: fn(&str) -> String,
    pub(crate) rejected_title: &'static str,
    pub(crate) rejected_intro: fn(&str) -> String,
    /// Stands before the reason.
    pub(crate) reason: &'static str,
}

impl Texts {
    /// The texts of `locale`.
    pub(crate) const fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &en::TEXTS,
            Locale::De => &de::TEXTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment {
        year: 2026,
        month: 2,
        day: 5,
        hour: 7,
        minute: 3,
    };

    #[test]
    fn times_read_naturally() {
        let (en, de) = (Texts::of(Locale::En), Texts::of(Locale::De));
        assert_eq!((en.moment)(MOMENT), "5 March 2026, 07:03 UTC");
        assert_eq!((de.moment)(MOMENT), "5. März 2026, 07:03 Uhr (UTC)");
        assert_eq!((en.span)(Span::Minutes(1)), "1 minute");
        assert_eq!((en.span)(Span::Hours(24)), "24 hours");
        assert_eq!((de.span)(Span::Minutes(1)), "1 Minute");
        assert_eq!((de.span)(Span::Days(7)), "7 Tage");
    }
}
