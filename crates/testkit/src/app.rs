//! The whole of HTTP over a real service, served on a real socket, with a clock in the test's hands.
//!
//! [`TestApp`] is what a browser or program talks to; it looks into nothing but the registry, and
//! there only to put things in that no use case makes yet. Every request goes through a
//! [`Call`], which checks on each answer what the contract says of all of them.

mod answer;
mod call;
mod raw;
mod token;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tenantry_core::password::{Context, Password, PasswordPolicy};
use tenantry_core::session::SessionKind;
use tenantry_core::{Entropy, Role, TenantId, UserId};
use tenantry_keys::password::Hasher;
use tenantry_service::resolve::Hints;
use tenantry_service::signin::{Login, SignedIn};
use tenantry_service::tenants::Created;
use tenantry_service::{Service, Settings};
use tenantry_store::control::Entry;
use tenantry_store::files::TenantFiles;
use tenantry_store::tenant::NewUser;
use tenantry_store::{Hint, Origin, PoolBounds, TenantCtx, TenantPools};
use tenantry_web::{App, Front, Options, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use crate::ManualClock;
use crate::service::{self, PASSWORD, TestControl, TestService};
pub use answer::Answer;
pub use call::Call;
pub use token::AccessToken;

/// What a [`TestApp`] is started with.
#[derive(Clone)]
pub struct AppOptions {
    /// Where the registry lies, and whether wrong tries are limited.
    pub service: service::Options,
    /// Threads that hash passwords.
    pub hash_threads: usize,
    /// What `{slug}.` is put before.
    pub base_domain: &'static str,
    /// What links begin with.
    pub public_url: &'static str,
    /// Proxies whose forwarded headers count.
    pub trusted_proxies: &'static [&'static str],
}

impl Default for AppOptions {
    /// SQLite, `localhost`, no limits on tries: a test that is about them turns them on.
    fn default() -> Self {
        Self::over(service::Options::sqlite().without_rate_limits())
    }
}

impl AppOptions {
    /// The defaults, over such a service.
    pub const fn over(service: service::Options) -> Self {
        Self {
            service,
            hash_threads: 2,
            base_domain: "localhost",
            public_url: "http://localhost:8000",
            trusted_proxies: &[],
        }
    }

