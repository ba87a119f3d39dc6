//! A home that an older program made, under the present one.

use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{Login, Placement, RoleKind};

use super::{Bench, in_database, number_in, run, superuser};

/// Takes everything away that migrations make, as if it came with the next one.
async fn age(bench: &Bench, placement: Placement) {
    let identity = placement.identity_schema();
    in_database(
        &bench.database(placement),
        &format!(
            "DROP TABLE {identity}.tenantry_stamp, {identity}.tenantry_users,
                {identity}.tenantry_one_time_secrets, {identity}.tenantry_codes,
                {identity}.tenantry_registrations, {identity}.tenantry_devices,
                {identity}.tenantry_migrations CASCADE"
        ),
    )
    .await;
    if placement.isolation == Isolation::Shared {
        superuser(&format!(
            "COMMENT ON DATABASE {} IS 'tenantry instance={} shared=0'",
            bench.database(placement),
            bench.instance
        ))
        .await;
    }
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let (placement, _) = bench.inhabited(*isolation).await;
        let (neighbour, _) = bench.inhabited(*isolation).await;
        age(&bench, placement).await;
        assert!(!cluster.is_open(placement).await.unwrap());
        let another = bench.another(&bench.url);
        let others = [cluster, &another].map(|node| node.upgrade(placement));
        for upgraded in futures_util::future::join_all(others).await {
            upgraded.unwrap();
        }
        assert!(cluster.is_open(placement).await.unwrap());
        assert!(cluster.has_base(*isolation).await.unwrap());
        assert_eq!(bench.rows(placement).await, 0);
        let owner = match isolation {
            Isolation::Shared => format!("tenantry_objects_{}", bench.instance.simple()),
            Isolation::Database | Isolation::Schema => {
                placement.role(RoleKind::Owner).as_str().to_owned()
            }
        };
        let sql = format!(
            "SELECT COUNT(*) FROM pg_tables WHERE schemaname = '{}' AND tableowner = '{owner}'",
            placement.identity_schema().as_str()
        );
        assert_eq!(number_in(&bench.database(placement), &sql).await, 7);
        for tenant in [placement, neighbour] {
            cluster.upgrade(tenant).await.unwrap();
            let service = bench.admit(tenant, Login::Service).await;
            let mut conn = bench
                .connect(tenant, Login::Service, &service)
                .await
                .unwrap();
            if bench.rows(tenant).await == 0 {
                run(&mut conn, &super::inhabitant(tenant)).await.unwrap();
            }
            let password = bench.admit(tenant, Login::A).await;
            let mut app = bench.connect(tenant, Login::A, &password).await.unwrap();
            let seen = sqlx::query("SELECT id FROM users")
                .fetch_all(&mut app)
                .await;
            assert_eq!(seen.unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_view_that_showed_less_is_made_anew() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let (placement, _) = bench.inhabited(*isolation).await;
        let (app, identity) = (placement.application_schema(), placement.identity_schema());
        let password = bench.admit(placement, Login::A).await;
        let mut conn = bench.connect(placement, Login::A, &password).await.unwrap();
        let owner =
            format!("(SELECT relowner::regrole FROM pg_class WHERE oid = '{app}.users'::regclass)");
        in_database(
            &bench.database(placement),
            &format!(
                "DO $$ DECLARE its TEXT := {owner}; BEGIN
                    DROP VIEW {app}.users;
                    CREATE VIEW {app}.users AS SELECT id, email FROM {identity}.tenantry_users;
                    EXECUTE 'ALTER VIEW {app}.users OWNER TO ' || its;
                    GRANT SELECT ON {app}.users TO {};
                 END $$",
                placement.role(RoleKind::Application)
            ),
        )
        .await;
        run(&mut conn, "CREATE VIEW mine AS SELECT email FROM users")
            .await
            .unwrap();
        assert!(run(&mut conn, "SELECT full_name FROM users").await.is_err());
        cluster.upgrade(placement).await.unwrap();
        run(
            &mut conn,
            "SELECT full_name FROM users; SELECT email FROM mine",
        )
        .await
        .unwrap();
        let seen = sqlx::query("SELECT id FROM users")
            .fetch_all(&mut conn)
            .await;
        assert_eq!(seen.unwrap().len(), 1);
    }
}
