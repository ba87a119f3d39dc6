//! Signing in, passwords, sessions.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_service::signin::SignedIn;
use tenantry_service::{Refusal, Service};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndedAs {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Carried {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    cause: &'static str,
}

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
    sign_ins: Family<EndedAs, Counter>,
    password_queue: Gauge<u64, AtomicU64>,
    breach_looks: Family<EndedAs, Counter>,
    begun: Family<Carried, Counter>,
    ended: Family<Ended, Counter>,
}

impl People {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let people = Self {
            sign_ins: Family::default(),
            password_queue: Gauge::default(),
            breach_looks: Family::default(),
            begun: Family::default(),
            ended: Family::default(),
        };
        // Each outcome has its series from the start, so that the first one is a change of it.
        for outcome in SIGNED_IN {
            drop(people.sign_ins.get_or_create(&EndedAs { outcome }));
        }
        registry.register(
            "sign_ins",
            "Sign-ins with a password, by how they ended",
            people.sign_ins.clone(),
        );
        registry.register(
            "password_queue",
            "Passwords waiting to be hashed",
            people.password_queue.clone(),
        );
        registry.register(
            "password_breach_looks",
            "New passwords looked up among stolen ones, by how it ended; those that failed were allowed",
            people.breach_looks.clone(),
        );
        registry.register(
            "sessions_begun",
            "Sessions begun by this process, by what carries them",
            people.begun.clone(),
        );
        registry.register(
            "sessions_ended",
            "Sessions ended before their time by this process, by cause; those that ran out are not among them",
            people.ended.clone(),
        );
        people
    }

    pub(super) fn signed_in(&self, outcome: &Result<SignedIn, Refusal>) {
        let [signed_in, choose, wrong, rate_limited, busy, other] = SIGNED_IN;
        let outcome = match outcome {
            Ok(SignedIn::Yes(_)) => signed_in,
            Ok(SignedIn::Choose { .. }) => choose,
            Err(Refusal::InvalidCredentials) => wrong,
            Err(Refusal::RateLimited(_)) => rate_limited,
            Err(Refusal::Busy(_)) => busy,
            Err(_) => other,
        };
        self.sign_ins.get_or_create(&EndedAs { outcome }).inc();
    }

    pub(super) fn read(&self, service: &Service) {
        let waiting = service.gauges().password_queue;
        self.password_queue
            .set(u64::try_from(waiting).unwrap_or(u64::MAX));
        let looks = service.breach_looks();
        for (outcome, count) in [
            ("found", looks.found),
            ("not_found", looks.not_found),
            ("failed", looks.failed),
        ] {
            let counter = self.breach_looks.get_or_create(&EndedAs { outcome });
            counter.inner().store(count, Ordering::Relaxed);
        }
        let sessions = service.session_counts();
        for (kind, count) in sessions.begun {
            let kind = kind.as_str();
            let counter = self.begun.get_or_create(&Carried { kind });
            counter.inner().store(count, Ordering::Relaxed);
        }
        for (cause, count) in sessions.ended {
            let cause = cause.as_str();
            let counter = self.ended.get_or_create(&Ended { cause });
            counter.inner().store(count, Ordering::Relaxed);
        }
    }
}
