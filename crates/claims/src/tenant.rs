//! How answers name a tenant.

use serde::{Deserialize, Serialize};

/// A tenant as it stands in answers about a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TenantRef {
    /// Its id, a UUID.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its short human number, such as `TEN00001`.
    pub code: String,
    /// The name people gave it.
    pub name: String,
}
