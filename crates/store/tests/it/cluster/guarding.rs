//! Whatever loosens row-level security over shared tables is found and put right.

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterError, Lack};

use super::{Bench, in_database, superuser};

#[tokio::test]
async fn every_loosening_is_found_and_mended() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let (placement, _) = bench.inhabited(Isolation::Shared).await;
    let database = bench.database(placement);
    let login = bench.shared_login();
    assert!(cluster.shared_is_guarded().await.unwrap());
    for damage in [
        "ALTER TABLE tenantry.tenantry_users DISABLE ROW LEVEL SECURITY".to_owned(),
        "ALTER TABLE tenantry.tenantry_users NO FORCE ROW LEVEL SECURITY".to_owned(),
        "DROP POLICY tenantry_tenant ON tenantry.tenantry_stamp".to_owned(),
        "CREATE POLICY more ON tenantry.tenantry_users USING (TRUE)".to_owned(),
        "ALTER POLICY tenantry_tenant ON tenantry.tenantry_users USING (TRUE)".to_owned(),
        "ALTER POLICY tenantry_tenant ON tenantry.tenantry_users WITH CHECK (TRUE)".to_owned(),
        format!("ALTER POLICY tenantry_viewer ON tenantry.tenantry_users TO \"{login}\""),
        format!("GRANT TRUNCATE ON tenantry.tenantry_users TO \"{login}\""),
        format!("GRANT SELECT ON tenantry.tenantry_migrations TO \"{login}\""),
        format!("GRANT SELECT (version) ON tenantry.tenantry_migrations TO \"{login}\""),
        "GRANT SELECT ON tenantry.tenantry_users TO PUBLIC".to_owned(),
        format!("GRANT CREATE ON SCHEMA tenantry TO \"{login}\""),
        format!("REVOKE DELETE ON tenantry.tenantry_users FROM \"{login}\""),
        // A migration that forgot all about it.
        format!(
            "SET ROLE tenantry_objects_{}; CREATE TABLE tenantry.\"tenantry_New's\" (tenant_id UUID)",
            bench.instance.simple()
        ),
    ] {
        in_database(&database, &damage).await;
        assert!(!cluster.shared_is_guarded().await.unwrap(), "{damage}");
        assert!(
            !cluster.has_base(Isolation::Shared).await.unwrap(),
            "{damage}"
        );
        let remarks = cluster.check().await.unwrap();
        assert!(
            remarks.iter().any(|remark| remark.lack == Lack::Guard),
            "{damage}"
        );
        cluster.ensure_base(Isolation::Shared).await.unwrap();
        assert!(cluster.shared_is_guarded().await.unwrap(), "{damage}");
    }
    assert_eq!(bench.rows(placement).await, 3);
    assert!(cluster.is_open(placement).await.unwrap());
}

#[tokio::test]
async fn what_only_a_superuser_can_mend_is_told() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let placement = bench.tenant(Isolation::Shared).await;
    let login = bench.shared_login();
    let viewer = format!("tenantry_viewer_{}", bench.instance.simple());
    for (damage, repair) in [
        (
            format!("ALTER ROLE \"{login}\" BYPASSRLS"),
            format!("ALTER ROLE \"{login}\" NOBYPASSRLS"),
        ),
        (
            format!("GRANT {viewer} TO \"{login}\""),
            format!("REVOKE {viewer} FROM \"{login}\""),
        ),
        (
            format!("GRANT pg_read_all_data TO \"{login}\""),
            format!("REVOKE pg_read_all_data FROM \"{login}\""),
        ),
    ] {
        superuser(&damage).await;
        match cluster.ensure_base(Isolation::Shared).await {
            Err(ClusterError::Unguarded(what)) => assert!(what.contains("role "), "{what}"),
            other => panic!("{damage}: {other:?}"),
        }
        superuser(&repair).await;
        cluster.ensure_base(Isolation::Shared).await.unwrap();
    }
    let table = "tenantry.tenantry_users";
    in_database(
        &bench.database(placement),
        &format!("ALTER TABLE {table} OWNER TO postgres"),
    )
    .await;
    assert!(!cluster.shared_is_guarded().await.unwrap());
}
