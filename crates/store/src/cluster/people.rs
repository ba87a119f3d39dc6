//! The people whom an application already knows, in a table of its own, which is read and nothing
//! else.
//!
//! Whoever made the table may not be trusted with the admin's rights, so what is read must call
//! nothing of theirs: ordinary tables alone, no view and no row-level policy, each value by the way
//! its type is written out, never by a cast that somebody defined, and in a transaction that can't
//! write.

use std::fmt;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tenantry_core::Secret;
use tokio::time::timeout;

use super::adopted::AdoptedDatabase;
use super::{Cluster, ClusterError};

/// How many rows are read at once.
const PAGE: i64 = 500;

/// A table of people, and which column holds what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleTable {
    /// The schema that the table lies in.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The column of addresses.
    pub email: String,
    /// The column of names to sign in with.
    pub username: Option<String>,
    /// The column of names to show.
    pub full_name: Option<String>,
    /// The column of roles.
    pub role: Option<String>,
    /// The column of password hashes.
    pub password_hash: Option<String>,
    /// The column that tells who is kept out.
    pub disabled: Option<String>,
}

/// A row as it stands there.
pub struct PersonRow {
    /// Which row it was, from 1.
    pub ordinal: u64,
    /// The address.
    pub email: Option<String>,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// The password's hash.
    pub password_hash: Option<Secret<String>>,
    /// What the column says that tells who is kept out.
    pub disabled: Option<String>,
}

/// A name that a person gave, as an identifier.
struct Identifier<'a>(&'a str);

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl fmt::Display for PeopleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}",
            Identifier(&self.schema),
            Identifier(&self.table)
        )
    }
}

impl PeopleTable {
    /// The columns in the order in which they are read.
    fn columns(&self) -> [Option<&str>; 6] {
        [
            Some(&self.email),
            self.username.as_deref(),
            self.full_name.as_deref(),
            self.role.as_deref(),
            self.password_hash.as_deref(),
            self.disabled.as_deref(),
        ]
    }

    /// `concat` writes a value as its type does and has no use for casts, which anybody may define
    /// for a type of his own.
    fn select(&self) -> String {
        let columns = self.columns().map(|column| match column {
            None => "NULL::text".to_owned(),
            Some(name) => {
                let name = Identifier(name);
                format!("CASE WHEN p.{name} IS NOT NULL THEN concat(p.{name}) END")
            }
        });
        format!("SELECT {} FROM {self} p", columns.join(", "))
    }

    fn unreadable(&self, why: String) -> ClusterError {
        ClusterError::Unreadable {
            table: self.to_string(),
            why,
        }
    }
}

// $1 schema, $2 table. What kind of thing it is, whether the admin may read it, and its columns
// whose types are written out by code of the server's or a superuser's.
const TABLE: &str = "
    SELECT c.relkind IN ('r', 'p') AS ordinary,
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
           c.relrowsecurity AS guarded, current_user::text AS admin,
           ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   AND t.typtype IN ('b', 'd', 'e')) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2";

// Newer servers refuse a view that was put in the table's place at the last moment
// (CVE-2024-7348); older ones don't know the setting.
const HARDEN: &str = "
    SELECT set_config(name, 'view, foreign-table', TRUE) FROM pg_settings
    WHERE name = 'restrict_nonsystem_relation_kind'";

/// A table of people that is being read.
pub struct PeopleReader {
    conn: PgConnection,
    read: u64,
    deadline: std::time::Duration,
}

impl Cluster {
    /// Whether the table is there and can be read. Changes nothing.
    ///
    /// # Errors
    /// [`ClusterError::Unreadable`] says what lacks, and which statement helps.
    pub async fn check_people(
        &self,
        database: &AdoptedDatabase,
        table: &PeopleTable,
    ) -> Result<(), ClusterError> {
        self.read_people(database, table).await?.leave().await
    }

