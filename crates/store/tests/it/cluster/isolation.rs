//! What a tenant's credentials reach, and what they don't.

use sqlx::{Connection as _, PgConnection, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Email, UserId};
use tenantry_store::Db;
use tenantry_store::cluster::{Login, Placement, RoleKind};
use tenantry_store::tenant::{Direct, NewUser};
use tenantry_testkit::ManualClock;
use uuid::Uuid;

use super::{Bench, code, in_database, refusal, run, superuser};

#[tokio::test]
async fn public_cannot_connect() {
    let bench = Bench::open().await;
    let stranger = format!("{}_stranger", bench.admin);
    superuser(&format!("CREATE ROLE {stranger} LOGIN PASSWORD 'x'")).await;
    let password = tenantry_core::Secret::new("x".to_owned());
    let mut placement = bench.placement(Isolation::Database);
    for isolation in Isolation::ALL {
        placement = bench.tenant(*isolation).await;
        let options = bench.options(placement, Login::A, &password);
        let error = PgConnection::connect_with(&options.username(&stranger)).await;
        assert_eq!(code(&error.unwrap_err()), "42501");
    }
    let options = bench.options(placement, Login::A, &password);
    let options = options.username(&stranger);
    let template = bench.cluster.template_name();
    let error = PgConnection::connect_with(&options.clone().database(template.as_str())).await;
    assert_eq!(code(&error.unwrap_err()), "55000");
    drop(
        PgConnection::connect_with(&options.database("postgres"))
            .await
            .unwrap(),
    );
    superuser(&format!("DROP ROLE {stranger}")).await;
}

#[tokio::test]
async fn applications_see_people_without_secrets() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let (placement, _) = bench.inhabited(*isolation).await;
        let _another = bench.inhabited(*isolation).await;
        let password = bench.admit(placement, Login::B).await;
        let mut conn = bench.connect(placement, Login::B, &password).await.unwrap();
        let sql = "SELECT email, full_name, role, disabled, must_change_password,
                          created_at = TIMESTAMPTZ '2026-01-01 00:00:00Z' AS then, last_login_at IS NULL AS never
                   FROM users";
        let rows = sqlx::query(sql).fetch_all(&mut conn).await.unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!(row.get::<&str, _>("email"), "ann@example.com");
        assert_eq!(row.get::<&str, _>("full_name"), "Ann");
        assert_eq!(row.get::<&str, _>("role"), "owner");
        assert!(!row.get::<bool, _>("disabled") && row.get::<bool, _>("must_change_password"));
        assert!(row.get::<bool, _>("then") && row.get::<bool, _>("never"));
        let sql = "SELECT string_agg(attname, ' ' ORDER BY attnum)::text AS columns
                   FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0";
        let row = sqlx::query(sql).fetch_one(&mut conn).await.unwrap();
        assert_eq!(
            row.get::<&str, _>("columns"),
            "id email username full_name role disabled must_change_password created_at last_login_at"
        );
    }
}

/// The store's own statements through the server's own slot.
#[tokio::test]
async fn the_server_writes_people_in_a_home_of_the_tenants_own() {
    let bench = Bench::open().await;
    for isolation in [Isolation::Database, Isolation::Schema] {
        let placement = bench.tenant(isolation).await;
        let password = bench.admit(placement, Login::Service).await;
        let mut url = url::Url::parse(&bench.url).unwrap();
        let role = placement.role(RoleKind::Login(Login::Service));
        url.set_username(role.as_str()).unwrap();
        url.set_password(Some(password.expose())).unwrap();
        url.set_path(&bench.database(placement));
        let db = Db::postgres(url.as_str(), 2).unwrap();
        // Already there: migrating finds nothing to do.
        let direct = Direct::migrate(db.clone(), placement.tenant, placement.generation)
            .await
            .unwrap();
        let mut tx = direct.begin().await.unwrap();
        let email: Email = "ann@example.com".parse().unwrap();
        let user = NewUser {
            id: UserId::from_uuid(Uuid::from_u128(1)),
            email: &email,
            username: None,
            full_name: Some("Ann"),
            role: tenantry_core::user::Role::Owner,
            password_hash: Some("a hash"),
            must_change_password: true,
            created_at: ManualClock::default().now(),
        };
        tx.users().add(&user).await.unwrap();
        tx.commit().await.unwrap();
        db.close().await;
        assert_eq!(bench.rows(placement).await, 1);
    }
}

