//! Putting a home right that is there, and making none.

use sqlx::Connection as _;
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{ClusterError, Login, Placement};

use super::{Bench, in_database, number, number_in, run, superuser};

async fn is_missing(bench: &Bench, placement: Placement) -> bool {
    matches!(
        bench.cluster.mend_home(placement).await,
        Err(ClusterError::Missing(_))
    )
}

#[tokio::test]
async fn what_was_changed_is_put_right() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    let (placement, password) = bench.inhabited(Isolation::Database).await;
    let name = cluster.database_name(placement);
    for damage in [
        format!("GRANT CONNECT ON DATABASE {name} TO PUBLIC"),
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        format!("ALTER DATABASE {name} OWNER TO {}", bench.admin),
    ] {
        superuser(&damage).await;
        assert!(!cluster.has_home(placement).await.unwrap(), "{damage}");
        cluster.mend_home(placement).await.unwrap();
        assert!(cluster.has_home(placement).await.unwrap(), "{damage}");
    }
    cluster.mend_home(placement).await.unwrap();
    let entered = bench.connect(placement, Login::Service, &password).await;
    entered.unwrap();
    let people = "SELECT COUNT(*) FROM tenantry.tenantry_users";
    assert_eq!(number_in(name.as_str(), people).await, 1);

    // In a database with others, its owner may be a guest no more.
    let placement = bench.tenant(Isolation::Schema).await;
    let owner = placement.role(tenantry_store::cluster::RoleKind::Owner);
    let guests = format!("tenantry_schemas_{}_guests", bench.instance.simple());
    // As the admin: since PostgreSQL 16 a membership is taken back by whoever gave it.
    let mut admin = sqlx::PgConnection::connect(&bench.url).await.unwrap();
    let revoke = format!("REVOKE {guests} FROM {owner}");
    run(&mut admin, &revoke).await.unwrap();
    assert!(!cluster.has_home(placement).await.unwrap());
    cluster.mend_home(placement).await.unwrap();
    assert!(cluster.has_home(placement).await.unwrap());
}

/// What was in a home that is gone can't be put right, and an empty one in its place would look as
/// if it were.
#[tokio::test]
async fn a_home_that_is_gone_is_not_made() {
    let bench = Bench::open().await;
    let cluster = &bench.cluster;
    for isolation in Isolation::ALL {
        let placement = bench.tenant(*isolation).await;
        let database = bench.database(placement);
        match isolation {
            Isolation::Database => {
                superuser(&format!("DROP DATABASE \"{database}\" WITH (FORCE)")).await;
            }
            Isolation::Schema => {
                for schema in [placement.identity_schema(), placement.application_schema()] {
                    in_database(&database, &format!("DROP SCHEMA {schema} CASCADE")).await;
                }
            }
            Isolation::Shared => {
                let schema = placement.application_schema();
                in_database(&database, &format!("DROP SCHEMA {schema} CASCADE")).await;
            }
        }
        assert!(is_missing(&bench, placement).await, "{isolation}");
        assert_eq!(cluster.home(placement).await.unwrap(), None, "{isolation}");
    }

    // Nor what an interrupted drop left.
    let placement = bench.tenant(Isolation::Database).await;
    let database = bench.database(placement);
    superuser(&format!(
        "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{database}'"
    ))
    .await;
    assert!(is_missing(&bench, placement).await);
    let broken = format!(
        "SELECT COUNT(*) FROM pg_database WHERE datname = '{database}' AND datconnlimit = -2"
    );
    assert_eq!(number(&broken).await, 1);
}
