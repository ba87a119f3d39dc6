//! What a tenant's credentials reach, and what they don't.

use sqlx::Row as _;
use tenantry_core::{Email, UserId};
use tenantry_store::Db;
use tenantry_store::cluster::{Login, Placement};
use tenantry_store::tenant::{Direct, NewUser};
use tenantry_testkit::ManualClock;
use uuid::Uuid;

use super::{Bench, code, in_database, options, refusal, run, superuser};

#[tokio::test]
async fn public_cannot_connect() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let stranger = format!("{}_stranger", bench.admin);
    superuser(&format!("CREATE ROLE {stranger} LOGIN PASSWORD 'x'")).await;
    let password = tenantry_core::Secret::new("x".to_owned());
    let connect = async |database: &str| {
        let options = options(placement, Login::A, &password);
        let options = options.username(&stranger).database(database);
        sqlx::ConnectOptions::connect(&options).await
    };
    let error = connect(placement.database().as_str()).await.unwrap_err();
    assert_eq!(code(&error), "42501");
    let template = bench.cluster.template_name();
    let error = connect(template.as_str()).await.unwrap_err();
    assert_eq!(code(&error), "55000");
    drop(connect("postgres").await.unwrap());
    superuser(&format!("DROP ROLE {stranger}")).await;
}

/// A tenant with a person, written by the server's own slot through the store's own statements.
async fn inhabited(bench: &Bench) -> Placement {
    let placement = bench.tenant().await;
    let password = bench.password();
    bench
        .cluster
        .set_password(placement, Login::Service, &password)
        .await
        .unwrap();
    let mut url = url::Url::parse(&bench.url).unwrap();
    let role = placement.role(tenantry_store::cluster::RoleKind::Login(Login::Service));
    url.set_username(role.as_str()).unwrap();
    url.set_password(Some(password.expose())).unwrap();
    url.set_path(placement.database().as_str());
    let db = Db::postgres(url.as_str(), 2).unwrap();
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
    placement
}

#[tokio::test]
async fn applications_see_people_without_secrets() {
    let bench = Bench::open().await;
    let placement = inhabited(&bench).await;
    let password = bench.password();
    bench
        .cluster
        .set_password(placement, Login::B, &password)
        .await
        .unwrap();
    let mut conn = bench.connect(placement, Login::B, &password).await.unwrap();
    let sql = "SELECT email, full_name, role, disabled, must_change_password,
                      created_at = TIMESTAMPTZ '2026-01-01 00:00:00Z' AS then, last_login_at IS NULL AS never
               FROM users";
    let row = sqlx::query(sql).fetch_one(&mut conn).await.unwrap();
    assert_eq!(row.get::<&str, _>("email"), "ann@example.com");
    assert_eq!(row.get::<&str, _>("full_name"), "Ann");
    assert_eq!(row.get::<&str, _>("role"), "owner");
    assert!(!row.get::<bool, _>("disabled") && row.get::<bool, _>("must_change_password"));
    assert!(row.get::<bool, _>("then") && row.get::<bool, _>("never"));
    let sql = "SELECT string_agg(attname, ' ' ORDER BY attnum)::text AS columns
               FROM pg_attribute WHERE attrelid = 'app.users'::regclass AND attnum > 0";
    let row = sqlx::query(sql).fetch_one(&mut conn).await.unwrap();
    assert_eq!(
        row.get::<&str, _>("columns"),
        "id email username full_name role disabled must_change_password created_at last_login_at"
    );
}

