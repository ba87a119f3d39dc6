//! Which tenant a request means, by everything it says about it.

mod hints;
mod hosts;
mod proxies;

use tenantry_testkit::app::{Answer, TestApp, TestTenant};
use tenantry_testkit::service::PASSWORD;

/// Who a request's hints lead to, asked with a credential that fits one tenant only: that tenant,
/// or the refusal.
enum Means {
    Tenant,
    Nobody,
    Refused(u16, &'static str),
}

/// Expects what an answer to `/api/v1/auth/me`, with the owner's token, tells about the hints.
#[track_caller]
fn expect(answer: &Answer, means: &Means, case: &str) {
    match means {
        Means::Tenant | Means::Nobody => {
            assert_eq!(answer.status, 200, "{case}: {}", answer.text());
        }
        Means::Refused(status, code) => {
            assert_eq!(
                answer.code().as_deref(),
                Some(*code),
                "{case}: {}",
                answer.text()
            );
            answer.problem(*status, code);
        }
    }
}

/// The body of a sign-in that only the tenant's own hints let through: its username.
fn by_name() -> String {
    format!(r#"{{"username":"owner","password":"{PASSWORD}"}}"#)
}

async fn two(app: &TestApp) -> (TestTenant, TestTenant) {
    (app.tenant("acme").await, app.tenant("globex").await)
}
