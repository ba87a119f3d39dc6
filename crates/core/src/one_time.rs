//! One-time secrets: one primitive for every link and code that is good once.

use std::time::Duration;

use crate::text_enum::text_enum;

text_enum! {
    /// What a one-time secret is good for.
    pub enum Purpose {
        /// Setting the first password.
        Setup = "setup",
        /// Setting a new password.
        Reset = "reset",
        /// Choosing one of several tenants after the password was right.
        Selection = "selection",
        /// Changing the address to one that is proven with it.
        NewAddress = "new_address",
        /// Changing an application's database credentials, and seeing the new ones.
        Credentials = "credentials",
    }
}

impl Purpose {
    /// How long it is good.
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::Setup | Self::NewAddress | Self::Credentials => Duration::from_hours(24),
            Self::Reset => Duration::from_hours(1),
            Self::Selection => Duration::from_mins(5),
        }
    }
}
