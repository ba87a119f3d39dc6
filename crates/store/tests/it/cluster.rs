//! A PostgreSQL server that tenants are placed on, seen through an admin role that is no superuser.

mod carrying;
mod checking;
mod cut;
mod dropping;
mod foreign;
mod guarding;
mod isolation;
mod measured;
mod mending;
mod racing;
mod rotation;
mod sharing;
mod slots;
mod steps;
mod upgrading;

use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Entropy, Generation, Secret, TenantId};
use tenantry_store::cluster::{
    Cluster, ClusterBounds, Login, Placement, RoleKind, generate_password,
};
use tenantry_testkit::cluster::{self as testkit, TestCluster};
use tenantry_testkit::seeded_entropy;
use tenantry_testkit::services::postgres;
use uuid::Uuid;

/// An installation on a server of the test run, with an admin role of its own.
pub(crate) struct Bench {
    pub(crate) cluster: Cluster,
    pub(crate) entropy: Entropy,
    pub(crate) instance: Uuid,
    pub(crate) admin: String,
    /// As the admin.
    pub(crate) url: String,
    seed: u128,
    counter: AtomicU64,
    _server: TestCluster,
}

impl Bench {
    pub(crate) async fn open() -> Self {
        Self::with("CREATEDB CREATEROLE", ClusterBounds::default()).await
    }

    pub(crate) async fn with(attributes: &str, bounds: ClusterBounds) -> Self {
        let server = TestCluster::with(attributes).await.unwrap();
        // Names on a server come from ids, and other tests are on it too.
        let seed = RandomState::new().hash_one(server.admin());
        let instance = Uuid::from_u64_pair(seed, 1);
        let (admin, url) = (server.admin().to_owned(), server.url().to_owned());
        let entropy = seeded_entropy(seed);
        let cluster = cluster(&url, instance, bounds, &entropy);
        Self {
            cluster,
            entropy,
            instance,
            admin,
            url,
            seed: u128::from(seed) << 64,
            counter: AtomicU64::new(0),
            _server: server.serving(instance),
        }
    }

    /// The same server as another node of the installation sees it.
    pub(crate) fn another(&self, url: &str) -> Cluster {
        self.bounded(url, ClusterBounds::default())
    }

    pub(crate) fn bounded(&self, url: &str, bounds: ClusterBounds) -> Cluster {
        cluster(url, self.instance, bounds, &self.entropy)
    }

    /// A tenant that nothing was done for yet.
    pub(crate) fn placement(&self, isolation: Isolation) -> Placement {
        let number = u128::from(self.counter.fetch_add(1, Ordering::SeqCst));
        let tenant = TenantId::from_uuid(Uuid::from_u128(self.seed + number));
        Placement::new(tenant, Generation::FIRST, isolation)
    }

    pub(crate) fn password(&self) -> Secret<String> {
        generate_password(&self.entropy)
    }

    /// A tenant with everything but credentials.
    pub(crate) async fn tenant(&self, isolation: Isolation) -> Placement {
        let placement = self.placement(isolation);
        provision(&self.cluster, placement).await;
        placement
    }

    /// The name of the database that the tenant lies in.
    pub(crate) fn database(&self, placement: Placement) -> String {
        self.cluster.database_name(placement).as_str().to_owned()
    }

    /// A tenant with a stamp, a person and a secret of that person's, and the server's password.
    pub(crate) async fn inhabited(&self, isolation: Isolation) -> (Placement, Secret<String>) {
        let placement = self.tenant(isolation).await;
        let password = self.admit(placement, Login::Service).await;
        let mut conn = self
            .connect(placement, Login::Service, &password)
            .await
            .unwrap();
        run(&mut conn, &inhabitant(placement)).await.unwrap();
        conn.close().await.unwrap();
        (placement, password)
    }

    /// Gives a login a password.
    pub(crate) async fn admit(&self, placement: Placement, login: Login) -> Secret<String> {
        let password = self.password();
        match (placement.isolation, login) {
            (Isolation::Shared, Login::Service) => {
                self.cluster.set_shared_password(&password).await.unwrap();
            }
            _ => self
                .cluster
                .set_password(placement, login, &password)
                .await
                .unwrap(),
        }
        password
    }

    /// How many databases, roles, schemas and shared rows of the tenant's are there.
    pub(crate) async fn left_over(&self, placement: Placement) -> i64 {
        let owner = placement.role(RoleKind::Owner);
        let stem = owner.as_str().strip_suffix("_o").unwrap();
        let mut left = number(&format!(
            "SELECT (SELECT COUNT(*) FROM pg_database WHERE starts_with(datname, '{stem}'))
                  + (SELECT COUNT(*) FROM pg_roles WHERE starts_with(rolname, '{stem}'))"
        ))
        .await;
        let database = self.database(placement);
        if placement.isolation != Isolation::Database && self.has_database(&database).await {
            let sql =
                format!("SELECT COUNT(*) FROM pg_namespace WHERE starts_with(nspname, '{stem}')");
            left += number_in(&database, &sql).await;
            if placement.isolation == Isolation::Shared {
                left += self.rows(placement).await;
            }
        }
        left
    }

