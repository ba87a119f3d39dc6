//! Devices on which a PIN is enough.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_service::devices::Device;

/// A device.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeviceBody {
    /// The id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was enrolled.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The last sign-in on it, if there was one.
    #[schemars(with = "Option<String>")]
    pub last_used_at: Option<Timestamp>,
    /// What the device keeps and shows with each PIN; told here and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_token: Option<String>,
}

impl From<&Device> for DeviceBody {
    fn from(device: &Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name.clone(),
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            device_token: None,
        }
    }
}

/// A device to enrol.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// What people call it.
    pub name: String,
}
