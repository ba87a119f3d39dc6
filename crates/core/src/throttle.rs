//! How many wrong tries a secret takes (NIST SP 800-63B-4, section 3.2.2; OWASP ASVS 5.0, 6.3).

use std::time::Duration;

/// The limits for one kind of key. A failure is counted before the secret is compared, and the
/// count starts anew once `window` has passed without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Failures that cost nothing.
    pub free: i64,
    /// The pause after the first failure past those; doubled with each further one.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// After how long without a failure the count starts anew.
    pub window: Duration,
    /// After so many in a row the key is blocked until somebody lifts it.
    pub disable_after: Option<i64>,
}

impl Limits {
    /// For an account, whether it exists or not: five free failures, then back-off to 15 minutes;
    /// 100 in a row block it (NIST SP 800-63B-4: no more than 100).
    pub const ACCOUNT: Self = Self {
        free: 5,
        pause: Duration::from_secs(15),
        longest: Duration::from_mins(15),
        window: Duration::from_hours(24),
        disable_after: Some(100),
    };
    /// For an account that a password is also tried on because it shares its address with another
    /// in which the password fits. Not its owner's failures, so they never block it; but whoever
    /// has such another account could guess with it.
    pub const BESIDE: Self = Self {
        free: 20,
        pause: Duration::from_mins(15),
        longest: Duration::from_hours(1),
        window: Duration::from_hours(24),
        disable_after: None,
    };
    /// For the network a request comes from: an IPv4 address or an IPv6 /64.
    pub const NETWORK: Self = Self {
        free: 50,
        pause: Duration::from_secs(10),
        longest: Duration::from_mins(15),
        window: Duration::from_mins(15),
        disable_after: None,
    };
    /// For one-time codes, over all codes an account gets: ten tries an hour.
    pub const CODES: Self = Self {
        free: 10,
        pause: Duration::from_hours(1),
        longest: Duration::from_hours(1),
        window: Duration::from_hours(1),
        disable_after: None,
    };
    /// For mails that anybody may ask for to somebody's address.
    pub const ASKING: Self = Self {
        free: 5,
        pause: Duration::from_mins(15),
        longest: Duration::from_hours(1),
        window: Duration::from_hours(1),
        disable_after: None,
    };
    /// For all mails that anybody may ask for to one address, whatever they are about.
    pub const MAILS: Self = Self {
        free: 20,
        pause: Duration::from_mins(15),
        longest: Duration::from_hours(1),
        window: Duration::from_hours(1),
        disable_after: None,
    };
    /// For a whole tenant, against a guess at many accounts from many networks. Past it only those
    /// wait who failed before themselves, or anybody could keep everybody out.
    pub const TENANT: Self = Self {
        free: 1_000,
        pause: Duration::from_secs(1),
        longest: Duration::from_mins(1),
        window: Duration::from_mins(15),
        disable_after: None,
    };

    /// How long to wait after that many failures in a row; `None` means until it is lifted.
    pub fn pause_after(&self, failures: i64) -> Option<Duration> {
        if self.disable_after.is_some_and(|limit| failures >= limit) {
            return None;
        }
        if failures < self.free {
            return Some(Duration::ZERO);
        }
        let doublings = u32::try_from((failures - self.free).min(20)).unwrap_or(20);
        Some(self.pause.saturating_mul(1 << doublings).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_free_then_the_pause_doubles_to_a_quarter_of_an_hour() {
        let after = |failures| {
            Limits::ACCOUNT
                .pause_after(failures)
                .map(|pause| pause.as_secs())
        };
        assert_eq!(after(4), Some(0));
        assert_eq!(after(5), Some(15));
        assert_eq!(after(6), Some(30));
        assert_eq!(after(11), Some(900));
        assert_eq!(after(99), Some(900));
        assert_eq!(after(100), None);
    }
}
