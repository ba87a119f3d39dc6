//! One generation of a tenant as a place: making it, stamping it, looking at it from outside, and
//! removing it, whether it is a file or lies on a server.
//!
//! For workflows and checks. Requests reach a tenant through [`TenantPools`](crate::TenantPools).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Generation, Secret, TenantId, Timestamp};
use tokio::time::timeout;

use crate::cluster::{Cluster, ClusterError, Login, Placement, SignIn};
use crate::clusters::entering::judged;
use crate::clusters::{Clusters, Place};
use crate::files::TenantFiles;
use crate::tenant::{Stamp, Stamps, TENANT_SCHEMA};
use crate::{Conn, StoreError, TenantPools, TenantTx, Tx};

/// How long one statement in a tenant's database may take.
const STATEMENT: Duration = Duration::from_secs(30);

/// What a visitor looks at first. The catalogue is asked for the view by name, as a role that lacks
/// the right to a schema is told of nothing in it otherwise.
const VISIT: &str = "
    SELECT current_user::text AS acts_as, session_user::text AS user_name,
           current_database()::text AS database_name,
           to_regclass('tenantry_stamp') IS NOT NULL AND to_regclass('tenantry_users') IS NOT NULL
               AS has_tables,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND c.relname = 'users') AS has_application";

/// Where one generation of a tenant lies.
pub enum Home<'a> {
    /// A file.
    File(FileHome<'a>),
    /// On a server.
    Server(ServerHome<'a>),
}

/// A generation in a file.
pub struct FileHome<'a> {
    pub(crate) files: &'a TenantFiles,
    pub(crate) tenant: TenantId,
    pub(crate) generation: Generation,
}

/// A generation on a server.
pub struct ServerHome<'a> {
    clusters: &'a Clusters,
    cluster: Arc<Cluster>,
    place: Place,
}

impl Home<'_> {
    /// Makes the roles it needs.
    pub async fn make_roles(&self) -> Result<(), StoreError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(home) => {
                home.cluster
                    .ensure_base(home.place.placement.isolation)
                    .await?;
                Ok(home.cluster.ensure_roles(home.place.placement).await?)
            }
        }
    }

    /// Makes the database; a file with its stamp.
    pub async fn create(&self, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::File(home) => home.files.create(home.tenant, home.generation, now).await,
            Self::Server(home) => Ok(home.cluster.create_home(home.place.placement).await?),
        }
    }

    /// Whether the database was made, whatever is in it; a file only with its stamp.
    pub async fn is_created(&self) -> Result<bool, StoreError> {
        match self {
            Self::File(home) => {
                if !home.files.exists(home.tenant, home.generation) {
                    return Ok(false);
                }
                let stamp = home.files.stamp(home.tenant, home.generation).await?;
                Ok(stamp.is_some_and(|stamp| {
                    (stamp.tenant, stamp.generation) == (home.tenant, home.generation)
                }))
            }
            Self::Server(home) => Ok(home.cluster.has_home(home.place.placement).await?),
        }
    }

    /// Hands what is in it to the tenant's own roles and sets up what applications see.
    pub async fn furnish(&self) -> Result<(), StoreError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(home) => Ok(home.cluster.open_home(home.place.placement).await?),
        }
    }

    /// Gives the server's own role the password that is stored for it.
    pub async fn admit_service(&self) -> Result<(), StoreError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(home) => {
                let password = home.clusters.service_password(&home.place).await?;
                match home.place.placement.isolation {
                    Isolation::Database | Isolation::Schema => {
                        let placement = home.place.placement;
                        home.cluster
                            .set_password(placement, Login::Service, &password)
                            .await?;
                    }
                    // One for all of them, which may be at work.
                    Isolation::Shared => home.cluster.set_shared_password(&password).await?,
                }
                Ok(())
            }
        }
    }

    /// Marks the database as this generation's, with the present schema.
    pub async fn stamp(&self, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(home) => home.stamp(now).await,
        }
    }

    /// Makes the database from that of an earlier generation, with everybody in it.
    pub async fn carry_over(&self, from: Generation, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::File(home) => {
                let (tenant, generation) = (home.tenant, home.generation);
                home.files.carry_over(tenant, from, generation, now).await
            }
            Self::Server(home) => {
                let placement = home.place.placement;
                let before = Placement::new(placement.tenant, from, placement.isolation);
                home.cluster.carry_over(before, placement).await?;
                self.furnish().await?;
                self.admit_service().await?;
                home.stamp(now).await
            }
        }
    }

    /// What the database says about itself, read past every pool.
    pub async fn read_stamp(&self) -> Result<Option<Stamp>, StoreError> {
        match self {
            Self::File(home) => home.files.stamp(home.tenant, home.generation).await,
            Self::Server(home) => home.read_stamp().await,
        }
    }

    /// Whether it can be read and holds our tables.
    pub async fn has_schema(&self) -> Result<bool, StoreError> {
        match self {
            Self::File(home) => home.files.has_schema(home.tenant, home.generation).await,
            Self::Server(home) => home.has_schema().await,
        }
    }

    /// Whether the database is there, sound or not.
    pub async fn exists(&self) -> Result<bool, StoreError> {
        match self {
            Self::File(home) => Ok(home.files.exists(home.tenant, home.generation)),
            Self::Server(home) => Ok(home.cluster.home(home.place.placement).await?.is_some()),
        }
    }

    /// Removes the database and what belongs to it, ending whoever is connected; harmless when it
    /// is gone.
    pub async fn remove(&self) -> Result<(), StoreError> {
        match self {
            Self::File(home) => {
                home.files.remove(home.tenant, home.generation)?;
            }
            Self::Server(home) => {
                home.cluster.drop_home(home.place.placement).await?;
                home.cluster.drop_roles(home.place.placement).await?;
            }
        }
        Ok(())
    }

    /// The place on a server, if it is one.
    pub const fn server(&self) -> Option<&ServerHome<'_>> {
        match self {
            Self::File(_) => None,
            Self::Server(home) => Some(home),
        }
    }
}

