//! What has the name of something of ours and is not ours is refused and left as it is.

use tenantry_store::cluster::{ClusterError, Login, Placement, RoleKind};

use super::{Bench, number, provision, superuser};

fn is_foreign<T>(outcome: &Result<T, ClusterError>) -> bool {
    matches!(outcome, Err(ClusterError::Foreign(_)))
}

async fn assert_all_refuse(bench: &Bench, placement: Placement) {
    let cluster = &bench.cluster;
    assert!(is_foreign(&cluster.create_database(placement).await));
    assert!(is_foreign(&cluster.open_database(placement).await));
    assert!(is_foreign(&cluster.close_database(placement).await));
    assert!(is_foreign(&cluster.drop_database(placement).await));
    assert!(is_foreign(&cluster.has_database(placement).await));
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
    cluster.ensure_template().await.unwrap();
    let placement = bench.placement();
    cluster.ensure_roles(placement).await.unwrap();
    let name = placement.database();

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
    let placement = bench.tenant().await;
    let name = placement.database();
    let other = bench.placement();
    for marker in [
        format!(
            "tenantry instance={} tenant={} generation=1",
            bench.instance, other.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=2",
            bench.instance, placement.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=1",
            uuid::Uuid::nil(),
            placement.tenant
        ),
        format!(
            "tenantry instance={} tenant={} generation=1 ",
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
        "tenantry instance={} tenant={} generation=1",
        bench.instance, placement.tenant
    );
    superuser(&format!("COMMENT ON DATABASE {name} IS '{right}'")).await;
}

#[tokio::test]
async fn a_foreign_role_is_left_alone_and_nothing_is_made_beside_it() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.placement();
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
    let options = super::options(placement, Login::A, &theirs).database("postgres");
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
    assert!(is_foreign(&cluster.ensure_template().await));
    assert!(is_foreign(&cluster.drop_template().await));
    let remarks = cluster.check().await.unwrap();
    assert!(
        remarks
            .iter()
            .any(|remark| remark.lack == tenantry_store::cluster::Lack::Template)
    );
    superuser(&format!("DROP DATABASE {name}")).await;
    provision(cluster, bench.placement()).await;
}