    /// Begins to read the table, as it is at this moment.
    pub async fn read_people(
        &self,
        database: &AdoptedDatabase,
        table: &PeopleTable,
    ) -> Result<PeopleReader, ClusterError> {
        let deadline = self.bounds.statement;
        let options = self.way_into(database);
        let opening = async {
            let mut conn = options.connect().await?;
            open(&mut conn, table).await?;
            Ok(conn)
        };
        match timeout(deadline, opening).await {
            Ok(Ok(conn)) => Ok(PeopleReader {
                conn,
                read: 0,
                deadline,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClusterError::Deadline(deadline)),
        }
    }
}

async fn open(conn: &mut PgConnection, table: &PeopleTable) -> Result<(), ClusterError> {
    // With row_security off a policy is an error instead of a filter.
    for sql in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL row_security = off",
        "SET LOCAL lock_timeout = '10s'",
        HARDEN,
    ] {
        sqlx::raw_sql(sql).execute(&mut *conn).await?;
    }
    check(conn, table).await?;
    // It can't be replaced from here on; so it is looked at again.
    let lock = format!("LOCK TABLE {table} IN ACCESS SHARE MODE");
    sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut *conn)
        .await?;
    check(conn, table).await?;
    let cursor = format!("DECLARE people NO SCROLL CURSOR FOR {}", table.select());
    sqlx::raw_sql(AssertSqlSafe(cursor)).execute(conn).await?;
    Ok(())
}

async fn check(conn: &mut PgConnection, table: &PeopleTable) -> Result<(), ClusterError> {
    let row = sqlx::query(TABLE)
        .bind(&table.schema)
        .bind(&table.table)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else {
        return Err(table.unreadable("there is no such table in the database".to_owned()));
    };
    let admin: String = row.try_get("admin")?;
    let admin = Identifier(&admin);
    if !row.try_get::<bool, _>("ordinary")? {
        return Err(table.unreadable(
            "it is no ordinary table; reading a view would call what others wrote".to_owned(),
        ));
    }
    if !row.try_get::<bool, _>("readable")? {
        let schema = Identifier(&table.schema);
        return Err(table.unreadable(format!(
            "the admin may not read it; as its owner, GRANT USAGE ON SCHEMA {schema} TO {admin}; GRANT SELECT ON {table} TO {admin}"
        )));
    }
    if row.try_get::<bool, _>("guarded")? {
        return Err(table.unreadable(
            "it is under row-level security, so that it can't be known who is left out; copy it into a table without, and name that".to_owned(),
        ));
    }
    let columns: Vec<String> = row.try_get("columns")?;
    for column in table.columns().into_iter().flatten() {
        if !columns.iter().any(|there| there == column) {
            let column = Identifier(column);
            return Err(table.unreadable(format!("it has no column {column} of a plain type")));
        }
    }
    Ok(())
}

impl PeopleReader {
    /// The next rows; none once all were read.
    pub async fn page(&mut self) -> Result<Vec<PersonRow>, ClusterError> {
        let fetch = format!("FETCH FORWARD {PAGE} FROM people");
        let asked = sqlx::query(AssertSqlSafe(fetch))
            .persistent(false)
            .fetch_all(&mut self.conn);
        let rows = match timeout(self.deadline, asked).await {
            Ok(rows) => rows?,
            Err(_) => return Err(ClusterError::Deadline(self.deadline)),
        };
        let mut people = Vec::with_capacity(rows.len());
        for row in &rows {
            self.read += 1;
            people.push(person(self.read, row)?);
        }
        Ok(people)
    }

    /// Says good-bye.
    pub async fn leave(self) -> Result<(), ClusterError> {
        match timeout(self.deadline, self.conn.close()).await {
            Ok(closed) => Ok(closed?),
            Err(_) => Err(ClusterError::Deadline(self.deadline)),
        }
    }
}

fn person(ordinal: u64, row: &PgRow) -> Result<PersonRow, sqlx::Error> {
    Ok(PersonRow {
        ordinal,
        email: row.try_get(0)?,
        username: row.try_get(1)?,
        full_name: row.try_get(2)?,
        role: row.try_get(3)?,
        password_hash: row.try_get::<Option<String>, _>(4)?.map(Secret::new),
        disabled: row.try_get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_wherever_they_stand() {
        let table = PeopleTable {
            schema: "a\"b".to_owned(),
            table: "c; DROP TABLE d".to_owned(),
            email: "e\" FROM f --".to_owned(),
            username: None,
            full_name: None,
            role: None,
            password_hash: None,
            disabled: None,
        };
        let sql = table.select();
        assert!(
            sql.ends_with("FROM \"a\"\"b\".\"c; DROP TABLE d\" p"),
            "{sql}"
        );
        assert!(sql.contains("concat(p.\"e\"\" FROM f --\")"), "{sql}");
    }
}
