//! Mails on their way out: over a real mail server, and into a real folder.

mod files;
mod server;
mod smtp;

use std::time::Duration;

use tenantry_core::{Locale, OutboxId, Timestamp};
use tenantry_mail::message::{PasswordReset, ResetLink};
use tenantry_mail::{Envelope, Link, MailTenant, Sender};

/// The link in every [`envelope`]: long enough that an encoding would break it.
const LINK: &str = "https://acme.tenantry.example/reset-password/\
                    m0Yb7cKfq3vXJ8o2R5tLw1zHs9uEaDgPiTyB4xV6kMn?a=b&c=%3D&next=%2Fdashboard";

/// The millisecond in the id of every [`envelope`].
const MADE_AT: Timestamp = Timestamp::from_micros(1_795_185_000_123_000);

/// A mail in `locale` to `to`, of the outbox row with this number.
fn envelope(number: u128, to: &str, locale: Locale) -> Envelope {
    let millis = u128::try_from(MADE_AT.micros() / 1_000).unwrap();
    let id = (millis << 80) | (7 << 76) | (2 << 62) | number;
    let tenant = MailTenant::new(
        "Bäckerei Müßig & Töchter",
        None,
        Link::parse("https://acme.tenantry.example/login").unwrap(),
    );
    let link = Link::parse(LINK).unwrap();
    let mail = PasswordReset::new(vec![ResetLink { tenant, link }], Duration::from_hours(1));
    Envelope {
        id: OutboxId::from_uuid(uuid::Uuid::from_u128(id)),
        to: to.parse().unwrap(),
        from: Sender::new("Tenantry", "mail@tenantry.example".parse().unwrap()),
        locale,
        at: MADE_AT,
        message: mail.unwrap().into(),
    }
}