/// What an application of `placement` may not do, beside a tenant that lies where it lies.
fn refused(bench: &Bench, placement: Placement, other: Placement) -> Vec<(String, &'static str)> {
    let database = bench.database(placement);
    let (app, identity) = (placement.application_schema(), placement.identity_schema());
    let owner = placement.role(RoleKind::Owner);
    let service = placement.role(RoleKind::Login(Login::Service));
    let group = placement.role(RoleKind::Application);
    let elsewhere = other.role(RoleKind::Application);
    let instance = bench.instance.simple();
    let mut all = vec![
        (format!("SELECT * FROM {identity}.tenantry_users"), "42501"),
        (
            format!("SELECT * FROM {identity}.tenantry_one_time_secrets"),
            "42501",
        ),
        (format!("SELECT * FROM {identity}.tenantry_stamp"), "42501"),
        (
            format!("SELECT * FROM {identity}.tenantry_migrations"),
            "42501",
        ),
        (
            format!(
                "SET tenantry.tenant = '{}'; SELECT * FROM {identity}.tenantry_users",
                other.tenant
            ),
            "42501",
        ),
        ("SELECT * FROM tenantry_users".to_owned(), "42P01"),
        ("SELECT password_hash FROM users".to_owned(), "42703"),
        ("UPDATE users SET role = 'owner'".to_owned(), "42501"),
        ("DELETE FROM users".to_owned(), "42501"),
        ("DROP VIEW users".to_owned(), "42501"),
        ("ALTER VIEW users RENAME TO people".to_owned(), "42501"),
        (
            "ALTER VIEW users RESET (security_barrier)".to_owned(),
            "42501",
        ),
        (format!("ALTER VIEW users OWNER TO {group}"), "42501"),
        (
            "CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING".to_owned(),
            "42501",
        ),
        (format!("DROP SCHEMA {app} CASCADE"), "42501"),
        (format!("ALTER SCHEMA {app} RENAME TO mine"), "42501"),
        (format!("GRANT USAGE ON SCHEMA {app} TO PUBLIC"), "0LP01?"),
        (
            "CREATE OR REPLACE VIEW users AS SELECT 1 AS id".to_owned(),
            "42501",
        ),
        ("CREATE TABLE public.mine (a INT)".to_owned(), "42501"),
        (format!("CREATE TABLE {identity}.mine (a INT)"), "42501"),
        ("CREATE SCHEMA mine".to_owned(), "42501"),
        ("CREATE ROLE mine".to_owned(), "42501"),
        (format!("SET ROLE {owner}"), "42501"),
        (format!("SET ROLE {elsewhere}"), "42501"),
        (format!("SET ROLE tenantry_objects_{instance}"), "42501"),
        ("SET ROLE postgres".to_owned(), "42501"),
        (format!("SET SESSION AUTHORIZATION {elsewhere}"), "42501"),
        (format!("SET SESSION AUTHORIZATION {owner}"), "42501"),
        (format!("GRANT {owner} TO CURRENT_USER"), "42501"),
        (format!("GRANT {group} TO {elsewhere}"), "42501"),
        (format!("ALTER ROLE {owner} LOGIN PASSWORD 'x'"), "42501"),
        (
            format!("ALTER DATABASE {database} OWNER TO CURRENT_USER"),
            "42501",
        ),
        (
            format!("ALTER DATABASE {database} SET search_path = app"),
            "42501",
        ),
        (format!("DROP DATABASE {}", bench.database(other)), "42501"),
    ];
    if placement.isolation != Isolation::Shared {
        all.push((format!("SET ROLE {service}"), "42501"));
        all.push((format!("ALTER ROLE {service} PASSWORD 'x'"), "42501"));
    }
    if placement.isolation != Isolation::Database {
        let (theirs, their_people) = (other.application_schema(), other.identity_schema());
        all.extend([
            (format!("SELECT * FROM {theirs}.users"), "42501"),
            (format!("SELECT * FROM {theirs}.orders"), "42501"),
            (format!("CREATE TABLE {theirs}.mine (a INT)"), "42501"),
            (format!("SELECT {theirs}.secret()"), "42501"),
            (
                format!("SELECT * FROM {their_people}.tenantry_users"),
                "42501",
            ),
            (format!("DROP SCHEMA {theirs} CASCADE"), "42501"),
            (format!("DROP OWNED BY {elsewhere}"), "42501"),
            (
                format!("REASSIGN OWNED BY {elsewhere} TO CURRENT_USER"),
                "42501",
            ),
            (format!("COMMENT ON SCHEMA {theirs} IS 'mine'"), "42501"),
        ]);
    }
    if placement.isolation == Isolation::Shared {
        all.push((format!("SET ROLE \"{}\"", bench.shared_login()), "42501"));
        all.push((format!("SET ROLE tenantry_viewer_{instance}"), "42501"));
    }
    all
}

