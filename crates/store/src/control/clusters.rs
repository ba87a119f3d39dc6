//! PostgreSQL servers that tenants are placed on.

use tenantry_core::Timestamp;

use crate::{Conn, StoreError};

/// The records of clusters.
pub struct ClusterRecords<'c>(pub(super) Conn<'c>);

/// A server, as the registry knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRecord {
    /// Its name.
    pub name: String,
    /// The admin's URL, sealed.
    pub sealed_url: Vec<u8>,
    /// The host of that URL.
    pub host: String,
    /// The port of that URL.
    pub port: u16,
    /// Whether new tenants are placed there.
    pub accepts: bool,
    /// The most tenants to place there, where the operator set a limit.
    pub capacity: Option<i64>,
    /// The sealed password of the login that serves tenants in common tables, once there is one.
    pub sealed_shared: Option<Vec<u8>>,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// Databases of tenants on it.
    pub tenants: i64,
}

row! {
    struct ClusterRow {
        name: String,
        sealed_url: Vec<u8>,
        host: String,
        port: i64,
        accepts: i64,
        capacity: Option<i64>,
        sealed_shared: Option<Vec<u8>>,
        created_at: i64,
        tenants: i64,
    }
}

row! { struct AddressRow { host: String, port: i64 } }

fn read_port(port: i64) -> Result<u16, StoreError> {
    u16::try_from(port).map_err(|_| StoreError::Corrupt {
        table: "clusters",
        column: "port",
    })
}

impl TryFrom<ClusterRow> for ClusterRecord {
    type Error = StoreError;

    fn try_from(row: ClusterRow) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.name,
            sealed_url: row.sealed_url,
            host: row.host,
            port: read_port(row.port)?,
            accepts: row.accepts == 1,
            capacity: row.capacity,
            sealed_shared: row.sealed_shared,
            created_at: Timestamp::from_micros(row.created_at),
            tenants: row.tenants,
        })
    }
}

impl ClusterRecords<'_> {
    /// Adds a cluster; `false` when its name is taken.
    pub async fn add(&mut self, cluster: &ClusterRecord) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO clusters (name, sealed_url, host, port, accepts, capacity, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
            cluster.name.as_str(),
            cluster.sealed_url.as_slice(),
            cluster.host.as_str(),
            i64::from(cluster.port),
            i64::from(cluster.accepts),
            cluster.capacity,
            cluster.created_at.micros(),
        )?;
        Ok(changed == 1)
    }

    /// The cluster with this name.
    pub async fn find(&mut self, name: &str) -> Result<Option<ClusterRecord>, StoreError> {
        fetch_optional!(
            self.0,
            ClusterRow,
            "SELECT name, sealed_url, host, port, accepts, capacity, sealed_shared, created_at,
                    (SELECT COUNT(*) FROM tenant_databases d WHERE d.cluster = clusters.name) AS tenants
             FROM clusters WHERE name = $1",
            name
        )?
        .map(ClusterRecord::try_from)
        .transpose()
    }

    /// Every cluster, by name.
    pub async fn list(&mut self) -> Result<Vec<ClusterRecord>, StoreError> {
        fetch_all!(
            self.0,
            ClusterRow,
            "SELECT name, sealed_url, host, port, accepts, capacity, sealed_shared, created_at,
                    (SELECT COUNT(*) FROM tenant_databases d WHERE d.cluster = clusters.name) AS tenants
             FROM clusters ORDER BY name"
        )?
        .into_iter()
        .map(ClusterRecord::try_from)
        .collect()
    }

    /// Host and port of the cluster with this name.
    pub async fn address(&mut self, name: &str) -> Result<Option<(String, u16)>, StoreError> {
        fetch_optional!(
            self.0,
            AddressRow,
            "SELECT host, port FROM clusters WHERE name = $1",
            name
        )?
        .map(|row| Ok((row.host, read_port(row.port)?)))
        .transpose()
    }

    /// The server is reached by another URL from now on; `false` when there is no such cluster.
    pub async fn change_url(
        &mut self,
        name: &str,
        sealed_url: &[u8],
        host: &str,
        port: u16,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE clusters SET sealed_url = $2, host = $3, port = $4 WHERE name = $1",
            name,
            sealed_url,
            host,
            i64::from(port)
        )?;
        Ok(changed == 1)
    }

    /// Opens the cluster to new tenants, or closes it to them; `false` when there is none.
    pub async fn change_accepts(&mut self, name: &str, accepts: bool) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE clusters SET accepts = $2 WHERE name = $1",
            name,
            i64::from(accepts)
        )?;
        Ok(changed == 1)
    }

    /// Keeps the password of the common login, unless there is one; `false` when there is.
    pub async fn keep_shared(&mut self, name: &str, sealed: &[u8]) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE clusters SET sealed_shared = $2 WHERE name = $1 AND sealed_shared IS NULL",
            name,
            sealed
        )?;
        Ok(changed == 1)
    }

    /// Forgets a cluster that no tenant lies on; `false` when there is one, or no such cluster.
    pub async fn remove(&mut self, name: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM clusters WHERE name = $1
               AND NOT EXISTS (SELECT 1 FROM tenant_databases d WHERE d.cluster = $1)",
            name
        )?;
        Ok(changed == 1)
    }
}
