//! Each step done twice, undone twice, and undone after it got only half-way.

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterError, Login, Placement, RoleKind, Trouble};

use super::{Bench, next, number, superuser};

/// What an open home is counted as: a database or schemas, and roles.
pub(super) const fn whole(isolation: Isolation) -> i64 {
    match isolation {
        Isolation::Database => 1 + 5,
        Isolation::Schema => 2 + 5,
        Isolation::Shared => 1 + 4,
    }
}

#[tokio::test]
async fn each_step_can_be_repeated_and_undone_twice() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        for _ in 0..2 {
            there_and_back(&bench, *isolation).await;
        }
    }
    let instance = bench.instance.simple();
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM pg_roles WHERE rolname LIKE 'tenantry%{instance}%')
              + (SELECT COUNT(*) FROM pg_database WHERE datname LIKE 'tenantry%{instance}%')"
    );
    assert_eq!(number(&sql).await, 0);
}

async fn there_and_back(bench: &Bench, isolation: Isolation) {
    let cluster = &bench.cluster;
    let placement = bench.placement(isolation);
    assert!(!cluster.has_base(isolation).await.unwrap());
    for _ in 0..2 {
        cluster.ensure_base(isolation).await.unwrap();
        assert!(cluster.has_base(isolation).await.unwrap());
    }
    assert!(!cluster.has_roles(placement).await.unwrap());
    for _ in 0..2 {
        cluster.ensure_roles(placement).await.unwrap();
        assert!(cluster.has_roles(placement).await.unwrap());
    }
    assert_eq!(cluster.home(placement).await.unwrap(), None);
    for _ in 0..2 {
        cluster.create_home(placement).await.unwrap();
        assert!(cluster.has_home(placement).await.unwrap());
        assert!(!cluster.is_open(placement).await.unwrap());
    }
    for _ in 0..2 {
        cluster.open_home(placement).await.unwrap();
        assert!(cluster.is_open(placement).await.unwrap());
    }
    assert_eq!(bench.left_over(placement).await, whole(isolation));
    for _ in 0..2 {
        cluster.upgrade(placement).await.unwrap();
        assert!(cluster.is_open(placement).await.unwrap());
    }
    for _ in 0..2 {
        cluster.close_home(placement).await.unwrap();
        assert!(!cluster.is_open(placement).await.unwrap());
        assert!(cluster.has_home(placement).await.unwrap());
    }
    cluster.open_home(placement).await.unwrap();
    for _ in 0..2 {
        cluster.drop_home(placement).await.unwrap();
        assert_eq!(cluster.home(placement).await.unwrap(), None);
    }
    for _ in 0..2 {
        cluster.drop_roles(placement).await.unwrap();
        assert_eq!(cluster.roles(placement).await.unwrap(), []);
    }
    assert_eq!(bench.left_over(placement).await, 0);
    for _ in 0..2 {
        cluster.drop_base(isolation).await.unwrap();
    }
}

#[tokio::test]
async fn the_admin_keeps_no_membership_of_a_tenants_roles() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let password = bench.admit(placement, Login::A).await;
        let conn = bench.connect(placement, Login::A, &password).await.unwrap();
        assert_eq!(cluster.end_sessions(placement, Login::A).await.unwrap(), 1);
        drop(conn);
        cluster.upgrade(placement).await.unwrap();
        cluster
            .carry_over(placement, next(placement))
            .await
            .unwrap();
    }
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
    let missing = |outcome: Result<(), ClusterError>| match outcome {
        Err(ClusterError::Missing(name)) => name,
        other => panic!("{other:?}"),
    };
    for isolation in Isolation::ALL {
        let placement = bench.placement(*isolation);
        let owner = placement.role(RoleKind::Owner).to_string();
        assert_eq!(missing(cluster.create_home(placement).await), owner);
        cluster.ensure_roles(placement).await.unwrap();
        let base = match isolation {
            Isolation::Database => cluster.template_name().to_string(),
            Isolation::Schema | Isolation::Shared => cluster.database_name(placement).to_string(),
        };
        assert_eq!(missing(cluster.create_home(placement).await), base);
        let home = missing(cluster.open_home(placement).await);
        assert!(
            home.ends_with(&cluster.database_name(placement).to_string()),
            "{home}"
        );
        missing(cluster.upgrade(placement).await);
        let other = bench.placement(*isolation);
        let slot = other.role(RoleKind::Login(Login::A)).to_string();
        let password = bench.password();
        let set = cluster.set_password(other, Login::A, &password).await;
        assert_eq!(missing(set), slot);
        missing(cluster.carry_over(other, next(other)).await);
        cluster.disable(other, Login::A).await.unwrap();
        cluster.drop_home(other).await.unwrap();
        cluster.drop_roles(other).await.unwrap();
        cluster.close_home(other).await.unwrap();
        cluster.drop_roles(next(other)).await.unwrap();
    }
    missing(cluster.set_shared_password(&bench.password()).await);
}

/// As CREATE DATABASE leaves it when the process dies before the next statement.
async fn bare(bench: &Bench, placement: Placement) {
    let template = match placement.isolation {
        Isolation::Database => {
            bench
                .cluster
                .ensure_base(Isolation::Database)
                .await
                .unwrap();
            bench.cluster.template_name().to_string()
        }
        Isolation::Schema | Isolation::Shared => "template0".to_owned(),
    };
    superuser(&format!(
        "CREATE DATABASE {} TEMPLATE {template} OWNER {} ALLOW_CONNECTIONS false",
        bench.database(placement),
        bench.admin,
    ))
    .await;
}