#[tokio::test]
async fn applications_reach_nothing_but_their_schema() {
    let bench = Bench::open().await;
    let placement = inhabited(&bench).await;
    let other = inhabited(&bench).await;
    let password = bench.password();
    for login in [Login::A, Login::B] {
        bench
            .cluster
            .set_password(placement, login, &password)
            .await
            .unwrap();
        let mut conn = bench.connect(placement, login, &password).await.unwrap();
        let owner = placement.role(tenantry_store::cluster::RoleKind::Owner);
        let service = placement.role(tenantry_store::cluster::RoleKind::Login(Login::Service));
        let elsewhere = other.role(tenantry_store::cluster::RoleKind::Application);
        for (sql, expected) in [
            ("SELECT * FROM tenantry.tenantry_users".to_owned(), "42501"),
            (
                "SELECT * FROM tenantry.tenantry_one_time_secrets".to_owned(),
                "42501",
            ),
            ("SELECT * FROM tenantry.tenantry_stamp".to_owned(), "42501"),
            ("SELECT * FROM tenantry_users".to_owned(), "42P01"),
            ("SELECT password_hash FROM app.users".to_owned(), "42703"),
            ("UPDATE app.users SET role = 'owner'".to_owned(), "42501"),
            ("DELETE FROM app.users".to_owned(), "42501"),
            ("DROP VIEW app.users".to_owned(), "42501"),
            ("DROP SCHEMA app CASCADE".to_owned(), "42501"),
            (
                "CREATE OR REPLACE VIEW app.users AS SELECT 1 AS id".to_owned(),
                "42501",
            ),
            ("CREATE TABLE public.mine (a INT)".to_owned(), "42501"),
            ("CREATE TABLE tenantry.mine (a INT)".to_owned(), "42501"),
            ("CREATE SCHEMA mine".to_owned(), "42501"),
            (format!("SET ROLE {owner}"), "42501"),
            (format!("SET ROLE {service}"), "42501"),
            (format!("SET ROLE {elsewhere}"), "42501"),
            (format!("GRANT {owner} TO CURRENT_USER"), "42501"),
            (format!("ALTER ROLE {service} PASSWORD 'x'"), "42501"),
            (
                format!(
                    "ALTER DATABASE {} OWNER TO CURRENT_USER",
                    placement.database()
                ),
                "42501",
            ),
            (format!("DROP DATABASE {}", other.database()), "42501"),
        ] {
            assert_eq!(refusal(&mut conn, &sql).await, expected, "{sql}");
            // Also when it stops to act as its group.
            run(&mut conn, "RESET ROLE; SET ROLE NONE").await.unwrap();
            assert_eq!(refusal(&mut conn, &sql).await, expected, "{sql}");
            run(
                &mut conn,
                &format!("SET ROLE {}", placement.role(login.acts_as())),
            )
            .await
            .unwrap();
        }
        let elsewhere = options(placement, login, &password).database(other.database().as_str());
        let error = sqlx::ConnectOptions::connect(&elsewhere).await.unwrap_err();
        assert_eq!(code(&error), "42501");
    }
}

#[tokio::test]
async fn what_one_slot_makes_the_other_can_use_and_change() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let password = bench.password();
    for login in [Login::A, Login::B] {
        bench
            .cluster
            .set_password(placement, login, &password)
            .await
            .unwrap();
    }
    let mut one = bench.connect(placement, Login::A, &password).await.unwrap();
    run(
        &mut one,
        "CREATE TABLE orders (id BIGINT); CREATE TEMPORARY TABLE draft (id BIGINT)",
    )
    .await
    .unwrap();
    let mut two = bench.connect(placement, Login::B, &password).await.unwrap();
    run(&mut two, "ALTER TABLE orders ADD COLUMN name TEXT; INSERT INTO orders VALUES (1, 'x'); DROP TABLE orders")
        .await
        .unwrap();
    let row = sqlx::query("SELECT current_setting('search_path') AS path").fetch_one(&mut two);
    assert_eq!(row.await.unwrap().get::<&str, _>("path"), "app, pg_temp");
}

#[tokio::test]
async fn a_tenant_is_a_copy_and_the_template_stays_empty() {
    let bench = Bench::open().await;
    let placement = inhabited(&bench).await;
    let name = placement.database();
    in_database(
        name.as_str(),
        "DO $$ BEGIN ASSERT (SELECT COUNT(*) FROM tenantry.tenantry_users) = 1; END $$",
    )
    .await;
    let sql = format!(
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('tenantry', 'app', 'public') AND pg_get_userbyid(c.relowner) <> '{}'); END $$",
        placement.role(tenantry_store::cluster::RoleKind::Owner).as_str()
    );
    in_database(name.as_str(), &sql).await;
    let another = bench.tenant().await;
    in_database(
        another.database().as_str(),
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM tenantry.tenantry_users); END $$",
    )
    .await;
}

#[tokio::test]
async fn too_many_connections_of_one_role_are_refused_and_not_taken_for_a_wrong_password() {
    let bounds = tenantry_store::cluster::ClusterBounds {
        per_login: 1,
        ..Default::default()
    };
    let bench = Bench::with("CREATEDB CREATEROLE", bounds).await;
    let placement = bench.tenant().await;
    let password = bench.password();
    bench
        .cluster
        .set_password(placement, Login::A, &password)
        .await
        .unwrap();
    let _first = bench.connect(placement, Login::A, &password).await.unwrap();
    let error = bench
        .cluster
        .sign_in(placement, Login::A, &password)
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("53300"));
    assert!(error.is_passing());
}
