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
        /// The tenant's database takes no connections.
        DatabaseClosed = "database_closed",
        /// Dropping the tenant's database was interrupted; what was in it is lost.
        DatabaseBroken = "database_broken",
        /// Everybody on the server has a right on the tenant's database.
        DatabasePublic = "database_public",
        /// The tenant's database belongs to another role than its owner.
        DatabaseChanged = "database_changed",
        /// The registry does not know the cluster that the tenant lies on.
        ClusterMissing = "cluster_missing",
        /// The cluster that the tenant lies on can't be asked; nothing is known about the tenant.
        ClusterUnreachable = "cluster_unreachable",
        /// A database or role has the tenant's name and does not carry our marker.
        MarkerForeign = "marker_foreign",
        /// A role of the tenant is missing on the server.
        RoleMissing = "role_missing",
        /// A role of the tenant that has to sign in may not.
        RoleDisabled = "role_disabled",
        /// A login of the tenant's application works though the tenant's status lets nobody in.
        LoginOpen = "login_open",
        /// A login of the tenant's application is still closed as it was while nobody was let in.
        LoginClosed = "login_closed",
        /// A role of the tenant has other attributes, memberships or settings than it was made with.
        RoleChanged = "role_changed",
        /// The registry has no password for the server's own role, or none that opens.
        CredentialMissing = "credential_missing",
        /// The password that is stored for the server's own role is refused.
        CredentialRefused = "credential_refused",
        /// The credentials that the tenant's application was given are refused.
        ApplicationRefused = "application_refused",
        /// The schema that the tenant's application works in is missing.
        ApplicationSchemaMissing = "application_schema_missing",
        /// The tenant's application lacks a right that it was given.
        GrantMissing = "grant_missing",
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
        /// A domain that the tenant had proven is found without its proof.
        DomainUnproven = "domain_unproven",
        /// A database that belongs to no tenant.
        DatabaseOrphaned = "database_orphaned",
        /// Roles on a server that belong to no tenant.
        RoleOrphaned = "role_orphaned",
        /// A workflow that stopped and needs a hand.
        WorkflowStuck = "workflow_stuck",
        /// A change of an application's credentials that stopped and needs a hand.
        RotationStuck = "rotation_stuck",
        /// The tenant could not be made; nothing of it is left but its record.
        ProvisioningFailed = "provisioning_failed",
        /// The tenant is in the making for longer than that takes, or nobody is making it.
        ProvisioningStalled = "provisioning_stalled",
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