#[tokio::test]
async fn applications_reach_nothing_but_their_schema() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let (placement, _) = bench.inhabited(*isolation).await;
        let (other, _) = bench.inhabited(*isolation).await;
        let theirs = bench.admit(other, Login::A).await;
        let mut conn = bench.connect(other, Login::A, &theirs).await.unwrap();
        let works = "CREATE TABLE orders (id BIGINT);
                     CREATE FUNCTION secret() RETURNS INT LANGUAGE sql AS 'SELECT 1';
                     GRANT ALL ON orders TO PUBLIC";
        run(&mut conn, works).await.unwrap();
        for login in Login::SLOTS {
            let password = bench.admit(placement, login).await;
            let mut conn = bench.connect(placement, login, &password).await.unwrap();
            let group = placement.role(login.acts_as());
            for (sql, expected) in refused(&bench, placement, other) {
                if expected == "0LP01?" {
                    // Only a warning: nothing was granted.
                    run(&mut conn, &sql).await.unwrap();
                    continue;
                }
                assert_eq!(refusal(&mut conn, &sql).await, expected, "{sql}");
                // Also when it stops to act as its group.
                run(&mut conn, "RESET ROLE; SET ROLE NONE").await.unwrap();
                assert_eq!(refusal(&mut conn, &sql).await, expected, "{sql}");
                run(&mut conn, &format!("SET ROLE {group}")).await.unwrap();
            }
            // Whatever it sets, its view shows its own people.
            let sql = format!(
                "SET tenantry.tenant = '{}'; SELECT id FROM users",
                other.tenant
            );
            run(&mut conn, &sql).await.unwrap();
            let rows = sqlx::query("SELECT id FROM users")
                .fetch_all(&mut conn)
                .await;
            assert_eq!(rows.unwrap().len(), 1);
        }
        assert_eq!(bench.rows(placement).await, 3);
        let usage = format!(
            "SELECT COUNT(*) FROM pg_namespace n, aclexplode(n.nspacl) x
             WHERE n.nspname = '{}' AND x.grantee = 0",
            placement.application_schema().as_str()
        );
        assert_eq!(
            super::number_in(&bench.database(placement), &usage).await,
            0
        );
    }
}

