//! What a server or its admin role lacks for tenants to be placed there, and what to do about it.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tenantry_core::finding::Severity;

use super::marker::Marker;
use super::name::Common;
use super::{Capacity, Cluster, ClusterError};

/// What is lacking, or worth knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The server is older than version 15, or newer than any this was tried on.
    Version,
    /// The admin may not make databases.
    CreateDatabase,
    /// The admin may not make roles.
    CreateRole,
    /// The admin does not have the rights of the roles it is a member of (before version 16).
    Inherit,
    /// The admin is a superuser, which is more than is needed.
    Superuser,
    /// The admin may not alter or drop roles of ours, since another role made them.
    ForeignRoles,
    /// Our template, or a database that tenants share, can't be made.
    Template,
    /// Shared identity tables are not under the row-level security that they should be.
    Guard,
    /// Passwords that others set are stored as MD5.
    PasswordEncryption,
    /// Few connections are left.
    Headroom,
    /// The server logs the statements that set passwords, with their verifiers.
    LogStatement,
    /// Tenants' roles may connect to databases that are not theirs.
    PublicDatabases,
}

impl Lack {
    /// The fixed word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::CreateDatabase => "createdb",
            Self::CreateRole => "createrole",
            Self::Inherit => "inherit",
            Self::Superuser => "superuser",
            Self::ForeignRoles => "foreign_roles",
            Self::Template => "template",
            Self::Guard => "guard",
            Self::PasswordEncryption => "password_encryption",
            Self::Headroom => "headroom",
            Self::LogStatement => "log_statement",
            Self::PublicDatabases => "public_databases",
        }
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What.
    pub lack: Lack,
    /// Whether tenants can't be placed there at all.
    pub severity: Severity,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

/// The versions that this was tried on.
const TRIED: std::ops::RangeInclusive<i32> = 15..=18;

/// Fewer free connections than this are too few to place a tenant.
const HEADROOM: i64 = 10;

const FACTS: &str = "
    SELECT current_setting('server_version_num')::int / 10000 AS major,
           r.rolname::text AS name, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolinherit,
           EXISTS (SELECT FROM pg_database WHERE datname = 'template0') AS template0,
           current_setting('password_encryption') AS encryption,
           current_setting('log_statement') AS log_statement,
           current_database()::text AS here,
           ARRAY(SELECT d.datname::text FROM pg_database d
                 LEFT JOIN pg_shdescription c
                        ON c.classoid = 'pg_database'::regclass AND c.objoid = d.oid
                 WHERE d.datallowconn AND NOT COALESCE(starts_with(c.description, $1), FALSE)
                   AND EXISTS (SELECT FROM aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a
                               WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
                 ORDER BY 1) AS public,
           (SELECT COUNT(*) FROM pg_shdescription c
             WHERE c.classoid = 'pg_authid'::regclass AND starts_with(c.description, $1)
               AND current_setting('server_version_num')::int >= 160000
               AND NOT pg_has_role(c.objoid, 'USAGE WITH ADMIN OPTION')) AS foreign_roles
    FROM pg_roles r WHERE r.rolname = current_user";

/// The remarks so far.
struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(&mut self, lack: Lack, severity: Severity, detail: String, remedy: String) {
        self.0.push(Remark {
            lack,
            severity,
            detail,
            remedy,
        });
    }
}

impl Cluster {
    /// What the server or the admin's role lacks. Empty where all is as it should be.
    ///
    /// # Errors
    /// Where the server can't be reached or asked.
    pub async fn check(&self) -> Result<Vec<Remark>, ClusterError> {
        let look = sqlx::query(FACTS).bind(Marker::prefix(self.instance));
        let rows = self.look(look).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let mut remarks = Remarks(Vec::new());
        remarks.version(row)?;
        remarks.admin(row)?;
        remarks.settings(row)?;
        remarks.headroom(self.capacity().await?);
        let name = self.template_name();
        if self.template(&name).await?.is_some_and(|state| !state.ours) {
            remarks.add(
                Lack::Template,
                Severity::Error,
                format!("A database {name} exists that the admin does not own or that is not marked as our template."),
                format!("Rename or drop {name}."),
            );
        }
        for common in Common::ALL {
            self.check_common(common, &mut remarks).await?;
        }
        Ok(remarks.0)
    }

