//! Words that the domain's enums are shown as.

use tenantry_core::finding::Severity;
use tenantry_core::tenant::{Driver, Isolation};
use tenantry_core::{Role, TenantStatus};

super::texts! {
    /// Names of roles, statuses and the like.
    WordTexts {
        owner: "Owner" | "Inhaber";
        admin: "Admin" | "Admin";
        member: "Member" | "Mitglied";
        platform_admin: "Platform admin" | "Plattform-Admin";
        provisioning: "In the making" | "Im Aufbau";
        active: "Active" | "Aktiv";
        suspended: "Suspended" | "Gesperrt";
        failed: "Failed" | "Fehlgeschlagen";
        deleted: "Deleted" | "Gelöscht";
        purging: "Being removed" | "Wird entfernt";
        isolation_database: "A database of its own" | "Eigene Datenbank";
        isolation_schema: "A schema of its own" | "Eigenes Schema";
        isolation_shared: "Rows in a shared database" | "Zeilen in gemeinsamer Datenbank";
        sqlite: "SQLite" | "SQLite";
        postgres: "PostgreSQL" | "PostgreSQL";
        severity_error: "Error" | "Fehler";
        severity_warning: "Warning" | "Warnung";
    }
}

impl WordTexts {
    /// A role's name.
    pub const fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Owner => self.owner,
            Role::Admin => self.admin,
            Role::Member => self.member,
            Role::PlatformAdmin => self.platform_admin,
        }
    }

    /// A status's name.
    pub const fn status(&self, status: TenantStatus) -> &'static str {
        match status {
            TenantStatus::Provisioning => self.provisioning,
            TenantStatus::Active => self.active,
            TenantStatus::Suspended => self.suspended,
            TenantStatus::Failed => self.failed,
            TenantStatus::Deleted => self.deleted,
            TenantStatus::Purging => self.purging,
        }
    }

    /// An isolation's name.
    pub const fn isolation(&self, isolation: Isolation) -> &'static str {
        match isolation {
            Isolation::Database => self.isolation_database,
            Isolation::Schema => self.isolation_schema,
            Isolation::Shared => self.isolation_shared,
        }
    }

    /// A database engine's name.
    pub const fn driver(&self, driver: Driver) -> &'static str {
        match driver {
            Driver::Sqlite => self.sqlite,
            Driver::Postgres => self.postgres,
        }
    }

    /// A severity's name.
    pub const fn severity(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Error => self.severity_error,
            Severity::Warning => self.severity_warning,
        }
    }
}
