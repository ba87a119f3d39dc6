//! What can go wrong below the use cases.

use sqlx::error::ErrorKind as SqlxKind;

use crate::cluster::ClusterError;

/// What an error means for the caller. Told by SQLSTATE or SQLite's result code, never by text,
/// which a server writes in its own language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A unique constraint refused the row.
    Unique,
    /// A foreign key or check refused the row.
    Constraint,
    /// The same may work in a moment (PostgreSQL manual, appendix A: 40001, 40P01, 55006, 55P03,
    /// 57P0x, 53xxx, 08xxx; SQLite: busy, locked).
    Transient,
    /// The disk is full or failing, or the file can't be opened.
    Storage,
    /// Anything else.
    Other,
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database could not do this ({kind:?})")]
    Database {
        /// What it means.
        kind: ErrorKind,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A stored value is none that this program writes.
    #[error(
        "the stored value of {table}.{column} is not one this program knows; was it edited by hand or written by a newer version?"
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The tenant's database does not exist.
    #[error("the tenant's database does not exist; `tenant check` tells more")]
    DatabaseMissing,
    /// The tenant's database says that it is another one.
    #[error(
        "the tenant's database carries {found}, expected {expected}; `tenant check` tells more"
    )]
    Stamp {
        /// What was to be found.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A tenant lies on a cluster that the registry does not name.
    #[error("the registry names no cluster {0:?}; `cluster add` it again")]
    ClusterMissing(String),
    /// The registry has no password to sign in to the tenant's database with.
    #[error("no password for the tenant's database is stored; `tenant repair` sets a new one")]
    CredentialMissing,
    /// A stored secret does not open.
    #[error("a stored secret does not open with the master key")]
    Sealed,
    /// The tenant's database refuses our sign-in.
    #[error("the server refuses our sign-in to the tenant's database; `tenant check` tells more")]
    SignIn(#[source] Box<ClusterError>),
    /// A cluster could not do its part.
    #[error(transparent)]
    Cluster(Box<ClusterError>),
    /// The connection was lost while the transaction was being committed.
    #[error("the server did not say whether the change was made; look before making it again")]
    Unanswered(#[source] sqlx::Error),
    /// Every handle is in use.
    #[error("too many tenant databases are in use at once; try again in a moment")]
    Busy,
    /// The file system refused.
    #[error("{what} could not be done")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl StoreError {
    /// What it means for the caller.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Database { kind, .. } => *kind,
            Self::Busy | Self::Unanswered(_) => ErrorKind::Transient,
            Self::Io { .. } => ErrorKind::Storage,
            Self::Cluster(error) if error.is_passing() => ErrorKind::Transient,
            Self::Corrupt { .. }
            | Self::Migrate(_)
            | Self::DatabaseMissing
            | Self::ClusterMissing(_)
            | Self::CredentialMissing
            | Self::Sealed
            | Self::SignIn(_)
            | Self::Cluster(_)
            | Self::Stamp { .. } => ErrorKind::Other,
        }
    }

    /// Whether the same may work in a moment.
    pub fn is_transient(&self) -> bool {
        self.kind() == ErrorKind::Transient
    }

    /// Whether a unique constraint refused the row.
    pub fn is_unique(&self) -> bool {
        self.kind() == ErrorKind::Unique
    }

    /// What the server said, if it said anything: SQLSTATE.
    fn sqlstate(&self) -> Option<String> {
        let Self::Database { source, .. } = self else {
            return None;
        };
        Some(source.as_database_error()?.code()?.into_owned())
    }

    /// Whether a server took the transaction back since it got in another's way (40001, 40P01,
    /// 55P03): done again as a whole, it may work.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.sqlstate().as_deref(),
            Some("40001" | "40P01" | "55P03")
        )
    }

    /// Whether a connection in use is gone (08xxx, 57P01 to 57P03, I/O), and with it whatever was
    /// not committed.
    pub fn is_lost(&self) -> bool {
        if let Some(code) = self.sqlstate() {
            return code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03");
        }
        matches!(
            self,
            Self::Database {
                source: sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed,
                ..
            }
        )
    }

    /// What it means that a tenant's database on a server could not be entered.
    pub(crate) fn entering(error: ClusterError) -> Self {
        match error.sqlstate().as_deref() {
            // https://www.postgresql.org/docs/current/errcodes-appendix.html
            Some("3D000") => Self::DatabaseMissing,
            Some("28P01" | "28000" | "42501" | "55000") => Self::SignIn(Box::new(error)),
            // The tables are not there: nothing that could hold a stamp.
            Some("42P01" | "3F000") => Self::Stamp {
                expected: "a tenant's database".to_owned(),
                found: "no tables of ours".to_owned(),
            },
            _ => error.into(),
        }
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl From<ClusterError> for StoreError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(Box::new(error))
    }
}

/// PostgreSQL's SQLSTATE has five characters, SQLite's (extended) result code is a number.
fn kind_of_code(code: &str) -> ErrorKind {
    if code.len() == 5 {
        return match code {
            "53100" | "58030" => ErrorKind::Storage,
            "40001" | "40P01" | "55006" | "55P03" | "57014" => ErrorKind::Transient,
            _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
                ErrorKind::Transient
            }
            _ => ErrorKind::Other,
        };
    }
    // https://www.sqlite.org/rescode.html: the low byte is the primary code.
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => ErrorKind::Transient,
        // 14 (can't open) is also what SQLite says when the process is out of file descriptors.
        Ok(8 | 10 | 13 | 14) => ErrorKind::Storage,
        _ => ErrorKind::Other,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        let kind = match &source {
            sqlx::Error::Database(error) => match error.kind() {
                SqlxKind::UniqueViolation => ErrorKind::Unique,
                SqlxKind::ForeignKeyViolation
                | SqlxKind::CheckViolation
                | SqlxKind::NotNullViolation
                | SqlxKind::ExclusionViolation => ErrorKind::Constraint,
                _ => error
                    .code()
                    .map_or(ErrorKind::Other, |code| kind_of_code(&code)),
            },
            // What speaks neither our protocol nor TLS is no server of ours just now: one that starts,
            // stops, or is behind something that says so in its place.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => ErrorKind::Transient,
            _ => ErrorKind::Other,
        };
        Self::Database { kind, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_not_texts() {
        for code in [
            "40001", "40P01", "55006", "08006", "57P01", "53300", "5", "517", "6", "261",
        ] {
            assert_eq!(kind_of_code(code), ErrorKind::Transient, "{code}");
        }
        for code in ["13", "10", "778", "8", "14", "53100"] {
            assert_eq!(kind_of_code(code), ErrorKind::Storage, "{code}");
        }
        for code in ["42P01", "1", "25P02", "11"] {
            assert_eq!(kind_of_code(code), ErrorKind::Other, "{code}");
        }
    }
}