    async fn check_common(
        &self,
        common: Common,
        remarks: &mut Remarks,
    ) -> Result<(), ClusterError> {
        let name = self.common_name(common);
        match self.common_state(common).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {}
            Err(ClusterError::Foreign(_)) => {
                remarks.add(
                    Lack::Template,
                    Severity::Error,
                    format!("A database {name} exists that is not marked as this installation's."),
                    format!("Rename or drop {name}."),
                );
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if common == Common::Shared {
            let faults = self.shared_faults().await?;
            if !faults.is_empty() {
                remarks.add(
                    Lack::Guard,
                    Severity::Error,
                    format!("In {name}: {}.", faults.join("; ")),
                    "Provisioning a tenant with isolation `shared` puts tables right; what is said of roles takes a superuser.".to_owned(),
                );
            }
        }
        Ok(())
    }
}

impl Remarks {
    fn version(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let major: i32 = row.try_get("major")?;
        if !TRIED.contains(&major) {
            let severity = if major < *TRIED.start() {
                Severity::Error
            } else {
                Severity::Warning
            };
            self.add(
                Lack::Version,
                severity,
                format!("The server runs PostgreSQL {major}."),
                format!("Use a version from {} to {}.", TRIED.start(), TRIED.end()),
            );
        }
        Ok(())
    }

    fn admin(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let name: String = row.try_get("name")?;
        let major: i32 = row.try_get("major")?;
        let superuser: bool = row.try_get("rolsuper")?;
        if superuser {
            self.add(
                Lack::Superuser,
                Severity::Warning,
                format!("The admin role {name} is a superuser."),
                "Use a role with CREATEDB and CREATEROLE only.".to_owned(),
            );
            return Ok(());
        }
        let alter = |word: &str| format!("As a superuser: ALTER ROLE \"{name}\" {word};");
        for (lack, column, word) in [
            (Lack::CreateDatabase, "rolcreatedb", "CREATEDB"),
            (Lack::CreateRole, "rolcreaterole", "CREATEROLE"),
        ] {
            if !row.try_get::<bool, _>(column)? {
                let detail = format!("The admin role {name} lacks {word}.");
                self.add(lack, Severity::Error, detail, alter(word));
            }
        }
        if major < 16 && !row.try_get::<bool, _>("rolinherit")? {
            self.add(
                Lack::Inherit,
                Severity::Error,
                format!("The admin role {name} is NOINHERIT, so it can't act on what tenants' owners own."),
                alter("INHERIT"),
            );
        }
        let roles: i64 = row.try_get("foreign_roles")?;
        if roles > 0 {
            self.add(
                Lack::ForeignRoles,
                Severity::Error,
                format!("{roles} roles of this installation were made by another role than {name}, which has no ADMIN OPTION on them."),
                format!("Use the role that made them, or grant each to \"{name}\" WITH ADMIN OPTION."),
            );
        }
        Ok(())
    }

    fn settings(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        if !row.try_get::<bool, _>("template0")? {
            self.add(
                Lack::Template,
                Severity::Error,
                "The server has no template0, which our template is made from.".to_owned(),
                "Make it again as the PostgreSQL manual says in 23.3.".to_owned(),
            );
        }
        let encryption: String = row.try_get("encryption")?;
        if encryption != "scram-sha-256" {
            self.add(
                Lack::PasswordEncryption,
                Severity::Warning,
                format!("password_encryption is {encryption}. Passwords that this program sets are SCRAM-SHA-256 all the same."),
                "Set password_encryption = 'scram-sha-256', and the same method in pg_hba.conf.".to_owned(),
            );
        }
        let logged: String = row.try_get("log_statement")?;
        if logged != "none" {
            self.add(
                Lack::LogStatement,
                Severity::Warning,
                format!("log_statement is {logged}, so the server's log holds the verifiers of tenants' passwords, though no password."),
                "Keep the server's log as safe as its data, or set log_statement = 'none'.".to_owned(),
            );
        }
        let public: Vec<String> = row.try_get("public")?;
        if !public.is_empty() {
            let mut words = vec!["As a superuser:".to_owned()];
            for name in &public {
                let name = name.replace('"', "\"\"");
                words.push(format!(
                    "REVOKE CONNECT ON DATABASE \"{name}\" FROM PUBLIC;"
                ));
            }
            let here: String = row.try_get("here")?;
            if public.contains(&here) {
                let name: String = row.try_get("name")?;
                words.push(format!(
                    "GRANT CONNECT ON DATABASE \"{here}\" TO \"{name}\";"
                ));
            }
            self.add(
                Lack::PublicDatabases,
                Severity::Warning,
                format!(
                    "Any role, so also tenants' applications, may connect to {}.",
                    public.join(", ")
                ),
                words.join(" "),
            );
        }
        Ok(())
    }

    fn headroom(&mut self, capacity: Capacity) {
        let free = capacity.connections_free();
        if free < HEADROOM {
            self.add(
                Lack::Headroom,
                Severity::Warning,
                format!(
                    "{free} of {} connections are free.",
                    capacity.connections_max
                ),
                "Raise max_connections, end connections that nobody uses, or place tenants on another server.".to_owned(),
            );
        }
    }
}