#[tokio::test]
async fn credentials_open_the_database_they_are_for_alone() {
    let bench = Bench::open().await;
    let mut placements = Vec::new();
    for isolation in Isolation::ALL {
        placements.push(bench.tenant(*isolation).await);
        placements.push(bench.tenant(*isolation).await);
    }
    for placement in &placements {
        let password = bench.admit(*placement, Login::A).await;
        for other in &placements {
            let options = bench
                .options(*placement, Login::A, &password)
                .database(&bench.database(*other));
            let same = bench.database(*placement) == bench.database(*other);
            match PgConnection::connect_with(&options).await {
                Ok(conn) => {
                    assert!(same);
                    conn.close().await.unwrap();
                }
                Err(error) => {
                    assert!(!same);
                    assert_eq!(code(&error), "42501");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_function_in_a_condition_is_not_shown_others_people() {
    let bench = Bench::open().await;
    let (placement, _) = bench.inhabited(Isolation::Shared).await;
    let _other = bench.inhabited(Isolation::Shared).await;
    let password = bench.admit(placement, Login::A).await;
    let mut conn = bench.connect(placement, Login::A, &password).await.unwrap();
    // As cheap as can be, so that a planner that was free to would ask it first.
    run(
        &mut conn,
        "CREATE TABLE seen (id UUID);
         CREATE FUNCTION look(id UUID) RETURNS BOOLEAN LANGUAGE plpgsql COST 0.0000001
         AS $$ BEGIN INSERT INTO seen VALUES (id); RETURN TRUE; END $$;
         SELECT id FROM users WHERE look(id)",
    )
    .await
    .unwrap();
    let rows = sqlx::query("SELECT id FROM seen")
        .fetch_all(&mut conn)
        .await;
    assert_eq!(rows.unwrap().len(), 1);
}

#[tokio::test]
async fn what_one_slot_makes_the_other_can_use_and_change() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let password = bench.admit(placement, Login::A).await;
        let mut one = bench.connect(placement, Login::A, &password).await.unwrap();
        run(
            &mut one,
            "CREATE TABLE orders (id BIGINT); CREATE TEMPORARY TABLE draft (id BIGINT)",
        )
        .await
        .unwrap();
        let password = bench.admit(placement, Login::B).await;
        let mut two = bench.connect(placement, Login::B, &password).await.unwrap();
        run(&mut two, "ALTER TABLE orders ADD COLUMN name TEXT; INSERT INTO orders VALUES (1, 'x'); DROP TABLE orders")
            .await
            .unwrap();
        let row = sqlx::query("SELECT current_setting('search_path') AS path")
            .fetch_one(&mut two)
            .await
            .unwrap();
        let schema = placement.application_schema();
        let path = format!("{}, pg_temp", schema.as_str());
        assert_eq!(row.get::<&str, _>("path"), path);
    }
}

#[tokio::test]
async fn a_tenant_is_a_copy_and_the_template_stays_empty() {
    let bench = Bench::open().await;
    let (placement, _) = bench.inhabited(Isolation::Database).await;
    let sql = format!(
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('tenantry', 'app', 'public') AND pg_get_userbyid(c.relowner) <> '{}'); END $$",
        placement.role(RoleKind::Owner).as_str()
    );
    in_database(&bench.database(placement), &sql).await;
    assert_eq!(bench.rows(placement).await, 3);
    let another = bench.tenant(Isolation::Database).await;
    assert_eq!(bench.rows(another).await, 0);
}

#[tokio::test]
async fn too_many_connections_of_one_role_are_refused_and_not_taken_for_a_wrong_password() {
    let bounds = tenantry_store::cluster::ClusterBounds {
        per_login: 1,
        ..Default::default()
    };
    let bench = Bench::with("CREATEDB CREATEROLE", bounds).await;
    let placement = bench.tenant(Isolation::Schema).await;
    let password = bench.admit(placement, Login::A).await;
    let _first = bench.connect(placement, Login::A, &password).await.unwrap();
    let error = bench
        .cluster
        .sign_in(placement, Login::A, &password)
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("53300"));
    assert!(error.is_passing());
}