/// How long a way in is waited for.
const ENTRY: Duration = Duration::from_secs(10);

/// Somebody inside a tenant's database on a server: one connection, past every pool, with the
/// stored password. It looks and changes nothing, not even an old schema.
pub struct Visit {
    pool: PgPool,
    tx: TenantTx,
    /// Who came in and where.
    pub entered: SignIn,
    /// Our tables are there.
    pub schema: bool,
    /// What applications read people from is there.
    pub application: bool,
}

row! {
    struct VisitRow {
        acts_as: String,
        user_name: String,
        database_name: String,
        has_tables: bool,
        has_application: bool,
    }
}

impl Visit {
    /// The tenant's tables, to read.
    pub const fn tx(&mut self) -> &mut TenantTx {
        &mut self.tx
    }

    /// Leaves.
    pub async fn leave(self) {
        drop(self.tx);
        self.pool.close().await;
    }
}

impl TenantPools {
    /// A generation on this cluster, whatever the registry says about where it lies: to look for
    /// one whose record is gone.
    ///
    /// # Errors
    /// [`StoreError::ClusterMissing`] where the registry names no such cluster.
    pub async fn home_on(&self, place: Place) -> Result<Home<'_>, StoreError> {
        let Some(clusters) = self.clusters() else {
            return Err(StoreError::ClusterMissing(place.cluster.to_string()));
        };
        Ok(Home::Server(ServerHome::open(clusters, place).await?))
    }
}

impl<'a> ServerHome<'a> {
    /// Goes in with the stored password of the server's own role.
    ///
    /// # Errors
    /// [`StoreError::SignIn`] where it is refused, [`StoreError::DatabaseMissing`] where there is
    /// no such database.
    pub async fn visit(&self) -> Result<Visit, StoreError> {
        self.clusters
            .with_password(&self.place, |password| async move {
                judged(self.visit_with(&password).await)
            })
            .await
    }

