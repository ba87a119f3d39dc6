//! A PostgreSQL server that tenants are placed on.
//!
//! Owns everything that is done to such a server as a whole: our template and the databases that
//! tenants share, each tenant's roles and home, their credentials, and what the catalogue says
//! about them. Sees the server through an admin role that is no superuser; CREATEDB and CREATEROLE
//! suffice, on PostgreSQL 15 to 18. Called by the workflows that provision, rotate and delete, and
//! by checks.
//!
//! Every step can be repeated and undone, and looks into the catalogue before it acts, so that it
//! can be called again after a crash or an answer that never came. Refuses to touch a database,
//! schema or role that does not carry our marker for this very tenant and generation.
//!
//! A tenant's *home* is what holds its rows, by its isolation: a database of its own, made from our
//! template; schemas of its own in a database with all `schema` tenants of the installation; or
//! rows of its own in identity tables with all `shared` ones, beside a schema for its applications.
//! Every method means the same for each. Applications of tenants that share a database see in its
//! catalogue what the others' schemas, tables and functions are called and how functions are
//! written, never what lies in them; and they share its channels (NOTIFY) and advisory locks. Whom
//! that is too much for takes a database.
//!
//! How a tenant lies on the server, and why:
//!
//! - Roles are made for each *generation*, not for each tenant. A recreated tenant gets roles that
//!   never had anything to do with the earlier life: credentials handed out before do not fit, the
//!   old life's roles can be dropped while the new one is in use, and undoing a failed recreation
//!   can't touch what is live.
//! - The owner `…_o` can't sign in. It owns database, schemas and identity tables. The service
//!   slot `…_s` is its member and acts as it; the identity tables lie in a schema of their own.
//! - Applications act as `…_app`, which can't sign in either and is no member of the owner, so no
//!   `SET ROLE` leads from the slots `…_a` and `…_b` to the identity tables. It may create in the
//!   applications' schema but does not own it, so it can't drop the view `users` that it reads
//!   people from; the view runs with its owner's rights and shows no secret.
//! - Where identity tables are shared, one login serves all tenants. It owns nothing, and row-level
//!   security shows it the rows of the tenant that its transaction names and no others. The views
//!   belong to one role that reads all rows; each names its tenant and generation itself, so what
//!   a query costs does not grow with the number of tenants. See [`guard`].
//! - Tenants' roles may connect to a shared database as members of one role of guests. Rights of
//!   their own would lengthen one row of the catalogue with every tenant, which every connection
//!   reads and every provisioning rewrites.
//! - The admin holds no tenant's membership longer than one batch: it grants itself what it
//!   needs and gives it back in the same transaction. With 10,000 standing memberships PostgreSQL
//!   15 takes 0.3 to 0.45 s to collect them again after each change of any.
//! - A role or schema never exists without its marker, as both are made in one batch, which the
//!   server runs as one transaction. CREATE DATABASE can't be part of one; a database without a
//!   comment is ours only if our own admin owns it, which is how CREATE DATABASE leaves it.

mod adopted;
mod base;
mod capacity;
mod carry;
mod check;
mod connect;
mod credentials;
mod database;
mod ddl;
mod error;
mod guard;
mod home;
mod installation;
mod listing;
mod marker;
mod name;
mod people;
mod retry;
mod role_state;
mod roles;
mod rows;
mod schemas;
mod session;
mod sessions;
mod shared;
mod slots;
mod template;
mod upgrade;
mod view;

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tenantry_core::{Entropy, Secret};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use adopted::{AdoptedDatabase, AdoptedDatabaseError};
pub use capacity::Capacity;
pub use check::{Lack, Remark};
pub use credentials::{SignIn, generate_password};
pub use error::{ClusterError, Trouble};
pub use home::HomeState;
pub use listing::{Listed, Listing};
pub use marker::Marker;
pub use name::{DatabaseName, Login, Placement, RoleKind, RoleName, SchemaName, TemplateName};
pub use people::{PeopleReader, PeopleTable, PersonRow};
pub use role_state::RoleState;

use name::{Common, CommonRole};
use session::CommonPools;

/// How long to wait for an admin connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// How much a cluster may be asked for, and how long.
#[derive(Debug, Clone, Copy)]
pub struct ClusterBounds {
    /// Connections of the admin at once, to its own database and to each that tenants share.
    pub connections: u32,
    /// Connections each login role of a tenant may have at once (`CONNECTION LIMIT`).
    pub per_login: u32,
    /// Connections that the login for all tenants with shared tables may have at once.
    pub shared_login: u32,
    /// How long one statement may take.
    pub statement: Duration,
    /// How long one step may go on trying. More than the 5 s after which PostgreSQL reports that
    /// a database is in use (55006).
    pub budget: Duration,
}

