//! What can go wrong on a cluster. Told by SQLSTATE, never by text, which the server writes in its
//! own language.

use std::time::Duration;

use sqlx::migrate::MigrateError;

use crate::StoreError;

/// What an error of the server means for a step (PostgreSQL manual, appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is there already (42P04, 42P06, 42P07, 42710, 23505): look whose it is.
    Exists,
    /// The same may work in a moment (40001, 40P01, 53xxx, 55000, 55006, 55P03, 57014, 57P0x, and
    /// XX000, which the server says when two change one row of the catalogue at once).
    Transient,
    /// It is not there (42704, 3D000, 3F000): look again, as another may just have dropped it.
    Gone,
    /// The connection is gone and with it the answer: it may have happened (08xxx, I/O).
    Lost,
    /// The admin lacks a right (42501, 28xxx).
    Denied,
    /// Something still depends on it (2BP01).
    InUse,
    /// Anything else.
    Other,
}

impl Trouble {
    fn of_code(code: &str) -> Self {
        match code {
            "42P04" | "42P06" | "42P07" | "42710" | "23505" => Self::Exists,
            "40001" | "40P01" | "55000" | "55006" | "55P03" | "57014" | "XX000" => Self::Transient,
            "42704" | "3D000" | "3F000" => Self::Gone,
            "42501" => Self::Denied,
            "2BP01" => Self::InUse,
            _ => match code.get(..2) {
                Some("08") => Self::Lost,
                Some("53") => Self::Transient,
                Some("28") => Self::Denied,
                _ if code.starts_with("57P") => Self::Transient,
                _ => Self::Other,
            },
        }
    }
}

/// An error of a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The server refused or could not be reached.
    #[error("the cluster could not do this ({trouble:?})")]
    Database {
        /// What it means.
        trouble: Trouble,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The server did not answer in time; it may have happened.
    #[error("the cluster did not answer within {0:?}")]
    Deadline(Duration),
    /// Another node is at it.
    #[error("another node is working on {0}")]
    Busy(String),
    /// A database or role of this name exists and does not carry our marker for this tenant.
    #[error("{0} exists on the cluster and does not carry this tenant's marker")]
    Foreign(String),
    /// Somebody whom the admin may not end is connected to a database that is to be dropped.
    #[error(
        "{database} can't be dropped while {by} is connected; end those sessions as a superuser"
    )]
    Occupied {
        /// The database.
        database: String,
        /// The roles connected.
        by: String,
    },
    /// A role or database that a step builds on is not there.
    #[error("{0} is missing on the cluster")]
    Missing(String),
    /// Tenants still lie in a database that is to be dropped.
    #[error("tenants still lie in {0}; drop their homes and roles first")]
    Inhabited(String),
    /// A database that was there before can't take a tenant.
    #[error("the database {database} can't be adopted: {why}")]
    Unadoptable {
        /// The database, quoted.
        database: String,
        /// What lacks, and what helps.
        why: String,
    },
    /// A table of people can't be read.
    #[error("the table {table} can't be read: {why}")]
    Unreadable {
        /// The table, quoted.
        table: String,
        /// What lacks, and what helps.
        why: String,
    },
    /// Something in an adopted database would go along with what is the tenant's, or keeps it.
    #[error(
        "in {database} these stand in the way: {things}; drop or change what is built on the tenant's schemas, give away what its roles own elsewhere, revoke the rights that they have there, then try again"
    )]
    Leavings {
        /// The database, quoted.
        database: String,
        /// Some of them.
        things: String,
    },
    /// Shared identity tables are not under the row-level security that they should be.
    #[error("the shared identity tables are not guarded: {0}")]
    Unguarded(String),
    /// What is to be carried over is no earlier generation of the same tenant.
    #[error("{0} is no earlier generation of {1}")]
    Unrelated(String, String),
    /// A later generation of the tenant holds the rows that this step is about.
    #[error("{0} is behind a later generation of its tenant")]
    Superseded(String),
    /// Identity tables could not be brought to the present schema.
    #[error("the identity tables could not be migrated")]
    Migrate(#[source] StoreError),
}