    async fn visit_with(&self, password: &Secret<String>) -> Result<Visit, StoreError> {
        let placement = self.place.placement;
        let options = self
            .cluster
            .connect_options(placement, Login::Service, password);
        let scope = self.scope();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ENTRY)
            .after_connect(move |conn, _| {
                let scope = scope.clone();
                Box::pin(async move {
                    if let Some(scope) = scope {
                        sqlx::raw_sql(AssertSqlSafe(scope)).execute(conn).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        let entering = async {
            let mut conn = pool.acquire().await?;
            let row = sqlx::query_as::<_, VisitRow>(VISIT)
                .bind(placement.application_schema().as_str().to_owned())
                .fetch_one(&mut *conn)
                .await?;
            Ok::<_, sqlx::Error>((conn, row))
        };
        let (conn, row) = match timeout(STATEMENT, entering).await {
            Ok(Ok(entered)) => entered,
            Ok(Err(error)) => return Err(StoreError::entering(ClusterError::from(error))),
            Err(_) => return Err(StoreError::Busy),
        };
        Ok(Visit {
            pool,
            tx: TenantTx::unleased(
                Tx::PostgresRead(conn),
                placement.tenant,
                placement.generation,
            ),
            schema: row.has_tables,
            application: row.has_application,
            entered: SignIn::In {
                acts_as: row.acts_as,
                user: row.user_name,
                database: row.database_name,
            },
        })
    }

    /// What makes a session this tenant's where rows of several lie in one table.
    fn scope(&self) -> Option<String> {
        (self.place.placement.isolation == Isolation::Shared)
            .then(|| format!("SET tenantry.tenant = '{}'", self.place.placement.tenant))
    }

    pub(crate) async fn open(clusters: &'a Clusters, place: Place) -> Result<Self, StoreError> {
        Ok(Self {
            cluster: clusters.find_for(&place).await?,
            clusters,
            place,
        })
    }

    /// The server.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What is made there.
    pub const fn placement(&self) -> Placement {
        self.place.placement
    }

    /// Signs in with the stored password of the server's own role.
    pub async fn try_service(&self) -> Result<SignIn, StoreError> {
        let (cluster, placement) = (&self.cluster, self.place.placement);
        self.clusters
            .with_password(&self.place, |password| async move {
                match cluster.sign_in(placement, Login::Service, &password).await {
                    Ok(SignIn::Refused) => ControlFlow::Continue(Ok(SignIn::Refused)),
                    entered => ControlFlow::Break(entered.map_err(StoreError::from)),
                }
            })
            .await
    }

    /// Whether a sign-in led to this very place.
    pub fn is_right(&self, entered: &SignIn) -> bool {
        *entered == self.cluster.expected(self.place.placement, Login::Service)
    }

    /// Enters the database with the stored password, in the tenant's scope.
    async fn enter(&self) -> Result<PgConnection, StoreError> {
        let entering = self.clusters.enter(&self.cluster, &self.place, STATEMENT);
        let mut conn = entering.await?;
        if let Some(scope) = self.scope() {
            sqlx::raw_sql(AssertSqlSafe(scope))
                .execute(&mut conn)
                .await?;
        }
        Ok(conn)
    }

    async fn stamp(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut conn = self.enter().await?;
        let placement = self.place.placement;
        let mut stamps = Stamps {
            conn: Conn::Postgres(&mut conn),
            tenant: placement.tenant,
            generation: placement.generation,
        };
        let ours = stamps.set(TENANT_SCHEMA, now).await?;
        let found = stamps.find().await?;
        conn.close().await?;
        if ours {
            return Ok(());
        }
        Err(StoreError::Stamp {
            expected: format!("tenant {} or none", placement.tenant),
            found: found.map_or_else(|| "no stamp".to_owned(), |stamp| stamp.to_string()),
        })
    }

    async fn read_stamp(&self) -> Result<Option<Stamp>, StoreError> {
        let mut conn = self.enter().await?;
        let placement = self.place.placement;
        let stamp = Stamps {
            conn: Conn::Postgres(&mut conn),
            tenant: placement.tenant,
            generation: placement.generation,
        }
        .find()
        .await;
        conn.close().await?;
        stamp
    }

    async fn has_schema(&self) -> Result<bool, StoreError> {
        let mut conn = self.enter().await?;
        let row = sqlx::query("SELECT to_regclass('tenantry_stamp') IS NOT NULL AS found")
            .fetch_one(&mut conn)
            .await?;
        conn.close().await?;
        Ok(row.try_get("found")?)
    }

    /// Brings an older schema up to date, and what applications see and the stamp with it.
    pub(crate) async fn upgrade(&self, now: Timestamp) -> Result<(), StoreError> {
        self.cluster.upgrade(self.place.placement).await?;
        self.stamp(now).await
    }
}