    /// Starts it.
    ///
    /// # Panics
    /// Where anything of it fails; the test can't go on.
    pub async fn start(self) -> TestApp {
        // On the heap: opening everything is a large future.
        let inner = Box::pin(TestService::start(self.service.clone()));
        let inner = inner.await.unwrap();
        let opened = inner.open_otherwise(|settings| self.adjust(settings), None);
        let service = Box::pin(opened).await.unwrap().unwrap();
        let options = Options {
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .map(|net| net.parse().unwrap())
                .collect(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let front = Front::new(App::new(service.clone(), options));
        let serving = tokio::spawn(serve(listener, front, async move {
            // A sender that is gone means the same as one that says stop.
            let _ = stopped.await;
        }));
        TestApp {
            client: call::client(address),
            service,
            inner,
            address,
            serving,
            stop,
        }
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.public_url = Url::parse(self.public_url).unwrap();
        self.base_domain.clone_into(&mut settings.base_domain);
        settings.hash_threads = NonZeroUsize::new(self.hash_threads).unwrap();
    }
}

/// A running server with everything behind it. Dropped, it ends.
pub struct TestApp {
    service: Service,
    inner: TestService,
    address: SocketAddr,
    client: reqwest::Client,
    serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// A tenant that was made for a test, with its owner.
#[derive(Debug, Clone)]
pub struct TestTenant {
    /// Its id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// Its own host, below the base domain.
    pub host: String,
    /// The owner's address; the password is [`PASSWORD`].
    pub owner: String,
}

/// Somebody who signed in through the API.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The whole answer.
    pub body: Value,
}

impl SignIn {
    /// What a login answer holds.
    ///
    /// # Panics
    /// Where it holds no tokens.
    #[track_caller]
    pub fn of(body: Value) -> Self {
        Self {
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: body["refresh_token"].as_str().unwrap().to_owned(),
            body,
        }
    }
}

impl TestApp {
    /// One with SQLite and everything by default.
    pub async fn start() -> Self {
        AppOptions::default().start().await
    }

    /// The use cases behind it.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Its clock.
    pub const fn clock(&self) -> &ManualClock {
        &self.inner.clock
    }

    /// The plain rows behind it.
    pub fn control(&self) -> &TestControl {
        self.inner.control()
    }

    /// Its mails, and other processes over the same data.
    pub const fn inner(&self) -> &TestService {
        &self.inner
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The host of a tenant with this slug.
    pub fn host(&self, slug: &str) -> String {
        format!("{slug}.{}", self.service.settings().base_domain)
    }

    /// A request to be filled in, at the base domain.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let base = self.service.settings().base_domain.clone();
        Call::new(
            self.client.clone(),
            self.address.port(),
            method,
            &base,
            path,
        )
    }

    /// A `GET` at the base domain.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A `POST` at the base domain.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// Sends these octets over a connection of their own and reads until the server closes it.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        raw::exchange(self.address, request.as_ref()).await
    }

    /// Makes a tenant with an owner `owner@{slug}.example` who has [`PASSWORD`].
    pub async fn tenant(&self, slug: &str) -> TestTenant {
        self.tenant_owned_by(slug, &format!("owner@{slug}.example"))
            .await
    }

    /// Makes a tenant whose owner has this address and [`PASSWORD`].
    pub async fn tenant_owned_by(&self, slug: &str, owner: &str) -> TestTenant {
        let mut new = TestService::new_tenant(slug, owner, Some(PASSWORD)).unwrap();
        new.owner.username = Some("owner".parse().unwrap());
        let wait = service::WAIT;
        match self.service.create_tenant(new, None, wait).await.unwrap() {
            Created::Active(view) => TestTenant {
                id: view.tenant.id.to_string(),
                slug: slug.to_owned(),
                host: self.host(slug),
                owner: owner.to_owned(),
            },
            Created::Later(..) => panic!("the tenant {slug} takes too long"),
        }
    }

    /// Adds somebody with [`PASSWORD`] to a tenant, and tells the directory. The username is what
    /// stands before the `@`.
    pub async fn person(&self, tenant: &TestTenant, email: &str, role: Role, must_change: bool) {
        let clock = self.clock().clock();
        let files = TenantFiles::new(self.inner.data_dir().join("tenants")).unwrap();
        let pools = TenantPools::new(files, PoolBounds::default(), clock.clone());
        let ctx = self.enter(tenant).await;
        let username = email.split('@').next().unwrap_or_default().parse().unwrap();
        let email = email.parse().unwrap();
        let mut tx = pools.begin(&ctx).await.unwrap();
        let user = NewUser {
            id: UserId::generate(&clock, self.service.entropy()),
            email: &email,
            username: Some(&username),
            full_name: None,
            role,
            password_hash: Some(password_hash(self.service.entropy())),
            must_change_password: must_change,
            created_at: clock.now(),
        };
        tx.users().add(&user).await.unwrap();
        tx.commit().await.unwrap();
        pools.close_all().await;
        let tenant = ctx.tenant();
        self.service.rebuild_directory(tenant).await.unwrap();
    }

    async fn enter(&self, tenant: &TestTenant) -> TenantCtx {
        let id: TenantId = tenant.id.parse().unwrap();
        let mut tx = self.service.control().read().await.unwrap();
        match tx.tenants().enter(&Hint::Id(id), Origin::Operator).await {
            Ok(Some(Entry::Open(ctx))) => ctx,
            other => panic!("{} is not open: {other:?}", tenant.slug),
        }
    }

    /// Adds a platform admin with [`PASSWORD`].
    pub async fn platform_admin(&self, email: &str) {
        self.service
            .create_admin(email.parse().unwrap(), Some(PASSWORD))
            .await
            .unwrap();
    }

    /// Makes a platform admin change the password first.
    pub async fn must_change(&self, admin: &str) {
        let sql = format!(
            "UPDATE platform_admins SET must_change_password = 1 WHERE email_key = '{admin}'"
        );
        assert_eq!(self.control().damage(&sql).await.unwrap(), 1, "{admin}");
    }

    /// Gives a tenant a domain, proven or not; `kind` is `host` or `email`.
    pub async fn domain(&self, tenant: &TestTenant, kind: &str, domain: &str, verified: bool) {
        let id = self.control().literal(tenant.id.parse().unwrap());
        let now = self.clock().now().micros();
        let at = if verified {
            now.to_string()
        } else {
            "NULL".to_owned()
        };
        let sql = format!(
            "INSERT INTO tenant_domains (domain, kind, tenant_id, token, created_at, verified_at, next_check_at)
             VALUES ('{domain}', '{kind}', {id}, 'token', {now}, {at}, {at})"
        );
        self.control().damage(&sql).await.unwrap();
    }

    /// Tries to sign in at a host through the API.
    pub async fn try_sign_in(&self, host: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        let call = self.post("/api/v1/auth/login").host(host).json(&body);
        call.send().await
    }

    /// Signs in at a host through the API with [`PASSWORD`].
    pub async fn sign_in(&self, host: &str, email: &str) -> SignIn {
        let answer = self.try_sign_in(host, email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{email} at {host}: {}", answer.text());
        SignIn::of(answer.json())
    }

    /// Signs a platform admin in through the API; adds one first if there is none.
    pub async fn admin(&self) -> SignIn {
        let there = self.service.list_admins().await.unwrap();
        if there.is_empty() {
            self.platform_admin("root@platform.example").await;
        }
        let base = self.service.settings().base_domain.clone();
        self.sign_in(&base, "root@platform.example").await
    }

    /// Signs in as a browser does, and gives the value of the session's cookie.
    pub async fn cookie(&self, host: &str, email: &str) -> String {
        let hints = Hints {
            host: Some(host.to_owned()),
            ..Hints::default()
        };
        let tenant = self.service.resolve(&hints).await.unwrap();
        let login = Login::Email(email.parse().unwrap());
        let client = service::client(SessionKind::Browser, "127.0.0.1");
        let signed = self.service.sign_in(&tenant, &login, PASSWORD, &client);
        match signed.await.unwrap() {
            SignedIn::Yes(signed) => signed.1.token.expose().clone(),
            SignedIn::Choose { .. } => panic!("{email} is in several tenants"),
        }
    }

    /// Ends it in order.
    pub async fn close(self) {
        drop(self.stop);
        self.serving.await.unwrap();
        self.service.close().await;
    }
}

/// The hash of [`PASSWORD`], made once for the whole process.
fn password_hash(entropy: &Entropy) -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let password =
            Password::chosen(PASSWORD, PasswordPolicy::default(), &Context::new()).unwrap();
        let mut hasher = Hasher::new(service::cheap_hashes());
        hasher.hash(&password, entropy).unwrap()
    })
}