impl ClusterError {
    /// What it means for a step.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Database { trouble, .. } => *trouble,
            Self::Deadline(_) => Trouble::Lost,
            // Whoever is connected may just be leaving.
            Self::Busy(_) | Self::Occupied { .. } => Trouble::Transient,
            Self::Migrate(source) => trouble_of_migration(source),
            Self::Inhabited(_) | Self::Leavings { .. } => Trouble::InUse,
            Self::Foreign(_)
            | Self::Missing(_)
            | Self::Superseded(_)
            | Self::Unadoptable { .. }
            | Self::Unguarded(_)
            | Self::Unreadable { .. }
            | Self::Unrelated(..) => Trouble::Other,
        }
    }

    /// Whether looking again and trying again may help.
    pub fn is_passing(&self) -> bool {
        match self.trouble() {
            Trouble::Exists | Trouble::Transient | Trouble::Gone | Trouble::Lost => true,
            Trouble::Denied | Trouble::InUse | Trouble::Other => false,
        }
    }

    /// Whether the server takes nobody in just now: it is starting (57P03), full (53300), or not
    /// reached at all.
    pub(crate) fn is_refusing_for_now(&self) -> bool {
        match self {
            Self::Database {
                source: sqlx::Error::Io(_),
                ..
            } => true,
            _ => matches!(self.sqlstate().as_deref(), Some("57P03" | "53300")),
        }
    }

    /// Whether the server refused a sign-in because of its password (28P01), or because the role has
    /// none or may not sign in (28000, and on some servers 28P01 too).
    pub(crate) fn is_wrong_password(&self) -> bool {
        matches!(self.sqlstate().as_deref(), Some("28P01" | "28000"))
    }

    /// Whether there is no such database.
    pub(super) fn is_no_database(&self) -> bool {
        self.sqlstate().as_deref() == Some("3D000")
    }

    /// The server's code, if it said one.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Database { source, .. } => {
                let code = source.as_database_error()?.code()?;
                Some(code.into_owned())
            }
            _ => None,
        }
    }
}

impl From<sqlx::Error> for ClusterError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database {
            trouble: trouble_of(&source),
            source,
        }
    }
}

fn trouble_of(source: &sqlx::Error) -> Trouble {
    match source {
        sqlx::Error::Database(error) => error
            .code()
            .map_or(Trouble::Other, |code| Trouble::of_code(&code)),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => Trouble::Lost,
        sqlx::Error::PoolTimedOut => Trouble::Transient,
        _ => Trouble::Other,
    }
}

/// A statement of a migration is judged as any other.
fn trouble_of_migration(source: &StoreError) -> Trouble {
    match source {
        StoreError::Migrate(
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
        )
        | StoreError::Database { source, .. } => trouble_of(source),
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What a server with German messages says.
    #[derive(Debug)]
    struct German(&'static str);

    impl fmt::Display for German {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.message())
        }
    }
    impl Error for German {}
    impl DatabaseError for German {
        fn message(&self) -> &'static str {
            "Datenbank »t_0« existiert bereits"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn only_the_code_counts() {
        for (code, trouble) in [
            ("42P04", Trouble::Exists),
            ("23505", Trouble::Exists),
            ("42710", Trouble::Exists),
            ("55006", Trouble::Transient),
            ("53300", Trouble::Transient),
            ("57P01", Trouble::Transient),
            ("57014", Trouble::Transient),
            ("42704", Trouble::Gone),
            ("3D000", Trouble::Gone),
            ("3F000", Trouble::Gone),
            ("42P06", Trouble::Exists),
            ("08006", Trouble::Lost),
            ("42501", Trouble::Denied),
            ("28P01", Trouble::Denied),
            ("2BP01", Trouble::InUse),
            ("42601", Trouble::Other),
            ("25001", Trouble::Other),
        ] {
            // The same words with each code.
            let source = sqlx::Error::Database(Box::new(German(code)));
            let error = ClusterError::from(source);
            assert_eq!(error.trouble(), trouble, "{code}");
            assert_eq!(error.sqlstate().as_deref(), Some(code));
        }
    }
}
