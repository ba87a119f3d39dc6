//! The schema of a SQLite file.

use sqlx::{AssertSqlSafe, Row as _, SqlitePool};
use tenantry_store::Db;

use super::{Schema, column, expression};

pub(super) async fn read(db: &Db) -> Schema {
    let Db::Sqlite { writer, .. } = db else {
        unreachable!("it is a file")
    };
    let mut schema = Schema::new();
    let tables = "SELECT name, sql FROM sqlite_schema
                  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'tenantry_migrations'";
    for row in sqlx::query(tables).fetch_all(writer).await.unwrap() {
        let (table, sql): (String, String) = (row.get(0), row.get(1));
        schema.insert(format!("{table}: table"));
        if !sql.trim_end().ends_with("STRICT") {
            schema.insert(format!("{table}: not STRICT"));
        }
        for check in checks(&sql) {
            schema.insert(format!("{table}: check {}", expression(&check)));
        }
        columns(writer, &table, &mut schema).await;
        indexes(writer, &table, &mut schema).await;
        references(writer, &table, &mut schema).await;
    }
    schema
}

async fn pragma(pool: &SqlitePool, sql: String) -> Vec<sqlx::sqlite::SqliteRow> {
    sqlx::query(AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn columns(pool: &SqlitePool, table: &str, schema: &mut Schema) {
    let mut key = Vec::new();
    for row in pragma(pool, format!("PRAGMA table_xinfo({table})")).await {
        let (place, in_key): (i64, i64) = (row.get("cid"), row.get("pk"));
        let name: String = row.get("name");
        // A whole number that is the key alone is the row's own number, which is never NULL.
        let required = row.get::<i64, _>("notnull") == 1 || in_key > 0;
        schema.insert(column(table, place + 1, &name, row.get("type"), required));
        if row.get::<Option<String>, _>("dflt_value").is_some() {
            schema.insert(format!("{table}: {name} has a default"));
        }
        if in_key > 0 {
            key.push((in_key, name));
        }
    }
    key.sort();
    let key: Vec<_> = key.into_iter().map(|(_, name)| name).collect();
    schema.insert(format!("{table}: primary key ({})", key.join(", ")));
}

async fn indexes(pool: &SqlitePool, table: &str, schema: &mut Schema) {
    for row in pragma(pool, format!("PRAGMA index_list({table})")).await {
        let (index, origin): (String, String) = (row.get("name"), row.get("origin"));
        let parts = pragma(pool, format!("PRAGMA index_info({index})")).await;
        let parts: Vec<String> = parts.iter().map(|part| part.get("name")).collect();
        let parts = parts.join(", ");
        match origin.as_str() {
            "pk" => {}
            "u" => {
                schema.insert(format!("{table}: unique ({parts})"));
            }
            _ => {
                let unique = if row.get::<i64, _>("unique") == 1 {
                    "unique "
                } else {
                    ""
                };
                let sql = format!("SELECT sql FROM sqlite_schema WHERE name = '{index}'");
                let sql: String = pragma(pool, sql).await[0].get(0);
                let only = sql.split_once("WHERE").map(|(_, only)| expression(only));
                schema.insert(format!(
                    "{table}: {unique}index {index} ({parts}) where {only:?}"
                ));
            }
        }
    }
}

async fn references(pool: &SqlitePool, table: &str, schema: &mut Schema) {
    let mut keys: Vec<(i64, String, String, Vec<String>, Vec<String>)> = Vec::new();
    for row in pragma(pool, format!("PRAGMA foreign_key_list({table})")).await {
        let id: i64 = row.get("id");
        if keys.last().is_none_or(|key| key.0 != id) {
            keys.push((
                id,
                row.get("table"),
                row.get("on_delete"),
                Vec::new(),
                Vec::new(),
            ));
        }
        if let Some(key) = keys.last_mut() {
            key.3.push(row.get("from"));
            key.4.push(row.get("to"));
        }
    }
    for (_, to, on_delete, from, there) in keys {
        let (from, there) = (from.join(", "), there.join(", "));
        schema.insert(format!(
            "{table}: ({from}) refers to {to} ({there}), then {on_delete}"
        ));
    }
}

/// The checks in the text of a table.
fn checks(sql: &str) -> Vec<String> {
    let sql: String = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    sql.split("CHECK (")
        .skip(1)
        .map(|rest| rest[..end(rest)].to_owned())
        .collect()
}

/// Where the bracket that was open before the text is closed.
fn end(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}
