//! Clusters, as platform admins see them: never an admin's URL, which holds a password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A PostgreSQL server that tenants are placed on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClusterBody {
    /// Its name.
    pub name: String,
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Whether new tenants are placed there.
    pub open: bool,
    /// Databases of tenants on it.
    pub tenants: i64,
    /// The most tenants to place there; null where no limit was set.
    pub capacity: Option<i64>,
    /// Whether the server answered just now.
    pub reachable: bool,
    /// Its connections; null where it did not answer.
    pub connections: Option<ConnectionsBody>,
}

/// How many connections a server has.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct ConnectionsBody {
    /// Connections of everybody at this moment.
    pub used: i64,
    /// The most that the server takes: `max_connections` without those it keeps for superusers.
    pub limit: i64,
}

/// A cluster to add. Has no `Debug`, since its URL holds a password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRequest {
    /// The name to call it by: 3 to 40 of `a-z 0-9 -`, beginning with a letter; not `local`.
    pub name: String,
    /// Where it is and who administers it: `postgres://user:password@host:port/database`.
    pub url: String,
    /// Whether new tenants are placed there; they are unless this says otherwise.
    #[serde(default)]
    pub open: Option<bool>,
    /// The most tenants to place there; without it the server's own limits count.
    #[serde(default)]
    pub capacity: Option<i64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cluster_is_shown_without_its_url() {
        let body = ClusterBody {
            name: "eu-1".to_owned(),
            host: "pg-1.example.com".to_owned(),
            port: 5432,
            open: true,
            tenants: 184,
            capacity: Some(500),
            reachable: true,
            connections: Some(ConnectionsBody {
                used: 41,
                limit: 97,
            }),
        };
        let expected = json!({
            "name": "eu-1", "host": "pg-1.example.com", "port": 5432, "open": true, "tenants": 184,
            "capacity": 500, "reachable": true, "connections": { "used": 41, "limit": 97 },
        });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[test]
    fn a_cluster_to_add_needs_a_name_and_a_url() {
        let url = "postgres://admin:secret@pg-1.example.com";
        let read = |value| serde_json::from_value::<ClusterRequest>(value);
        let request = read(json!({ "name": "eu-1", "url": url })).unwrap();
        assert_eq!((request.open, request.capacity), (None, None));
        assert!(read(json!({ "name": "eu-1" })).is_err());
        assert!(read(json!({ "name": "eu-1", "url": url, "isolation": "schema" })).is_err());
    }
}
