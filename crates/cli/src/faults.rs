//! Faults for tests of the real process. Built into debug builds only.

use tenantry_saga::Faults;

/// The fault that `TENANTRY_FAULT=kind/step/event` asks for: once that entry is in the log the
/// process stands still, says so on stderr, and can be killed by whoever asked for it.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for tests that is no setting"
)]
pub(crate) fn from_environment() -> Faults {
    use tenantry_saga::{Fault, Moment};

    let Ok(wanted) = std::env::var("TENANTRY_FAULT") else {
        return Faults::none();
    };
    Faults::new(move |kind, step, moment| {
        let Moment::Logged(event) = moment else {
            return None;
        };
        (wanted == format!("{kind}/{step}/{event}")).then(|| {
            eprintln!("fault reached: {wanted}");
            Fault::Halt
        })
    })
}

/// No faults: a release build has none.
#[cfg(not(debug_assertions))]
pub(crate) fn from_environment() -> Faults {
    Faults::none()
}
