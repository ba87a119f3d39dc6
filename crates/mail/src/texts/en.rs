//! English.

use super::{
    AddressChanged, AdminSetup, Already, Application, Changed, Code, Common, Credentials, Locked,
    NewAddress, Reset, Setup, Texts, Verify,
};
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
    code: Code {
        subject_one: |tenant| format!("Your code for a new password at {tenant}"),
        subject_many: |platform| format!("Your codes for a new {platform} password"),
        title: "Your code for a new password",
        intro_one: |tenant| {
            format!("A new password for your account at {tenant} was requested, hopefully by you.")
        },
        intro_many: "A new password was requested for this address, hopefully by you. \
                     It has several accounts, and each code below is for one of them only.",
        enter: "Type the code here:",
        button: "Enter the code",
        valid_one: |span| format!("The code works once, for {span}."),
        valid_many: |span| format!("Each code works once, for {span}."),
        keep: "Never tell it to anybody, not even to somebody who says to be from support.",
    },
    verify: Verify {
        subject: |tenant| format!("Confirm your address for {tenant}"),
        title: "Confirm your address",
        intro: |tenant, username| {
            format!(
                "Somebody, hopefully you, registered at {tenant} with this address, as \
                 \"{username}\". Confirm that it was you to create the account."
            )
        },
        button: "Confirm the address",
        ignore: "If you did not choose this name, do not follow the link: the account would have \
                 somebody else's password. Without the link there is no account.",
    },
    already: Already {
        subject: |tenant| format!("You already have an account at {tenant}"),
        title: "You already have an account",
        intro: |tenant| {
            format!(
                "Somebody, hopefully you, tried to register at {tenant} with this address. \
                 It has an account there already, so nothing was changed."
            )
        },
        sign_in: "Sign in",
        forgot: "Forgot the password? Choose a new one here:",
        not_you: "If it was not you, there is nothing to do.",
    },
    new_address: NewAddress {
        subject: |tenant| format!("Confirm your new address at {tenant}"),
        title: "Confirm your new address",
        intro: |tenant| {
            format!(
                "This address is to become the one of an account at {tenant}. \
                 Confirm it, and the account changes over."
            )
        },
        button: "Confirm the address",
        until_then: "Until then the account keeps its present address.",
        ignore: "If you did not ask for this, there is nothing to do: \
                 without you nothing is changed.",
    },
    address_changed: AddressChanged {
        subject: |tenant| format!("Your address at {tenant} was changed"),
        title: "Your address was changed",
        intro: |tenant, moment| {
            format!(
                "Your account at {tenant} got another e-mail address on {moment}. \
                 From now on you sign in with the new one, and this one gets no more mail about it."
            )
        },
        was_you: "If that was you, everything is as it should be.",
        not_you: |tenant| {
            format!(
                "If you do not know about this, tell whoever manages {tenant} at once: \
                 they can give you your account back."
            )
        },
        button: "Go to the sign-in page",
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
    application: Application {
        confirm_subject: |platform| format!("Confirm your request for a place on {platform}"),
        confirm_title: "Confirm your address",
        confirm_intro: |platform| {
            format!(
                "Somebody asked for an organisation of their own on {platform} with this address, \
                 hopefully you. Nothing happens before you confirm it."
            )
        },
        confirm_button: "Confirm",
        not_you: "If it was not you, there is nothing to do.",
        wished: "The address that was asked for:",
        rejected_subject: |platform| format!("Your request for a place on {platform}"),
        rejected_title: "Your request was declined",
        rejected_intro: |platform| {
            format!("The people who run {platform} looked at your request and declined it.")
        },
        reason: "They give this reason:",
    },
};