    /// How many rows the tenant has in its identity tables.
    pub(crate) async fn rows(&self, placement: Placement) -> i64 {
        let schema = placement.identity_schema();
        let tenant = placement.tenant;
        let tables = [
            "tenantry_stamp",
            "tenantry_users",
            "tenantry_one_time_secrets",
        ];
        let counts = tables.map(|table| {
            format!("(SELECT COUNT(*) FROM {schema}.{table} WHERE tenant_id = '{tenant}')")
        });
        let sql = format!("SELECT {}", counts.join(" + "));
        number_in(&self.database(placement), &sql).await
    }

    pub(crate) async fn has_database(&self, name: &str) -> bool {
        number(&format!(
            "SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'"
        ))
        .await
            == 1
    }

    /// Connects as one of the tenant's roles; where tables are shared, the server's login names
    /// the tenant once for all.
    pub(crate) async fn connect(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> Result<PgConnection, sqlx::Error> {
        let mut conn = self.options(placement, login, password).connect().await?;
        if (placement.isolation, login) == (Isolation::Shared, Login::Service) {
            run(
                &mut conn,
                &format!("SET tenantry.tenant = '{}'", placement.tenant),
            )
            .await?;
        }
        Ok(conn)
    }

    pub(crate) fn options(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> PgConnectOptions {
        let role = placement.role(RoleKind::Login(login)).as_str().to_owned();
        let role = match (placement.isolation, login) {
            (Isolation::Shared, Login::Service) => self.shared_login(),
            _ => role,
        };
        PgConnectOptions::from_str(&postgres())
            .unwrap()
            .database(&self.database(placement))
            .username(&role)
            .password(password.expose())
    }

    /// The login that serves all tenants in shared tables.
    pub(crate) fn shared_login(&self) -> String {
        format!("tenantry_shared_{}_s", self.instance.simple())
    }
}

/// What the server writes about a tenant and its first person.
pub(crate) fn inhabitant(placement: Placement) -> String {
    let (tenant, generation) = (placement.tenant, placement.generation);
    let (user, secret) = (Uuid::from_u128(1), Uuid::from_u128(2));
    format!(
        "INSERT INTO tenantry_stamp (tenant_id, generation, schema_version, stamped_at)
         VALUES ('{tenant}', {generation}, 1, 0);
         INSERT INTO tenantry_users (tenant_id, id, email, email_key, full_name, role, password_hash,
                security_version, must_change_password, created_at)
         VALUES ('{tenant}', '{user}', 'ann@example.com', 'ann@example.com', 'Ann', 'owner', 'a hash',
                1, 1, 1767225600000000);
         INSERT INTO tenantry_one_time_secrets (tenant_id, id, generation, user_id, purpose,
                secret_hash, security_version, created_at, expires_at)
         VALUES ('{tenant}', '{secret}', {generation}, '{user}', 'setup', 'x', 1, 0, 1)"
    )
}

/// The next life of the same tenant.
pub(crate) fn next(placement: Placement) -> Placement {
    Placement::new(
        placement.tenant,
        placement.generation.next(),
        placement.isolation,
    )
}

/// Stamps a tenant's home as another generation's.
pub(crate) async fn stamp(bench: &Bench, placement: Placement) {
    let sql = format!(
        "UPDATE {}.tenantry_stamp SET generation = {} WHERE tenant_id = '{}'",
        placement.identity_schema(),
        placement.generation,
        placement.tenant
    );
    in_database(&bench.database(placement), &sql).await;
}

fn cluster(url: &str, instance: Uuid, bounds: ClusterBounds, entropy: &Entropy) -> Cluster {
    let url = Secret::new(url.to_owned());
    Cluster::new(&url, instance, bounds, entropy.clone()).unwrap()
}

/// Every step up to an open home.
pub(crate) async fn provision(cluster: &Cluster, placement: Placement) {
    cluster.ensure_base(placement.isolation).await.unwrap();
    cluster.ensure_roles(placement).await.unwrap();
    cluster.create_home(placement).await.unwrap();
    cluster.open_home(placement).await.unwrap();
}

/// Runs statements as the superuser.
pub(crate) async fn superuser(sql: &str) {
    testkit::superuser(sql).await.unwrap();
}

/// Runs statements as the superuser inside a database.
pub(crate) async fn in_database(name: &str, sql: &str) {
    testkit::in_database(name, sql).await.unwrap();
}

pub(crate) async fn superuser_in(name: &str) -> PgConnection {
    testkit::superuser_in(name).await.unwrap()
}

/// Runs statements on a connection.
pub(crate) async fn run(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(conn)
        .await
        .map(drop)
}

/// The code that a statement is refused with.
pub(crate) async fn refusal(conn: &mut PgConnection, sql: &str) -> String {
    let error = run(conn, sql).await.expect_err("this is to be refused");
    code(&error)
}

pub(crate) fn code(error: &sqlx::Error) -> String {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .map(String::from)
        .unwrap_or_default()
}

/// The one number that a statement of the superuser's gives.
pub(crate) async fn number(sql: &str) -> i64 {
    testkit::number(sql).await.unwrap()
}

pub(crate) async fn number_in(database: &str, sql: &str) -> i64 {
    testkit::number_in(database, sql).await.unwrap()
}

/// Bounds under which what never succeeds fails soon.
pub(crate) fn impatient() -> ClusterBounds {
    ClusterBounds {
        budget: Duration::from_millis(300),
        ..ClusterBounds::default()
    }
}
