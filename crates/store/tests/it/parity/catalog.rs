//! The schema of a PostgreSQL database.

use sqlx::{PgPool, Row as _};
use tenantry_store::Db;

use super::{Schema, column, expression};

pub(super) async fn read(db: &Db) -> Schema {
    let Db::Postgres(pool) = db else {
        unreachable!("it is a server")
    };
    let mut schema = Schema::new();
    columns(pool, &mut schema).await;
    constraints(pool, &mut schema).await;
    indexes(pool, &mut schema).await;
    schema
}

async fn columns(pool: &PgPool, schema: &mut Schema) {
    let sql = "SELECT c.relname::text, a.attnum::bigint, a.attname::text,
                      format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
                 AND NOT a.attisdropped AND c.relname <> 'tenantry_migrations'";
    for row in sqlx::query(sql).fetch_all(pool).await.unwrap() {
        let (table, name): (String, String) = (row.get(0), row.get(2));
        schema.insert(format!("{table}: table"));
        schema.insert(column(&table, row.get(1), &name, row.get(3), row.get(4)));
        if row.get(5) {
            schema.insert(format!("{table}: {name} has a default"));
        }
    }
}

async fn constraints(pool: &PgPool, schema: &mut Schema) {
    let names = "ARRAY(SELECT a.attname::text FROM unnest(k.KEY) WITH ORDINALITY AS u (number, place)
                       JOIN pg_attribute a ON a.attrelid = k.RELATION AND a.attnum = u.number ORDER BY u.place)";
    let here = names
        .replace("KEY", "conkey")
        .replace("RELATION", "conrelid");
    let there = names
        .replace("KEY", "confkey")
        .replace("RELATION", "confrelid");
    let sql = format!(
        "SELECT c.relname::text, k.contype::text, {here}, {there},
                COALESCE((SELECT f.relname::text FROM pg_class f WHERE f.oid = k.confrelid), ''),
                k.confdeltype::text, COALESCE(pg_get_expr(k.conbin, k.conrelid), '')
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'tenantry_migrations'"
    );
    for row in sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
    {
        let (table, kind): (String, String) = (row.get(0), row.get(1));
        let (here, there): (Vec<String>, Vec<String>) = (row.get(2), row.get(3));
        let (here, there) = (here.join(", "), there.join(", "));
        let line = match kind.as_str() {
            "p" => format!("primary key ({here})"),
            "u" => format!("unique ({here})"),
            "c" => format!("check {}", expression(row.get(6))),
            "f" => {
                let (to, on_delete): (String, String) = (row.get(4), row.get(5));
                let on_delete = match on_delete.as_str() {
                    "a" => "NO ACTION",
                    "c" => "CASCADE",
                    _ => "something else",
                };
                format!("({here}) refers to {to} ({there}), then {on_delete}")
            }
            // From version 18 on a column that is required has a constraint for it.
            "n" => continue,
            other => format!("constraint of kind {other}"),
        };
        schema.insert(format!("{table}: {line}"));
    }
}

async fn indexes(pool: &PgPool, schema: &mut Schema) {
    let sql = "SELECT c.relname::text, i.relname::text, x.indisunique,
                      ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u (number, place)
                            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place),
                      pg_get_expr(x.indpred, x.indrelid)
               FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
               WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'tenantry_migrations'
                 AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u'))";
    for row in sqlx::query(sql).fetch_all(pool).await.unwrap() {
        let (table, index): (String, String) = (row.get(0), row.get(1));
        let unique = if row.get(2) { "unique " } else { "" };
        let parts: Vec<String> = row.get(3);
        let parts = parts.join(", ");
        let only = row
            .get::<Option<String>, _>(4)
            .map(|only| expression(&only));
        schema.insert(format!(
            "{table}: {unique}index {index} ({parts}) where {only:?}"
        ));
    }
}
