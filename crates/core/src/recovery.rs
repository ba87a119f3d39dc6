//! The numbers of setting a new password with a one-time code.

use std::time::Duration;

/// How long a code is good (NIST SP 800-63B-4, section 3.1.3.1, allows ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_mins(10);

/// Tries at one code. A guesser has then one chance in 200,000.
pub const CODE_TRIES: i64 = 5;

/// How long the proof that a code fitted is good.
pub const PROOF_LIFETIME: Duration = Duration::from_mins(10);
