//! What has the name of something of ours and is not ours is refused and left as it is.

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterError, Login, Placement, RoleKind};

use super::{Bench, number, provision, superuser};

fn is_foreign<T>(outcome: &Result<T, ClusterError>) -> bool {
    matches!(outcome, Err(ClusterError::Foreign(_)))
}

async fn assert_all_refuse(bench: &Bench, placement: Placement) {
    let cluster = &bench.cluster;
    assert!(is_foreign(&cluster.create_home(placement).await));
    assert!(is_foreign(&cluster.open_home(placement).await));
    assert!(is_foreign(&cluster.close_home(placement).await));
    assert!(is_foreign(&cluster.drop_home(placement).await));
    assert!(is_foreign(&cluster.has_home(placement).await));
}

async fn comment(kind: &str, name: &str) -> i64 {
    let (catalogue, column) = match kind {
        "DATABASE" => ("pg_database", "datname"),
        _ => ("pg_authid", "rolname"),
    };
    number(&format!(
        "SELECT COUNT(*) FROM {catalogue} d WHERE {column} = '{name}'
         AND COALESCE(shobj_description(d.oid, '{catalogue}'), '') = 'mine'"
    ))
    .await
}

#[tokio::test]
async fn a_foreign_database_is_left_alone() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    cluster.ensure_base(Isolation::Database).await.unwrap();
    let placement = bench.placement(Isolation::Database);
    cluster.ensure_roles(placement).await.unwrap();
    let name = cluster.database_name(placement);

    // Somebody else's, without a comment.
    superuser(&format!("CREATE DATABASE {name}")).await;
    assert_all_refuse(&bench, placement).await;
    // The admin's own, with a comment of somebody's.
    superuser(&format!(
        "ALTER DATABASE {name} OWNER TO {}; COMMENT ON DATABASE {name} IS 'mine'",
        bench.admin
    ))
    .await;
    assert_all_refuse(&bench, placement).await;
    assert_eq!(comment("DATABASE", name.as_str()).await, 1);
    let sql = format!(
        "SELECT COUNT(*) FROM pg_database WHERE datname = '{}' AND datallowconn AND datacl IS NULL",
        name.as_str()
    );
    assert_eq!(number(&sql).await, 1, "nothing about it was changed");
    // The roles stay too: undoing them is another step.
    cluster.drop_roles(placement).await.unwrap();
}

#[tokio::test]
async fn another_tenants_or_installations_marker_is_foreign() {
    let bench = Bench::open().await;
    let placement = bench.tenant(Isolation::Database).await;
    let name = bench.cluster.database_name(placement);
    let other = bench.placement(Isolation::Database);
    for marker in [
        format!(
            "tenantry instance={} tenant={} generation=1 isolation=database",
            bench.instance, other.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=2 isolation=database",
            bench.instance, placement.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=1 isolation=database",
            uuid::Uuid::nil(),
            placement.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=1",
            bench.instance, placement.tenant
        ),
    ] {
        superuser(&format!("COMMENT ON DATABASE {name} IS '{marker}'")).await;
        assert_all_refuse(&bench, placement).await;
        let role = placement.role(RoleKind::Login(Login::B));
        superuser(&format!("COMMENT ON ROLE {role} IS '{marker}'")).await;
        assert!(is_foreign(&bench.cluster.has_roles(placement).await));
    }
    // So that the test's own cleaning up finds them.
    let right = format!(
        "tenantry instance={} tenant={} generation=1 isolation=database",
        bench.instance, placement.tenant
    );
    superuser(&format!("COMMENT ON DATABASE {name} IS '{right}'")).await;
}

#[tokio::test]
async fn another_tenants_schema_is_foreign() {
    let bench = Bench::open().await;
    for isolation in [Isolation::Schema, Isolation::Shared] {
        let (placement, _) = bench.inhabited(isolation).await;
        let other = bench.placement(isolation);
        let schema = placement.application_schema();
        let database = bench.database(placement);
        for comment in [
            "NULL".to_owned(),
            "'mine'".to_owned(),
            format!(
                "'tenantry instance={} tenant={} generation=1 isolation={isolation}'",
                bench.instance, other.tenant
            ),
        ] {
            let sql = format!("COMMENT ON SCHEMA {schema} IS {comment}");
            super::in_database(&database, &sql).await;
            assert_all_refuse(&bench, placement).await;
            assert!(is_foreign(&bench.cluster.upgrade(placement).await));
            let new = super::next(placement);
            assert!(is_foreign(&bench.cluster.carry_over(placement, new).await));
        }
        assert_eq!(bench.rows(placement).await, 3);
    }
}

#[tokio::test]
async fn a_foreign_database_for_many_is_neither_used_nor_changed() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in [Isolation::Schema, Isolation::Shared] {
        let placement = bench.placement(isolation);
        let name = bench.database(placement);
        superuser(&format!("CREATE DATABASE {name}")).await;
        assert!(is_foreign(&cluster.ensure_base(isolation).await));
        assert!(is_foreign(&cluster.has_base(isolation).await));
        assert!(is_foreign(&cluster.drop_base(isolation).await));
        cluster.ensure_roles(placement).await.unwrap();
        superuser(&format!("COMMENT ON DATABASE {name} IS 'mine'")).await;
        assert_all_refuse(&bench, placement).await;
        let remarks = cluster.check().await.unwrap();
        assert!(
            remarks
                .iter()
                .any(|remark| remark.lack == tenantry_store::cluster::Lack::Template)
        );
        assert_eq!(comment("DATABASE", &name).await, 1);
        superuser(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        provision(cluster, placement).await;
    }
}

#[tokio::test]
async fn a_foreign_role_is_left_alone_and_nothing_is_made_beside_it() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement(Isolation::Database);
    let role = placement.role(RoleKind::Login(Login::A));
    for setup in [
        format!("CREATE ROLE {role} LOGIN PASSWORD 'theirs'"),
        format!("COMMENT ON ROLE {role} IS 'mine'"),
    ] {
        superuser(&setup).await;
        assert!(is_foreign(&cluster.ensure_roles(placement).await));
        assert!(is_foreign(&cluster.drop_roles(placement).await));
        assert!(is_foreign(
            &cluster
                .set_password(placement, Login::A, &bench.password())
                .await
        ));
        assert!(is_foreign(&cluster.disable(placement, Login::A).await));
        assert_eq!(bench.left_over(placement).await, 1);
    }
    let theirs = tenantry_core::Secret::new("theirs".to_owned());
    let options = bench
        .options(placement, Login::A, &theirs)
        .database("postgres");
    let mut session = sqlx::ConnectOptions::connect(&options).await.unwrap();
    assert!(is_foreign(&cluster.end_sessions(placement, Login::A).await));
    super::run(&mut session, "SELECT 1").await.unwrap();
    drop(session);
    superuser(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_foreign_template_is_neither_used_nor_changed() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let name = cluster.template_name();
    superuser(&format!("CREATE DATABASE {name}")).await;
    assert!(is_foreign(&cluster.ensure_base(Isolation::Database).await));
    assert!(is_foreign(&cluster.drop_base(Isolation::Database).await));
    let remarks = cluster.check().await.unwrap();
    assert!(
        remarks
            .iter()
            .any(|remark| remark.lack == tenantry_store::cluster::Lack::Template)
    );
    superuser(&format!("DROP DATABASE {name}")).await;
    provision(cluster, bench.placement(Isolation::Database)).await;
}
