//! Signing in, passwords, sessions.

use prometheus_client::registry::Registry;
use tenantry_service::signin::SignedIn;
use tenantry_service::{Refusal, Service};

use super::kinds::{Amount, Counts, registered, set};

/// How a sign-in ends.
const SIGNED_IN: [&str; 6] = [
    "signed_in",
    "choose",
    "wrong",
    "rate_limited",
    "busy",
    "other",
];

pub(super) struct People {
    sign_ins: Counts,
    password_queue: Amount,
    breach_looks: Counts,
    begun: Counts,
    ended: Counts,
}

impl People {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        Self {
            sign_ins: Counts::registered(
                registry,
                "outcome",
                "sign_ins",
                "Sign-ins with a password, by how they ended",
            )
            .with_zeros(SIGNED_IN),
            password_queue: registered(
                registry,
                "password_queue",
                "Passwords waiting to be hashed",
            ),
            breach_looks: Counts::registered(
                registry,
                "outcome",
                "password_breach_looks",
                "New passwords looked up among stolen ones, by how it ended; those that failed were allowed",
            ),
            begun: Counts::registered(
                registry,
                "kind",
                "sessions_begun",
                "Sessions begun by this process, by what carries them",
            ),
            ended: Counts::registered(
                registry,
                "cause",
                "sessions_ended",
                "Sessions ended before their time by this process, by cause; those that ran out, and those that commands end in a process of their own, are not among them",
            ),
        }
    }

    pub(super) fn signed_in(&self, outcome: &Result<SignedIn, Refusal>) {
        let [signed_in, choose, wrong, rate_limited, busy, other] = SIGNED_IN;
        self.sign_ins.add(match outcome {
            Ok(SignedIn::Yes(_)) => signed_in,
            Ok(SignedIn::Choose { .. }) => choose,
            Err(Refusal::InvalidCredentials) => wrong,
            Err(Refusal::RateLimited(_)) => rate_limited,
            Err(Refusal::Busy(_)) => busy,
            Err(_) => other,
        });
    }

    pub(super) fn read(&self, service: &Service) {
        set(&self.password_queue, service.gauges().password_queue);
        let looks = service.breach_looks();
        self.breach_looks.set("found", looks.found);
        self.breach_looks.set("not_found", looks.not_found);
        self.breach_looks.set("failed", looks.failed);
        let sessions = service.session_counts();
        for (kind, count) in sessions.begun {
            self.begun.set(kind.as_str(), count);
        }
        for (cause, count) in sessions.ended {
            self.ended.set(cause.as_str(), count);
        }
    }
}