#[tokio::test]
async fn a_bare_database_is_finished_or_dropped() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement(Isolation::Database);
    bare(&bench, placement).await;
    let state = cluster.home(placement).await.unwrap().unwrap();
    assert!(!state.marked && state.admins && !state.is_made());
    cluster.drop_home(placement).await.unwrap();
    assert_eq!(bench.left_over(placement).await, 0);

    for isolation in Isolation::ALL {
        let placement = bench.placement(*isolation);
        bare(&bench, placement).await;
        super::provision(cluster, placement).await;
        assert!(cluster.is_open(placement).await.unwrap());
        assert!(cluster.has_base(*isolation).await.unwrap());
    }
}

#[tokio::test]
async fn missing_roles_are_made_and_damaged_ones_mended() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let role = |login| placement.role(RoleKind::Login(login)).to_string();
        let connect = match isolation {
            Isolation::Database => format!(
                "REVOKE CONNECT ON DATABASE {} FROM {};",
                cluster.database_name(placement),
                role(Login::B)
            ),
            Isolation::Schema | Isolation::Shared => String::new(),
        };
        for damage in [
            format!("{connect} DROP ROLE {}", role(Login::B)),
            format!("ALTER ROLE {} RESET search_path", role(Login::A)),
            format!("ALTER ROLE {} SET role = 'none'", role(Login::B)),
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
        // Where a database is shared, slot B is let in with its group.
        assert_eq!(
            cluster.is_open(placement).await.unwrap(),
            *isolation != Isolation::Database,
            "slot B was made anew"
        );
        cluster.open_home(placement).await.unwrap();
        assert!(cluster.is_open(placement).await.unwrap());
    }
}

#[tokio::test]
async fn a_dropped_schema_of_applications_is_made_again_and_nobody_is_lost() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let (placement, _) = bench.inhabited(*isolation).await;
        let schema = placement.application_schema();
        let drop = format!("DROP SCHEMA {schema} CASCADE");
        super::in_database(&bench.database(placement), &drop).await;
        assert!(!bench.cluster.is_open(placement).await.unwrap());
        bench.cluster.create_home(placement).await.unwrap();
        bench.cluster.open_home(placement).await.unwrap();
        assert!(bench.cluster.is_open(placement).await.unwrap());
        assert_eq!(bench.rows(placement).await, 3);
    }
}

#[tokio::test]
async fn roles_are_not_dropped_before_the_home_and_stay_whole() {
    let bench = Bench::open().await;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let error = bench.cluster.drop_roles(placement).await.unwrap_err();
        assert_eq!(error.trouble(), Trouble::InUse);
        assert!(bench.cluster.has_roles(placement).await.unwrap());
        assert!(bench.cluster.is_open(placement).await.unwrap());
    }
}

#[tokio::test]
async fn an_interrupted_drop_is_finished_and_creating_starts_over() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let interrupt = async |placement: Placement| {
        superuser(&format!(
            "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{}'",
            bench.database(placement)
        ))
        .await;
        assert!(cluster.home(placement).await.unwrap().unwrap().broken);
    };
    let placement = bench.tenant(Isolation::Database).await;
    interrupt(placement).await;
    assert!(!cluster.has_home(placement).await.unwrap());
    cluster.drop_home(placement).await.unwrap();
    assert_eq!(cluster.home(placement).await.unwrap(), None);

    cluster.create_home(placement).await.unwrap();
    interrupt(placement).await;
    cluster.create_home(placement).await.unwrap();
    cluster.open_home(placement).await.unwrap();
    assert!(cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn who_keeps_a_database_from_being_dropped_is_named() {
    let bench = Bench::open().await;
    let placement = bench.tenant(Isolation::Database).await;
    let visitor = super::superuser_in(&bench.database(placement)).await;
    let hurried = bench.bounded(&bench.url, super::impatient());
    match hurried.drop_home(placement).await {
        Err(ClusterError::Occupied { by, .. }) => assert_eq!(by, "postgres"),
        other => panic!("{other:?}"),
    }
    // The server takes its time to see that a session has ended: dropping waits for whoever leaves.
    let dropping = bench.cluster.drop_home(placement);
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
    for isolation in Isolation::ALL {
        let (old, _) = bench.inhabited(*isolation).await;
        let password = bench.admit(old, Login::A).await;
        let new = next(old);
        super::provision(cluster, new).await;
        assert_eq!(bench.rows(new).await, 0, "the new life begins empty");
        let fresh = bench.admit(new, Login::A).await;
        // What was handed out before opens the old life as long as it lasts, and never the new one.
        let ending = cluster.sign_in(old, Login::A, &password).await.unwrap();
        assert_eq!(ending, cluster.expected(old, Login::A));
        let crossed = bench
            .options(old, Login::A, &password)
            .database(&bench.database(new));
        match sqlx::ConnectOptions::connect(&crossed).await {
            Err(error) => assert_eq!(super::code(&error), "42501"),
            Ok(mut conn) => {
                let sql = format!("SELECT id FROM {}.users", new.application_schema());
                assert_eq!(super::refusal(&mut conn, &sql).await, "42501");
            }
        }
        // The old life goes while the new one is in use.
        cluster.drop_home(old).await.unwrap();
        cluster.drop_roles(old).await.unwrap();
        assert_eq!(bench.left_over(old).await, 0);
        assert!(cluster.is_open(new).await.unwrap());
        assert!(cluster.has_roles(new).await.unwrap());
        let ending = cluster.sign_in(new, Login::A, &fresh).await.unwrap();
        assert_eq!(ending, cluster.expected(new, Login::A));
    }
}
