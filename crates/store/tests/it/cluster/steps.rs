//! Each step done twice, undone twice, and undone after it got only half-way.

use tenantry_core::Generation;
use tenantry_store::cluster::{ClusterError, Login, Placement, RoleKind, Trouble};

use super::{Bench, number, superuser};

#[tokio::test]
async fn each_step_can_be_repeated_and_undone_twice() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement();
    for _ in 0..2 {
        assert!(!cluster.has_template().await.unwrap());
        for _ in 0..2 {
            cluster.ensure_template().await.unwrap();
            assert!(cluster.has_template().await.unwrap());
        }
        assert!(!cluster.has_roles(placement).await.unwrap());
        for _ in 0..2 {
            cluster.ensure_roles(placement).await.unwrap();
            assert!(cluster.has_roles(placement).await.unwrap());
        }
        assert_eq!(cluster.database(placement).await.unwrap(), None);
        for _ in 0..2 {
            cluster.create_database(placement).await.unwrap();
            assert!(cluster.has_database(placement).await.unwrap());
            assert!(!cluster.is_open(placement).await.unwrap());
        }
        for _ in 0..2 {
            cluster.open_database(placement).await.unwrap();
            assert!(cluster.is_open(placement).await.unwrap());
        }
        assert_eq!(bench.left_over(placement).await, 6);
        for _ in 0..2 {
            cluster.close_database(placement).await.unwrap();
            assert!(!cluster.is_open(placement).await.unwrap());
            assert!(cluster.has_database(placement).await.unwrap());
        }
        cluster.open_database(placement).await.unwrap();
        for _ in 0..2 {
            cluster.drop_database(placement).await.unwrap();
            assert_eq!(cluster.database(placement).await.unwrap(), None);
        }
        for _ in 0..2 {
            cluster.drop_roles(placement).await.unwrap();
            assert_eq!(cluster.roles(placement).await.unwrap(), []);
        }
        assert_eq!(bench.left_over(placement).await, 0);
        for _ in 0..2 {
            cluster.drop_template().await.unwrap();
        }
    }
    let role = format!("tenantry_objects_{}", bench.instance.simple());
    let sql = format!("SELECT COUNT(*) FROM pg_roles WHERE rolname = '{role}'");
    assert_eq!(number(&sql).await, 0);
}

#[tokio::test]
async fn the_admin_keeps_no_membership_of_a_tenants_roles() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let password = bench.password();
    let cluster = &bench.cluster;
    cluster
        .set_password(placement, Login::A, &password)
        .await
        .unwrap();
    let conn = bench.connect(placement, Login::A, &password).await.unwrap();
    assert_eq!(cluster.end_sessions(placement, Login::A).await.unwrap(), 1);
    drop(conn);
    let version = number("SELECT current_setting('server_version_num')::bigint").await;
    // From 16 on whoever makes a role may administer it, and nothing else.
    let idle = if version >= 160_000 {
        "AND (m.inherit_option OR m.set_option)"
    } else {
        ""
    };
    let sql = format!(
        "SELECT COUNT(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
         WHERE m.member = '{}'::regrole AND starts_with(r.rolname, 't_') {idle}",
        bench.admin
    );
    assert_eq!(number(&sql).await, 0);
}

#[tokio::test]
async fn steps_out_of_order_say_what_is_missing() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement();
    let missing = |outcome: Result<(), ClusterError>| match outcome {
        Err(ClusterError::Missing(name)) => name,
        other => panic!("{other:?}"),
    };
    let owner = placement.role(RoleKind::Owner).to_string();
    assert_eq!(missing(cluster.create_database(placement).await), owner);
    cluster.ensure_roles(placement).await.unwrap();
    let template = cluster.template_name().to_string();
    assert_eq!(missing(cluster.create_database(placement).await), template);
    let database = placement.database().to_string();
    assert_eq!(missing(cluster.open_database(placement).await), database);
    let other = bench.placement();
    let slot = other.role(RoleKind::Login(Login::A)).to_string();
    let password = bench.password();
    let set = cluster.set_password(other, Login::A, &password).await;
    assert_eq!(missing(set), slot);
    cluster.disable(other, Login::A).await.unwrap();
    cluster.drop_database(other).await.unwrap();
    cluster.drop_roles(other).await.unwrap();
    cluster.close_database(other).await.unwrap();
}

/// As CREATE DATABASE leaves it when the process dies before the next statement.
async fn bare(bench: &Bench, placement: Placement) {
    bench.cluster.ensure_template().await.unwrap();
    superuser(&format!(
        "CREATE DATABASE {} TEMPLATE {} OWNER {} ALLOW_CONNECTIONS false",
        placement.database(),
        bench.cluster.template_name(),
        bench.admin,
    ))
    .await;
}

