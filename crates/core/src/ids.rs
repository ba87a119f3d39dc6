//! Typed ids: `UUIDv7` (RFC 9562, section 5.7), made from a passed clock and passed randomness.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{Clock, Entropy};

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id.
            pub fn generate(clock: &Clock, entropy: &Entropy) -> Self {
                let millis = u64::try_from(clock.now().micros() / 1_000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid())
            }

            /// The id with this value.
            pub const fn from_uuid(value: Uuid) -> Self { Self(value) }

            /// The plain value, for a database or a wire format.
            pub const fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { Uuid::try_parse(s).map(Self) }
        }
    )+};
}

ids! {
    /// A tenant. Never used again, also not after the tenant is purged.
    TenantId
    /// A person in one tenant.
    UserId
    /// A platform admin, outside any tenant.
    AdminId
    /// A session.
    SessionId
    /// A run of a durable workflow.
    WorkflowId
    /// A one-time secret.
    OneTimeId
    /// A device on which a PIN is enough.
    DeviceId
    /// A mail waiting in the outbox.
    OutboxId
    /// A receiver of notices.
    WebhookId
    /// A notice to receivers; the same for all of them, over all tries.
    NoticeId
    /// An application for a tenant.
    ApplicationId
    /// An entry of the audit.
    AuditId
    /// This installation, as against another on the same database server.
    InstanceId
}

impl TenantId {
    /// The id in the short form that file, database and role names are made of: 26 digits of
    /// Crockford's base 32, lower case, so that it fits `PostgreSQL`'s 63-byte identifiers.
    pub fn short(self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let value = self.0.as_u128();
        (0..26)
            .rev()
            .map(|place| {
                char::from(DIGITS[usize::try_from((value >> (place * 5)) & 31).unwrap_or(0)])
            })
            .collect()
    }

    /// The id whose [short](Self::short) form this is.
    pub fn from_short(short: &str) -> Option<Self> {
        if short.len() != 26 {
            return None;
        }
        let mut value: u128 = 0;
        for byte in short.bytes() {
            let digit = "0123456789abcdefghjkmnpqrstvwxyz".find(char::from(byte))?;
            value = value.checked_mul(32)? | u128::try_from(digit).ok()?;
        }
        Some(Self(Uuid::from_u128(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form_goes_there_and_back() {
        for value in [0, 1, u128::MAX, 0x0192_3456_789a_7bcd_8ef0_1234_5678_9abc] {
            let id = TenantId::from_uuid(Uuid::from_u128(value));
            assert_eq!(id.short().len(), 26);
            assert_eq!(TenantId::from_short(&id.short()), Some(id));
        }
        assert_eq!(
            TenantId::from_short("zzzzzzzzzzzzzzzzzzzzzzzzzz"),
            None,
            "does not fit 128 bits"
        );
        assert_eq!(TenantId::from_short("../../../../../etc/passwd0"), None);
    }
}
