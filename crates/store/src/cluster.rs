//! A PostgreSQL server that tenant databases are placed on.
//!
//! Owns everything that is done to such a server as a whole: our template, each tenant's roles and
//! database, their credentials, and what the catalogue says about them. Sees the server through an
//! admin role that is no superuser; CREATEDB and CREATEROLE suffice, on PostgreSQL 15 to 18.
//! Called by the workflows that provision, rotate and delete, and by checks.
//!
//! Every step can be repeated and undone, and looks into the catalogue before it acts, so that it
//! can be called again after a crash or an answer that never came. Refuses to touch a database or
//! role that does not carry our marker for this very tenant and generation.
//!
//! How a tenant lies on the server, and why:
//!
//! - Roles are made for each *generation*, not for each tenant. A recreated tenant gets roles that
//!   never had anything to do with the earlier life: credentials handed out before do not fit, the
//!   old life's roles can be dropped while the new one is in use, and undoing a failed recreation
//!   can't touch what is live.
//! - The owner `…_o` can't sign in. It owns database, schemas and identity tables. The service
//!   slot `…_s` is its member and acts as it; the identity tables lie in the schema `tenantry`.
//! - Applications act as `…_app`, which can't sign in either and is no member of the owner, so no
//!   `SET ROLE` leads from the slots `…_a` and `…_b` to the identity tables. It may create in the
//!   schema `app` but does not own it, so it can't drop the view `app.users` that it reads people
//!   from; the view runs with its owner's rights and shows no secret.
//! - The admin holds none of these memberships longer than one batch: it grants itself what it
//!   needs and gives it back in the same transaction. With 10,000 standing memberships PostgreSQL
//!   15 takes 0.3 to 0.45 s to collect them again after each change of any.
//! - A role never exists without its marker, as both are made in one batch, which the server runs
//!   as one transaction. CREATE DATABASE can't be part of one; a database without a comment is
//!   ours only if our own admin owns it, which is how CREATE DATABASE leaves it.

mod capacity;
mod catalog;
mod check;
mod connect;
mod credentials;
mod database;
mod ddl;
mod error;
mod marker;
mod name;
mod opening;
mod retry;
mod roles;
mod session;
mod sessions;
mod template;

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tenantry_core::{Entropy, Secret};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use capacity::{Capacity, Listed, Listing};
pub use catalog::{DatabaseState, RoleState};
pub use check::{Lack, Remark};
pub use credentials::{SignIn, generate_password};
pub use error::{ClusterError, Trouble};
pub use marker::Marker;
pub use name::{DatabaseName, Login, Placement, RoleKind, RoleName, TemplateName};

use name::ObjectsRole;

/// How long to wait for an admin connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// How much a cluster may be asked for, and how long.
#[derive(Debug, Clone, Copy)]
pub struct ClusterBounds {
    /// Connections of the admin at once.
    pub connections: u32,
    /// Connections each login role may have at once (`CONNECTION LIMIT`).
    pub per_login: u32,
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
    version: OnceCell<Version>,
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
        let admin = PgPoolOptions::new()
            .max_connections(bounds.connections)
            .min_connections(0)
            // A server that refuses connections is asked again for so long.
            .acquire_timeout(bounds.budget.min(ACQUIRE))
            .idle_timeout(Duration::from_mins(5))
            .connect_lazy_with(options.clone());
        Ok(Self {
            instance,
            bounds,
            entropy,
            options,
            admin,
            version: OnceCell::new(),
        })
    }

    /// Closes the admin's connections.
    pub async fn close(&self) {
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

    fn objects_role(&self) -> ObjectsRole {
        ObjectsRole::of(self.instance)
    }

    fn marker(&self, placement: Placement) -> Marker {
        Marker::tenant(self.instance, placement)
    }

    fn template_marker(&self) -> Marker {
        Marker::template(self.instance)
    }
}
