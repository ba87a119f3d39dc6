//! One service with two tenants on which several scenes are played, each with people of its own: in
//! files, and on a PostgreSQL server in each isolation.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tenantry_core::session::SessionKind;
use tenantry_core::user::User;
use tenantry_core::{Email, Locale, Role};
use tenantry_service::sessions::{Credential, Principal};
use tenantry_service::staff::{Acting, CreatedStaff, FirstPassword, NewStaff};
use tenantry_service::tenants::TenantView;
use tenantry_service::{Refusal, Service};
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use crate::people::{ADA, id, sign_in};

/// Longer than a reserved entry is left alone, and than two passes of the reconciler are apart.
const LATER: Duration = Duration::from_mins(16);

/// A service with two tenants, both owned by [`ADA`].
pub(crate) struct Bench {
    pub(crate) test: TestService,
    pub(crate) acme: TenantView,
}

impl Bench {
    pub(crate) async fn open(options: Options) -> Self {
        let test = TestService::start(options.without_rate_limits())
            .await
            .unwrap();
        let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
        Self { test, acme }
    }

    /// In files, with the registry in a file too.
    pub(crate) async fn in_files() -> Self {
        Self::open(Options::sqlite()).await
    }

    pub(crate) fn service(&self) -> &Service {
        &self.test.service
    }

    /// Somebody of acme, signed in anew.
    pub(crate) async fn principal(&self, email: &str) -> Principal {
        self.principal_with(email, PASSWORD).await
    }

    pub(crate) async fn principal_with(&self, email: &str, password: &str) -> Principal {
        let (_, issued) = sign_in(&self.test, "acme", email, password, SessionKind::Browser).await;
        let cookie = Credential::Cookie(issued.token.expose());
        let principal = self.service().authenticate(cookie, None).await.unwrap();
        std::sync::Arc::unwrap_or_clone(principal)
    }

    pub(crate) async fn owner(&self) -> Principal {
        self.principal(ADA).await
    }

    /// Adds somebody to acme with the usual password.
    pub(crate) async fn add(&self, by: &Principal, email: &str, role: Role) -> User {
        let new = with_password(email, role);
        self.create(by, new).await.unwrap().user
    }

    /// Adds somebody to acme without a password: nobody waits for a hash.
    pub(crate) async fn add_unproven(&self, by: &Principal, email: &str) -> User {
        let new = staff(email, Role::Member);
        self.create(by, new).await.unwrap().user
    }

    pub(crate) async fn create(
        &self,
        by: &Principal,
        new: NewStaff,
    ) -> Result<CreatedStaff, Refusal> {
        let acting = Acting::of(by)?;
        self.service().create_staff(&acting, new).await
    }

    pub(crate) async fn find(&self, by: &Principal, user: &User) -> Result<User, Refusal> {
        let acting = Acting::of(by)?;
        self.service().find_staff(acting.tenant(), user.id).await
    }

    /// How many of acme's entries in the directory are in a state.
    pub(crate) async fn listed(&self, state: &str) -> i64 {
        let tenant = self.test.control().literal(id(&self.acme).uuid());
        let sql = format!(
            "SELECT COUNT(*) FROM directory WHERE tenant_id = {tenant} AND state = '{state}'"
        );
        self.test.control().number(&sql).await.unwrap()
    }

    /// Asserts that the directory says of acme's people what their rows say, and nothing is left
    /// open.
    pub(crate) async fn expect_in_step(&self, at: &str) {
        let service = self.service();
        let owner = self.owner().await;
        let acting = Acting::of(&owner).unwrap();
        let people = service
            .list_staff(acting.tenant(), None, 500)
            .await
            .unwrap();
        let confirmed = self.listed("confirmed").await;
        assert_eq!(usize::try_from(confirmed).unwrap(), people.len(), "{at}");
        assert_eq!(self.listed("reserved").await, 0, "{at}");
        let report = service
            .check_tenant(self.acme.tenant.clone())
            .await
            .unwrap();
        assert!(report.findings.is_empty(), "{at}: {:?}", report.findings);
    }

    /// What the background worker does about entries that were left open, once they are old enough.
    pub(crate) async fn reconcile_later(&self) {
        self.test.clock.advance(LATER);
        self.service().reconcile().await.unwrap();
    }
}

/// Somebody to add, who gets a link.
pub(crate) fn staff(email: &str, role: Role) -> NewStaff {
    NewStaff {
        email: address(email),
        username: None,
        full_name: None,
        role,
        password: FirstPassword::Link,
        must_change_password: false,
        locale: Locale::En,
    }
}

/// Somebody to add, with the usual password.
pub(crate) fn with_password(email: &str, role: Role) -> NewStaff {
    NewStaff {
        password: FirstPassword::Given(PASSWORD.to_owned()),
        ..staff(email, role)
    }
}

pub(crate) fn address(email: &str) -> Email {
    email.parse().unwrap()
}

/// Does something until it has waited for that often, then drops it where it stands, as the death
/// of its process would; what it came to, if it came to an end before.
pub(crate) async fn cut_off<F: Future>(work: F, waits: usize) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut left = waits;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Plays each scene on one service in files, and on a server in each isolation.
macro_rules! everywhere {
    ($($scene:ident),+ $(,)?) => {
        async fn play(options: tenantry_testkit::service::Options) {
            let bench = $crate::bench::Bench::open(options).await;
            $(Box::pin($scene(&bench)).await;)+
        }

        tenantry_testkit::on_each_isolation!(play);
    };
}
