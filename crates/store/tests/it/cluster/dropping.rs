//! A dropped home leaves nothing of its own and everything of the others'.

use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, Placement, RoleKind};

use super::{Bench, next, number, run, superuser_in};

#[tokio::test]
async fn dropping_ends_the_tenants_sessions() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let mut sessions = Vec::new();
        for login in placement.role_kinds() {
            if let RoleKind::Login(login) = login {
                let password = bench.admit(placement, *login).await;
                sessions.push(bench.connect(placement, *login, &password).await.unwrap());
            }
        }
        bench.cluster.drop_home(placement).await.unwrap();
        bench.cluster.drop_roles(placement).await.unwrap();
        assert_eq!(bench.left_over(placement).await, 0);
        for mut session in sessions {
            assert!(run(&mut session, "SELECT 1").await.is_err());
        }
    }
}

/// Everything about a tenant that a database's catalogue, the server's and its tables say.
async fn everything(bench: &Bench, placement: Placement) -> Vec<String> {
    let mut conn = superuser_in(&bench.database(placement)).await;
    let owner = placement.role(RoleKind::Owner);
    let stem = owner.as_str().strip_suffix("_o").unwrap().to_owned();
    let tenant = placement.tenant;
    let schemas = match placement.isolation {
        Isolation::Shared => vec![placement.application_schema()],
        Isolation::Database | Isolation::Schema => {
            vec![placement.application_schema(), placement.identity_schema()]
        }
    };
    let schemas: Vec<String> = schemas
        .iter()
        .map(|schema| format!("'{}'", schema.as_str()))
        .collect();
    let schemas = schemas.join(", ");
    let mut all = Vec::new();
    let mut parts = vec![
        format!("SELECT r::text FROM pg_authid r WHERE starts_with(rolname, '{stem}')"),
        format!(
            "SELECT m::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
             WHERE starts_with(rolname, '{stem}')"
        ),
        format!("SELECT n::text FROM pg_namespace n WHERE nspname IN ({schemas})"),
        format!(
            "SELECT c::text || COALESCE(pg_get_viewdef(CASE WHEN relkind = 'v' THEN c.oid END), '')
             FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname IN ({schemas})"
        ),
        format!(
            "SELECT s::text FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
             WHERE starts_with(rolname, '{stem}')"
        ),
        format!(
            "SELECT o::text FROM {}.orders o",
            placement.application_schema()
        ),
    ];
    for table in [
        "tenantry_stamp",
        "tenantry_users",
        "tenantry_one_time_secrets",
    ] {
        parts.push(format!(
            "SELECT t::text FROM {}.{table} t WHERE tenant_id = '{tenant}'",
            placement.identity_schema()
        ));
    }
    for part in parts {
        let rows = sqlx::query(AssertSqlSafe(format!("{part} ORDER BY 1")))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{part}");
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    conn.close().await.unwrap();
    all
}

/// What an application makes.
const WORKS: &str = "CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT);
    INSERT INTO orders VALUES (1, 'one');
    CREATE VIEW late AS SELECT id FROM orders;
    CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE sql AS 'SELECT 2 * n';
    CREATE TYPE mood AS ENUM ('well');
    CREATE TABLE people AS SELECT id FROM users;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO CURRENT_USER;
    SELECT lo_from_bytea(0, 'large');
    CREATE TEMPORARY TABLE draft (id BIGINT);
    SET ROLE NONE; CREATE TABLE its_own (id BIGINT)";

#[tokio::test]
async fn one_goes_and_the_other_is_as_it_was() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let (stays, _) = bench.inhabited(*isolation).await;
        let (goes, _) = bench.inhabited(*isolation).await;
        let (later, _) = bench.inhabited(*isolation).await;
        let mut sessions = Vec::new();
        for placement in [stays, goes, later] {
            let password = bench.admit(placement, Login::A).await;
            let mut conn = bench.connect(placement, Login::A, &password).await.unwrap();
            run(&mut conn, WORKS).await.unwrap();
            sessions.push(conn);
        }
        let before = everything(&bench, stays).await;
        cluster.drop_home(goes).await.unwrap();
        cluster.drop_roles(goes).await.unwrap();
        assert_eq!(bench.left_over(goes).await, 0);
        assert_eq!(everything(&bench, stays).await, before);
        run(&mut sessions[0], "SET ROLE NONE; SELECT id FROM orders")
            .await
            .unwrap();
        // Nothing is left that names its roles, in whatever database.
        let sql = "SELECT COUNT(*) FROM pg_shdepend s
                   LEFT JOIN pg_authid r ON r.oid = s.refobjid
                   WHERE s.refclassid = 'pg_authid'::regclass AND r.oid IS NULL";
        assert_eq!(number(sql).await, 0);
    }
}