#[tokio::test]
async fn a_bare_database_is_finished_or_dropped() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement();
    bare(&bench, placement).await;
    let state = cluster.database(placement).await.unwrap().unwrap();
    assert!(!state.marked && state.admins && !state.is_made());
    cluster.drop_database(placement).await.unwrap();
    assert_eq!(bench.left_over(placement).await, 0);

    bare(&bench, placement).await;
    cluster.ensure_roles(placement).await.unwrap();
    cluster.create_database(placement).await.unwrap();
    cluster.open_database(placement).await.unwrap();
    assert!(cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn missing_roles_are_made_and_damaged_ones_mended() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.tenant().await;
    let role = |login| placement.role(RoleKind::Login(login)).to_string();
    for damage in [
        format!(
            "REVOKE CONNECT ON DATABASE {} FROM {b}; DROP ROLE {b}",
            placement.database(),
            b = role(Login::B)
        ),
        format!("ALTER ROLE {} RESET search_path", role(Login::A)),
        format!("ALTER ROLE {} SET role = 'none'", role(Login::Service)),
        format!("ALTER ROLE {} CONNECTION LIMIT 7", role(Login::A)),
        // From 16 on only what its grantor gave can be taken.
        format!(
            "SET ROLE {}; REVOKE {} FROM {}",
            bench.admin,
            placement.role(RoleKind::Application),
            role(Login::A)
        ),
        format!("ALTER ROLE {} LOGIN", placement.role(RoleKind::Owner)),
    ] {
        superuser(&damage).await;
        assert!(!cluster.has_roles(placement).await.unwrap(), "{damage}");
        cluster.ensure_roles(placement).await.unwrap();
        assert!(cluster.has_roles(placement).await.unwrap(), "{damage}");
    }
    assert!(
        !cluster.is_open(placement).await.unwrap(),
        "slot B was made anew"
    );
    cluster.open_database(placement).await.unwrap();
    assert!(cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn a_dropped_app_schema_is_made_again() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    super::in_database(placement.database().as_str(), "DROP SCHEMA app CASCADE").await;
    assert!(!bench.cluster.is_open(placement).await.unwrap());
    bench.cluster.open_database(placement).await.unwrap();
    assert!(bench.cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn roles_are_not_dropped_before_the_database_and_stay_whole() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let error = bench.cluster.drop_roles(placement).await.unwrap_err();
    assert_eq!(error.trouble(), Trouble::InUse);
    assert!(bench.cluster.has_roles(placement).await.unwrap());
    assert!(bench.cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn an_interrupted_drop_is_finished_and_creating_starts_over() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let interrupt = async |placement: Placement| {
        let name = placement.database();
        superuser(&format!(
            "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{}'",
            name.as_str()
        ))
        .await;
        assert!(cluster.database(placement).await.unwrap().unwrap().broken);
    };
    let placement = bench.tenant().await;
    interrupt(placement).await;
    assert!(!cluster.has_database(placement).await.unwrap());
    cluster.drop_database(placement).await.unwrap();
    assert_eq!(cluster.database(placement).await.unwrap(), None);

    cluster.create_database(placement).await.unwrap();
    interrupt(placement).await;
    cluster.create_database(placement).await.unwrap();
    cluster.open_database(placement).await.unwrap();
    assert!(cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn dropping_ends_the_tenants_sessions() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let mut sessions = Vec::new();
    for login in Login::ALL {
        let password = bench.password();
        bench
            .cluster
            .set_password(placement, login, &password)
            .await
            .unwrap();
        sessions.push(bench.connect(placement, login, &password).await.unwrap());
    }
    bench.cluster.drop_database(placement).await.unwrap();
    bench.cluster.drop_roles(placement).await.unwrap();
    assert_eq!(bench.left_over(placement).await, 0);
    for mut session in sessions {
        assert!(super::run(&mut session, "SELECT 1").await.is_err());
    }
}

#[tokio::test]
async fn who_keeps_a_database_from_being_dropped_is_named() {
    let bench = Bench::open().await;
    let placement = bench.tenant().await;
    let visitor = super::superuser_in(placement.database().as_str()).await;
    let hurried = bench.bounded(&bench.url, super::impatient());
    match hurried.drop_database(placement).await {
        Err(ClusterError::Occupied { by, .. }) => assert_eq!(by, "postgres"),
        other => panic!("{other:?}"),
    }
    // The server takes its time to see that a session has ended: dropping waits for whoever leaves.
    let dropping = bench.cluster.drop_database(placement);
    let leaving = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        sqlx::Connection::close(visitor).await.unwrap();
    };
    let (dropped, ()) = tokio::join!(dropping, leaving);
    dropped.unwrap();
}

#[tokio::test]
async fn a_recreated_tenant_has_roles_of_its_own() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let old = bench.tenant().await;
    let password = bench.password();
    cluster
        .set_password(old, Login::A, &password)
        .await
        .unwrap();
    let new = Placement::new(old.tenant, Generation::FIRST.next());
    super::provision(cluster, new).await;
    cluster
        .set_password(new, Login::A, &bench.password())
        .await
        .unwrap();
    // What was handed out before opens the old life as long as it lasts, and never the new one.
    assert!(
        cluster
            .sign_in(old, Login::A, &password)
            .await
            .unwrap()
            .is_right(old, Login::A)
    );
    let mut crossed = super::options(old, Login::A, &password);
    crossed = crossed.database(new.database().as_str());
    let error = sqlx::ConnectOptions::connect(&crossed).await.unwrap_err();
    assert_eq!(super::code(&error), "42501");
    // The old life's roles go while the new one is in use.
    cluster.drop_database(old).await.unwrap();
    cluster.drop_roles(old).await.unwrap();
    assert!(cluster.is_open(new).await.unwrap());
    assert!(cluster.has_roles(new).await.unwrap());
}
