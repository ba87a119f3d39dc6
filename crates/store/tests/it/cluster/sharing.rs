//! The login that serves all tenants in shared tables sees the tenant it names, and nobody else.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, Placement};

use super::{Bench, code, next, refusal, run};

/// The tenants whose people a statement without any condition finds.
async fn tenants(conn: &mut PgConnection) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "tenantry_stamp",
        "tenantry_users",
        "tenantry_one_time_secrets",
    ] {
        let sql = format!("SELECT tenant_id::text FROM {table}");
        // DISCARD ALL ends prepared statements behind the driver's back.
        let rows = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

fn thrice(placement: Placement) -> Vec<String> {
    vec![placement.tenant.to_string(); 3]
}

async fn name(conn: &mut PgConnection, placement: Placement) {
    let sql = format!("SET LOCAL tenantry.tenant = '{}'", placement.tenant);
    run(conn, &sql).await.unwrap();
}

struct Neighbours {
    bench: Bench,
    one: Placement,
    two: Placement,
    /// The server's login, which has named nobody.
    conn: PgConnection,
}

async fn neighbours() -> Neighbours {
    let bench = Bench::open().await;
    let (one, _) = bench.inhabited(Isolation::Shared).await;
    let (two, password) = bench.inhabited(Isolation::Shared).await;
    let options = bench.options(two, Login::Service, &password);
    let conn = PgConnection::connect_with(&options).await.unwrap();
    Neighbours {
        bench,
        one,
        two,
        conn,
    }
}

#[tokio::test]
async fn a_forgotten_condition_finds_nobody_elses_rows() {
    let Neighbours {
        bench,
        one,
        two,
        mut conn,
    } = neighbours().await;
    assert!(tenants(&mut conn).await.is_empty(), "nobody was named");
    for placement in [one, two] {
        run(&mut conn, "BEGIN").await.unwrap();
        name(&mut conn, placement).await;
        assert_eq!(tenants(&mut conn).await, thrice(placement));
        run(&mut conn, "COMMIT").await.unwrap();
        assert!(
            tenants(&mut conn).await.is_empty(),
            "named for a transaction"
        );
    }
    // Not even a deletion without any condition.
    run(&mut conn, "BEGIN").await.unwrap();
    name(&mut conn, one).await;
    run(
        &mut conn,
        "DELETE FROM tenantry_users; UPDATE tenantry_stamp SET stamped_at = 7; COMMIT",
    )
    .await
    .unwrap();
    assert_eq!(bench.rows(one).await, 1);
    assert_eq!(bench.rows(two).await, 3);
    let sql = format!(
        "SELECT COUNT(*) FROM tenantry.tenantry_stamp WHERE stamped_at = 7 AND tenant_id <> '{}'",
        one.tenant
    );
    assert_eq!(super::number_in(&bench.database(one), &sql).await, 0);
}

#[tokio::test]
async fn another_tenants_rows_are_not_written() {
    let Neighbours {
        bench,
        one,
        two,
        mut conn,
    } = neighbours().await;
    let (mine, theirs) = (one.tenant, two.tenant);
    for sql in [
        format!("INSERT INTO tenantry_stamp VALUES ('{theirs}', 9, 1, 0)"),
        format!("INSERT INTO tenantry_stamp VALUES ('{theirs}', 9, 1, 0) ON CONFLICT DO NOTHING"),
        format!(
            "INSERT INTO tenantry_stamp VALUES ('{theirs}', 9, 1, 0)
             ON CONFLICT (tenant_id) DO UPDATE SET generation = 9"
        ),
        format!("UPDATE tenantry_stamp SET tenant_id = '{theirs}'"),
        format!("UPDATE tenantry_users SET tenant_id = '{theirs}' WHERE tenant_id = '{mine}'"),
        "TRUNCATE tenantry_stamp".to_owned(),
        "CREATE TABLE mine (id BIGINT)".to_owned(),
        "CREATE TEMPORARY TABLE mine (id BIGINT)".to_owned(),
        "ALTER TABLE tenantry_users DISABLE ROW LEVEL SECURITY".to_owned(),
        "DROP POLICY tenantry_tenant ON tenantry_users".to_owned(),
        "SELECT version FROM tenantry_migrations".to_owned(),
        "DELETE FROM tenantry_migrations".to_owned(),
        "UPDATE tenantry_migrations SET success = FALSE".to_owned(),
        format!("SELECT id FROM {}.users", one.application_schema()),
        format!("SET ROLE tenantry_objects_{}", bench.instance.simple()),
        format!("SET ROLE tenantry_viewer_{}", bench.instance.simple()),
        "SET row_security = off; SELECT id FROM tenantry_users".to_owned(),
    ] {
        run(&mut conn, "BEGIN").await.unwrap();
        name(&mut conn, one).await;
        assert_eq!(refusal(&mut conn, &sql).await, "42501", "{sql}");
        run(&mut conn, "ROLLBACK").await.unwrap();
    }
    // Where nobody is named not even that is a row of one's own.
    let sql = format!(
        "INSERT INTO tenantry_stamp VALUES ('{}', 9, 1, 0)",
        uuid::Uuid::nil()
    );
    assert_eq!(refusal(&mut conn, &sql).await, "42501");
    assert_eq!(bench.rows(two).await, 3);
}

#[tokio::test]
async fn nothing_of_one_tenant_is_left_on_the_connection_for_the_next() {
    let Neighbours {
        bench: _bench,
        one,
        two,
        mut conn,
    } = neighbours().await;
    for ending in [
        "COMMIT",
        "ROLLBACK",
        "SELECT 1 / 0",
        "SELECT no_such_column FROM tenantry_users",
        "SAVEPOINT s; SELECT 1; ROLLBACK TO s; COMMIT",
        "SAVEPOINT s; RELEASE s; COMMIT",
    ] {
        for placement in [one, two, one] {
            run(&mut conn, "BEGIN").await.unwrap();
            assert!(tenants(&mut conn).await.is_empty(), "{ending}");
            name(&mut conn, placement).await;
            assert_eq!(tenants(&mut conn).await, thrice(placement));
            let ended = run(&mut conn, ending).await;
            if ended.is_err() {
                run(&mut conn, "ROLLBACK").await.unwrap();
            }
            assert!(tenants(&mut conn).await.is_empty(), "{ending}");
        }
    }
    // A setting for the whole session goes with DISCARD ALL; a prepared statement looks anew.
    let sql = format!("SET tenantry.tenant = '{}'", one.tenant);
    run(&mut conn, &sql).await.unwrap();
    run(&mut conn, "DISCARD ALL").await.unwrap();
    assert!(tenants(&mut conn).await.is_empty());
    let prepared = "PREPARE people AS SELECT tenant_id::text FROM tenantry_users";
    run(&mut conn, prepared).await.unwrap();
    for placement in [one, two, one, two, one, two, one, two] {
        run(&mut conn, "BEGIN").await.unwrap();
        name(&mut conn, placement).await;
        let rows = sqlx::raw_sql("EXECUTE people").fetch_all(&mut conn).await;
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get::<String, _>(0), placement.tenant.to_string());
        run(&mut conn, "COMMIT").await.unwrap();
    }
    // What is no tenant's id is refused, whatever it is.
    for wrong in ["x", "' OR true", "%", "00000000"] {
        run(&mut conn, "BEGIN").await.unwrap();
        let sql = format!(
            "SET LOCAL tenantry.tenant = '{}'",
            wrong.replace('\'', "''")
        );
        run(&mut conn, &sql).await.unwrap();
        let error = refusal(&mut conn, "SELECT id FROM tenantry_users").await;
        assert_eq!(error, "22P02", "{wrong}");
        run(&mut conn, "ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn an_earlier_lifes_applications_see_nobody_of_the_later_one() {
    let Neighbours {
        bench,
        one,
        mut conn,
        ..
    } = neighbours().await;
    let password = bench.admit(one, Login::A).await;
    let mut app = bench.connect(one, Login::A, &password).await.unwrap();
    let people = "SELECT id FROM users";
    let seen =
        async |app: &mut PgConnection| sqlx::query(people).fetch_all(app).await.unwrap().len();
    assert_eq!(seen(&mut app).await, 1);
    let later = next(one);
    super::provision(&bench.cluster, later).await;
    assert_eq!(seen(&mut app).await, 0);
    run(&mut conn, "BEGIN").await.unwrap();
    name(&mut conn, later).await;
    run(&mut conn, &format!("{}; COMMIT", super::inhabitant(later)))
        .await
        .unwrap();
    assert_eq!(seen(&mut app).await, 0);
    let password = bench.admit(later, Login::A).await;
    let mut app = bench.connect(later, Login::A, &password).await.unwrap();
    assert_eq!(seen(&mut app).await, 1);
}

#[tokio::test]
async fn an_earlier_generation_is_not_made_over_a_later_one() {
    let bench = Bench::open().await;
    let (one, _) = bench.inhabited(Isolation::Shared).await;
    let later = next(one);
    bench.cluster.carry_over(one, later).await.unwrap();
    super::stamp(&bench, later).await;
    let error = bench.cluster.create_home(one).await.unwrap_err();
    assert!(
        matches!(error, tenantry_store::cluster::ClusterError::Superseded(_)),
        "{error:?}"
    );
    assert_eq!(bench.rows(later).await, 3);
}

#[tokio::test]
async fn the_shared_login_goes_nowhere_else() {
    let bench = Bench::open().await;
    let (shared, password) = bench.inhabited(Isolation::Shared).await;
    for isolation in [Isolation::Database, Isolation::Schema] {
        let other = bench.tenant(isolation).await;
        let options = bench
            .options(shared, Login::Service, &password)
            .database(&bench.database(other));
        let error = PgConnection::connect_with(&options).await.unwrap_err();
        assert_eq!(code(&error), "42501");
    }
    let ending = bench
        .cluster
        .sign_in(shared, Login::Service, &password)
        .await;
    assert_eq!(
        ending.unwrap(),
        bench.cluster.expected(shared, Login::Service)
    );
    // There is no slot of the tenant's own to give a password to, and ending "its" sessions ends
    // none of those that serve the others.
    let set = bench
        .cluster
        .set_password(shared, Login::Service, &password)
        .await;
    assert!(set.is_err());
    let mut conn = bench
        .connect(shared, Login::Service, &password)
        .await
        .unwrap();
    let ended = bench.cluster.end_sessions(shared, Login::Service).await;
    assert_eq!(ended.unwrap(), 0);
    bench.cluster.drop_home(shared).await.unwrap();
    bench.cluster.drop_roles(shared).await.unwrap();
    run(&mut conn, "SELECT 1").await.unwrap();
}