#[tokio::test]
async fn what_another_tenant_granted_does_not_keep_roles_from_going() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in [Isolation::Schema, Isolation::Shared] {
        let nosy = bench.tenant(isolation).await;
        let password = bench.admit(nosy, Login::A).await;
        let mut conn = bench.connect(nosy, Login::A, &password).await.unwrap();
        run(&mut conn, "CREATE TABLE bait (id BIGINT, name TEXT)")
            .await
            .unwrap();
        let grant = async |conn: &mut sqlx::PgConnection, placement: Placement| {
            let to = placement.role(RoleKind::Application);
            let sql = format!(
                "GRANT ALL ON bait TO {to}; GRANT SELECT (name) ON bait TO {to};
                 ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {to};
                 CREATE POLICY p{} ON bait TO {to}",
                placement.generation
            );
            run(conn, &sql).await.unwrap();
        };
        let placement = bench.tenant(isolation).await;
        grant(&mut conn, placement).await;
        // The roles of the one that is carried over, and of one that is dropped.
        let new = next(placement);
        cluster.carry_over(placement, new).await.unwrap();
        assert!(cluster.is_carried_over(placement, new).await.unwrap());
        cluster.drop_roles(placement).await.unwrap();
        cluster.open_home(new).await.unwrap();
        grant(&mut conn, new).await;
        cluster.drop_home(new).await.unwrap();
        // Also what was granted after the home went.
        grant_again(&mut conn, new).await;
        cluster.drop_roles(new).await.unwrap();
        assert_eq!(bench.left_over(new).await, 0);
        run(&mut conn, "SELECT id FROM bait").await.unwrap();
        assert!(cluster.is_open(nosy).await.unwrap());
        assert!(cluster.has_roles(nosy).await.unwrap());
    }
}

async fn grant_again(conn: &mut sqlx::PgConnection, placement: Placement) {
    let to = placement.role(RoleKind::Application);
    run(conn, &format!("GRANT ALL ON bait TO {to}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn many_rows_go_in_parts_and_only_with_the_last_home() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let (stays, _) = bench.inhabited(Isolation::Shared).await;
    let (goes, password) = bench.inhabited(Isolation::Shared).await;
    let mut conn = bench
        .connect(goes, Login::Service, &password)
        .await
        .unwrap();
    run(
        &mut conn,
        &format!(
            "INSERT INTO tenantry_users (tenant_id, id, email, email_key, role, security_version,
                    must_change_password, created_at)
             SELECT '{}', gen_random_uuid(), n || '@example.com', n || '@example.com', 'member', 1, 0, 0
             FROM generate_series(1, 2500) n",
            goes.tenant
        ),
    )
    .await
    .unwrap();
    assert_eq!(bench.rows(goes).await, 2503);
    let new = next(goes);
    cluster.carry_over(goes, new).await.unwrap();
    // The rows belong to whoever has the home.
    cluster.drop_home(goes).await.unwrap();
    assert_eq!(bench.rows(goes).await, 2503);
    cluster.drop_home(new).await.unwrap();
    assert_eq!(bench.rows(goes).await, 0);
    assert_eq!(bench.rows(stays).await, 3);
    for placement in [goes, new] {
        cluster.drop_roles(placement).await.unwrap();
    }
    assert_eq!(bench.left_over(new).await, 0);
}

#[tokio::test]
async fn a_database_is_not_dropped_while_a_tenant_lies_in_it() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in [Isolation::Schema, Isolation::Shared] {
        let (placement, password) = bench.inhabited(isolation).await;
        let error = cluster.drop_base(isolation).await.unwrap_err();
        assert!(
            matches!(error, tenantry_store::cluster::ClusterError::Inhabited(_)),
            "{error:?}"
        );
        assert!(cluster.has_base(isolation).await.unwrap());
        assert!(cluster.is_open(placement).await.unwrap());
        let conn = bench.connect(placement, Login::Service, &password).await;
        drop(conn.unwrap());
        cluster.drop_home(placement).await.unwrap();
        cluster.drop_roles(placement).await.unwrap();
        cluster.drop_base(isolation).await.unwrap();
        assert!(!bench.has_database(&bench.database(placement)).await);
    }
}
