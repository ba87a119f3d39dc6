//! The two schemas of each set of migrations are the same: what one database holds as a table,
//! column, key, index or check, the other holds too.

mod catalog;
mod file;

use std::collections::BTreeSet;

use crate::support::{Bench, Dialect};

/// What a schema consists of, one line for each thing, in words common to both databases.
type Schema = BTreeSet<String>;

fn difference(sqlite: &Schema, postgres: &Schema) -> String {
    let only = |here: &Schema, there: &Schema, sign: &str| {
        here.difference(there)
            .flat_map(|line| [sign, " ", line, "\n"])
            .collect::<String>()
    };
    only(sqlite, postgres, "only in SQLite:    ") + &only(postgres, sqlite, "only in PostgreSQL:")
}

fn assert_same(sqlite: &Schema, postgres: &Schema) {
    assert!(sqlite.len() > 20, "hardly anything was read: {sqlite:?}");
    assert_eq!(
        sqlite,
        postgres,
        "the schemas differ\n{}",
        difference(sqlite, postgres)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_schemas_are_the_same() {
    let (file, server) = (
        Bench::open(Dialect::Sqlite).await,
        Bench::open(Dialect::Postgres).await,
    );
    assert_same(
        &file::read(file.control.db()).await,
        &catalog::read(server.control.db()).await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_schemas_are_the_same() {
    let (file, server) = (
        Bench::open(Dialect::Sqlite).await,
        Bench::open(Dialect::Postgres).await,
    );
    assert_same(
        &file::read(&file.people().await.db).await,
        &catalog::read(&server.people().await.db).await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_seen() {
    let (file, server) = (
        Bench::open(Dialect::Sqlite).await,
        Bench::open(Dialect::Postgres).await,
    );
    let postgres = catalog::read(server.control.db()).await;
    for change in [
        "CREATE TABLE more (a INTEGER) STRICT",
        "ALTER TABLE tenants ADD COLUMN extra TEXT",
        "DROP INDEX workflows_due",
        "DROP INDEX workflows_one_per_tenant;
         CREATE UNIQUE INDEX workflows_one_per_tenant ON workflows (tenant_id) WHERE state IN ('running')",
        "DROP INDEX outbox_by_tenant; CREATE UNIQUE INDEX outbox_by_tenant ON outbox (tenant_id)",
        "DROP TABLE counters; CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
        "DROP TABLE counters; CREATE TABLE counters (value INTEGER NOT NULL, name TEXT PRIMARY KEY) STRICT",
        "DROP TABLE counters; CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER) STRICT",
        "DROP TABLE counters; CREATE TABLE counters (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
        "DROP TABLE counters; CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value > 0)) STRICT",
        "DROP TABLE counters; CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL UNIQUE) STRICT",
        "DROP TABLE workflow_log; CREATE TABLE workflow_log (workflow_id BLOB NOT NULL)",
    ] {
        let changed = Bench::open(Dialect::Sqlite).await;
        crate::support::script(changed.control.db(), change).await.unwrap();
        let sqlite = file::read(changed.control.db()).await;
        assert!(!difference(&sqlite, &postgres).is_empty(), "not seen: {change}");
    }
    assert_eq!(
        difference(&file::read(file.control.db()).await, &postgres),
        ""
    );
}

/// An expression in a form that both databases agree on: PostgreSQL stores its own reading, with
/// casts, brackets of its own and lists as arrays.
fn expression(text: &str) -> String {
    let mut text = text.to_ascii_lowercase();
    for cast in ["::text", "::bigint", "::integer"] {
        text = text.replace(cast, "");
    }
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !"()[]".contains(*c))
        .collect();
    text.replace("=anyarray", "in")
        .replace("<>allarray", "notin")
}

/// The type a column has in SQLite, for each that PostgreSQL has.
fn common_type(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "uuid" | "bytea" | "blob" => "bytes",
        "bigint" | "integer" => "number",
        "text" => "text",
        _ => "of a type that is not used here",
    }
}

/// The lines for a column, by place.
fn column(table: &str, place: i64, name: &str, kind: &str, required: bool) -> String {
    let kind = common_type(kind);
    let required = if required { "required" } else { "may be NULL" };
    format!("{table}: column {place} {name}, {kind}, {required}")
}
