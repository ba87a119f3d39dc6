//! What `tenant check` finds.

use crate::TenantId;
use crate::text_enum::text_enum;

text_enum! {
    /// How bad a finding is.
    pub enum Severity {
        /// Somebody can't get in, or something unsafe is possible.
        Error = "error",
        /// Nothing is broken yet.
        Warning = "warning",
    }
}

text_enum! {
    /// A kind of damage.
    pub enum FindingCode {
        /// The registry has a tenant without a database record of its generation.
        RecordMissing = "record_missing",
        /// The tenant's database does not exist.
        DatabaseMissing = "database_missing",
        /// The tenant's database exists and can't be read.
        DatabaseUnreadable = "database_unreadable",
        /// The tenant's database holds no stamp.
        StampMissing = "stamp_missing",
        /// The tenant's database carries another tenant's stamp, or another generation's.
        StampForeign = "stamp_foreign",
        /// The tenant's tables are missing.
        SchemaMissing = "schema_missing",
        /// The tenant's tables are older than this program's.
        SchemaOld = "schema_old",
        /// The tenant's tables are newer than this program's.
        SchemaNew = "schema_new",
        /// Nobody in the tenant is an owner who can get in.
        OwnerMissing = "owner_missing",
        /// A person in the tenant has no directory entry.
        DirectoryMissing = "directory_missing",
        /// The directory has an entry for nobody, or for another address.
        DirectoryExtra = "directory_extra",
        /// A database that belongs to no tenant.
        DatabaseOrphaned = "database_orphaned",
        /// A workflow that stopped and needs a hand.
        WorkflowStuck = "workflow_stuck",
        /// The tenant could not be made; nothing of it is left but its record.
        ProvisioningFailed = "provisioning_failed",
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The tenant it is about, if it is about one.
    #[serde(skip)]
    pub tenant: Option<TenantId>,
    /// What kind of damage.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence with the particulars, and what to do where `repair` can't help.
    pub detail: String,
    /// Whether `tenant repair` mends it without guessing.
    pub repairable: bool,
}
