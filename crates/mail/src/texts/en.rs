//! English.

use super::{AdminSetup, Changed, Common, Credentials, Locked, Reset, Setup, Texts};
use crate::when::Span;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn count(number: u64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

pub(super) static TEXTS: Texts = Texts {
    moment: |m| {
        let month = MONTHS.get(m.month).copied().unwrap_or_default();
        format!(
            "{} {month} {}, {:02}:{:02} UTC",
            m.day, m.year, m.hour, m.minute
        )
    },
    span: |span| match span {
        Span::Minutes(number) => count(number, "minute"),
        Span::Hours(number) => count(number, "hour"),
        Span::Days(number) => count(number, "day"),
    },
    common: Common {
        hello: |name| match name {
            Some(name) => format!("Hello {name},"),
            None => "Hello,".to_owned(),
        },
        or_copy: "Or copy this address into your browser:",
        sent_to: |platform, to| format!("{platform} sent this message automatically to {to}."),
        until: |moment| format!("The link works once, until {moment}."),
    },
    setup: Setup {
        subject: |tenant| format!("Set up your account at {tenant}"),
        title: "Choose your password",
        intro: |tenant| {
            format!("An account at {tenant} is ready for you. Choose a password to start using it.")
        },
        button: "Choose a password",
        renew: |tenant| format!("If it has run out, ask whoever manages {tenant} for a new one."),
        sign_in: |to| format!("Once your password is set, sign in as {to} here:"),
    },
    admin_setup: AdminSetup {
        subject: |platform| format!("Set up your {platform} administrator account"),
        title: "Choose your administrator password",
        intro: |platform| {
            format!(
                "An administrator account at {platform} is ready for you. \
                 Choose a password to start using it."
            )
        },
        button: "Choose a password",
        keep: "Please do not forward this message: whoever uses the link first gets the account.",
    },
    reset: Reset {
        subject_one: |tenant| format!("Reset your password at {tenant}"),
        subject_many: |platform| format!("Reset your {platform} password"),
        title: "Reset your password",
        intro_one: |tenant| {
            format!("A new password for your account at {tenant} was requested, hopefully by you.")
        },
        intro_many: "A new password was requested for this address, hopefully by you. \
                     It has several accounts, and each link below is for one of them only.",
        button: "Choose a new password",
        valid_one: |span| format!("The link works once, for {span}."),
        valid_many: |span| format!("Each link works once, for {span}."),
        ignore: "If it was not you, there is nothing to do: your password stays as it is.",
    },
    changed: Changed {
        subject: |tenant| format!("Your password at {tenant} was changed"),
        title: "Your password was changed",
        intro: |tenant, moment| {
            format!(
                "The password of your account at {tenant} was changed on {moment}. \
                 Your devices may ask you to sign in again."
            )
        },
        was_you: "If that was you, there is nothing to do.",
        not_you: |tenant| {
            format!(
                "If it was not you, choose a new password at once with \"Forgot password?\" on \
                 the sign-in page, and let whoever manages {tenant} know."
            )
        },
        button: "Open the sign-in page",
    },
    locked: Locked {
        subject: |tenant| format!("Your account at {tenant} is locked"),
        title: "Your account is locked",
        intro: |tenant, moment| {
            format!(
                "After too many failed attempts to sign in, your account at {tenant} was locked \
                 on {moment}. None of these attempts succeeded."
            )
        },
        was_you: |tenant| {
            format!(
                "If that was you, choose a new password with \"Forgot password?\" on the sign-in \
                 page. If that does not help, whoever manages {tenant} can help."
            )
        },
        not_you: "If it was not you, someone may be guessing your password. \
                  A long one that you use nowhere else keeps them out.",
        button: "Open the sign-in page",
    },
    credentials: Credentials {
        subject: |tenant| format!("New database access for {tenant}"),
        title: "Get new database access",
        intro: |tenant| {
            format!(
                "The database of {tenant} can get a new user and password for your applications. \
                 The link below creates them and shows them to you, once."
            )
        },
        button: "Get new access",
        nothing_yet: "Nothing changes until you use it. Afterwards the old access goes on working \
                      for a while, so that your applications can change over.",
        keep: "Please do not forward this message: whoever uses the link sees the new password.",
    },
};