impl Default for ClusterBounds {
    fn default() -> Self {
        Self {
            connections: 4,
            per_login: 20,
            shared_login: 200,
            statement: Duration::from_mins(1),
            budget: Duration::from_secs(20),
        }
    }
}

/// A server, seen through its admin connection.
pub struct Cluster {
    instance: Uuid,
    bounds: ClusterBounds,
    entropy: Entropy,
    options: PgConnectOptions,
    admin: PgPool,
    commons: CommonPools,
    version: OnceCell<Version>,
    /// Where tenants of isolation `schema` lie, if not in the database that they share.
    adopted: Option<AdoptedDatabase>,
}

/// What `server_version_num` says, such as `150018`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(i32);

impl Version {
    /// Before this `GRANT … WITH INHERIT …, SET …` is no syntax, and a plain grant means both.
    const GRANT_OPTIONS: Self = Self(160_000);
}

impl Cluster {
    /// The server at the admin's URL, for the installation with this id. Connects when it is first
    /// needed.
    pub fn new(
        url: &Secret<String>,
        instance: Uuid,
        bounds: ClusterBounds,
        entropy: Entropy,
    ) -> Result<Self, ClusterError> {
        // Statements hold password verifiers, which are nothing for our own log.
        let options = PgConnectOptions::from_str(url.expose())?
            .application_name("tenantry-admin")
            .disable_statement_logging()
            .options([("client_connection_check_interval", "2000")]);
        let pool = |options: PgConnectOptions| {
            PgPoolOptions::new()
                .max_connections(bounds.connections)
                .min_connections(0)
                // A server that refuses connections is asked again for so long.
                .acquire_timeout(bounds.budget.min(ACQUIRE))
                .idle_timeout(Duration::from_mins(5))
                .connect_lazy_with(options)
        };
        let common = |common| {
            let name = DatabaseName::common(instance, common);
            pool(options.clone().database(name.as_str()))
        };
        let commons = CommonPools {
            schemas: common(Common::Schemas),
            shared: common(Common::Shared),
        };
        let admin = pool(options.clone());
        Ok(Self {
            instance,
            bounds,
            entropy,
            options,
            admin,
            commons,
            version: OnceCell::new(),
            adopted: None,
        })
    }

    /// Connections that are needed now and then, of which there may be as many pools as adopted
    /// databases.
    fn passing_pool(bounds: ClusterBounds, options: PgConnectOptions) -> PgPool {
        PgPoolOptions::new()
            .max_connections(2)
            .min_connections(0)
            .acquire_timeout(bounds.budget.min(ACQUIRE))
            .idle_timeout(Duration::from_secs(10))
            .connect_lazy_with(options)
    }

    /// Closes the admin's connections; of a view those to its database alone.
    pub async fn close(&self) {
        if self.adopted.is_some() {
            self.commons.schemas.close().await;
            return;
        }
        self.commons.close().await;
        self.admin.close().await;
    }

    /// The host that tenants reach the server at.
    pub fn host(&self) -> &str {
        self.options.get_host()
    }

    /// The port that tenants reach the server at.
    pub fn port(&self) -> u16 {
        self.options.get_port()
    }

    /// The name of this installation's template for the present schema.
    pub fn template_name(&self) -> TemplateName {
        TemplateName::of(self.instance)
    }

    /// The database of ours that the tenant lies in, alone or with others. Of one that lies in a
    /// database that was there before, [`database_of`](Self::database_of) tells the name.
    pub fn database_name(&self, placement: Placement) -> DatabaseName {
        DatabaseName::of(self.instance, placement)
    }

    fn common_name(&self, common: Common) -> DatabaseName {
        DatabaseName::common(self.instance, common)
    }

    fn objects_role(&self) -> CommonRole {
        CommonRole::objects(self.instance)
    }

    fn guests_role(&self, common: Common) -> CommonRole {
        CommonRole::guests(self.instance, common)
    }

    fn service_role(&self) -> CommonRole {
        CommonRole::service(self.instance)
    }

    fn viewer_role(&self) -> CommonRole {
        CommonRole::viewer(self.instance)
    }

    fn marker(&self, placement: Placement) -> Marker {
        Marker::tenant(self.instance, placement)
    }

    fn template_marker(&self) -> Marker {
        Marker::template(self.instance)
    }
}
