//! What a check says of servers and admin roles, what a listing finds, and messages in German.

use tenantry_core::finding::Severity;
use tenantry_core::tenant::Isolation;
use tenantry_store::cluster::{
    ClusterBounds, ClusterError, Lack, Listed, Login, Placement, RoleKind, Trouble,
};

use super::{Bench, number, provision, run, superuser};

async fn lacks(attributes: &str) -> Vec<(Lack, Severity)> {
    let bench = Bench::with(attributes, ClusterBounds::default()).await;
    let remarks = bench.cluster.check().await.unwrap();
    assert!(
        remarks
            .iter()
            .all(|remark| !remark.detail.is_empty() && !remark.remedy.is_empty())
    );
    remarks
        .iter()
        .map(|remark| (remark.lack, remark.severity))
        // That depends on the server of the test run, not on the admin.
        .filter(|(lack, _)| !matches!(lack, Lack::PublicDatabases | Lack::Headroom))
        .collect()
}

#[tokio::test]
async fn createdb_and_createrole_suffice_and_each_lack_is_told() {
    use Severity::{Error, Warning};
    assert_eq!(lacks("CREATEDB CREATEROLE").await, []);
    assert_eq!(lacks("CREATEROLE").await, [(Lack::CreateDatabase, Error)]);
    assert_eq!(lacks("CREATEDB").await, [(Lack::CreateRole, Error)]);
    assert_eq!(lacks("SUPERUSER").await, [(Lack::Superuser, Warning)]);
    let version = number("SELECT current_setting('server_version_num')::bigint").await;
    let expected: &[_] = if version < 160_000 {
        &[(Lack::Inherit, Error)]
    } else {
        &[]
    };
    assert_eq!(lacks("CREATEDB CREATEROLE NOINHERIT").await, expected);
}

#[tokio::test]
async fn settings_are_remarked_on() {
    let bench = Bench::open().await;
    for setting in ["log_statement = 'ddl'", "password_encryption = 'md5'"] {
        superuser(&format!("ALTER ROLE {} SET {setting}", bench.admin)).await;
    }
    let remarks = bench.cluster.check().await.unwrap();
    for lack in [
        Lack::LogStatement,
        Lack::PasswordEncryption,
        Lack::PublicDatabases,
    ] {
        let remark = remarks.iter().find(|remark| remark.lack == lack).unwrap();
        assert_eq!(remark.severity, Severity::Warning);
    }
    let public = remarks
        .iter()
        .find(|remark| remark.lack == Lack::PublicDatabases)
        .unwrap();
    assert!(
        public
            .remedy
            .contains("REVOKE CONNECT ON DATABASE \"postgres\" FROM PUBLIC;")
    );
}

#[tokio::test]
async fn an_admin_without_the_rights_is_denied_at_once() {
    let bench = Bench::with("CREATEDB", ClusterBounds::default()).await;
    let error = bench
        .cluster
        .ensure_roles(bench.placement(Isolation::Database))
        .await
        .unwrap_err();
    assert_eq!(error.trouble(), Trouble::Denied);
    assert!(!error.is_passing());
}

#[tokio::test]
async fn a_listing_finds_ours_and_nothing_else() {
    let bench = Bench::open().await;
    let mut placed = Vec::new();
    for isolation in Isolation::ALL {
        placed.extend([
            bench.tenant(*isolation).await,
            bench.tenant(*isolation).await,
        ]);
    }
    let elsewhere = Bench::open().await;
    for isolation in Isolation::ALL {
        elsewhere.tenant(*isolation).await;
    }
    let one = placed[0];
    bench.admit(one, Login::A).await;
    let listing = bench.cluster.list().await.unwrap();
    let of = |listed: &[Listed]| -> Vec<Placement> {
        let mut all: Vec<_> = listed.iter().map(|listed| listed.placement).collect();
        all.dedup();
        all
    };
    assert_eq!(of(&listing.databases), placed[..2]);
    assert_eq!(of(&listing.schemas), placed[2..]);
    assert_eq!(listing.schemas.len(), 2 * 2 + 2);
    assert_eq!(of(&listing.roles), placed);
    assert_eq!(listing.roles.len(), 4 * 5 + 2 * 4);
    let all = [&listing.databases, &listing.schemas, &listing.roles];
    assert!(all.into_iter().flatten().all(|listed| listed.named_right));
    let enabled: Vec<_> = listing.roles.iter().filter(|role| role.enabled).collect();
    assert_eq!(enabled.len(), 1);
    assert_eq!(
        enabled[0].name,
        one.role(RoleKind::Login(Login::A)).as_str()
    );

    // Under another name it is still told as ours, and as wrong.
    let (database, schema) = (placed[1], placed[3]);
    superuser(&format!(
        "ALTER DATABASE {} RENAME TO {}_moved",
        bench.database(database),
        bench.admin
    ))
    .await;
    let moved = format!("ALTER SCHEMA {} RENAME TO moved", schema.identity_schema());
    super::in_database(&bench.database(schema), &moved).await;
    let listing = bench.cluster.list().await.unwrap();
    let wrong: Vec<_> = [&listing.databases, &listing.schemas, &listing.roles]
        .into_iter()
        .flatten()
        .filter(|listed| !listed.named_right)
        .collect();
    assert_eq!(wrong.len(), 2);
    assert_eq!(wrong[0].name, format!("{}_moved", bench.admin));
    assert_eq!(wrong[0].placement, database);
    assert_eq!(wrong[1].name, "moved");
    assert_eq!(wrong[1].placement, schema);
}

#[tokio::test]
async fn capacity_counts_tenants_and_connections() {
    let bench = Bench::open().await;
    let counted = async || {
        let now = bench.cluster.capacity().await.unwrap();
        (now.databases, now.schemas, now.shared)
    };
    assert_eq!(counted().await, (0, 0, 0));
    let mut placed = Vec::new();
    for isolation in Isolation::ALL {
        placed.push(bench.tenant(*isolation).await);
        let size = bench.cluster.size(placed[placed.len() - 1]).await.unwrap();
        // The view takes nothing, and rows in shared tables are not counted.
        let least = match isolation {
            Isolation::Database => 1_000_000,
            Isolation::Schema => 10_000,
            Isolation::Shared => 0,
        };
        assert!(size.unwrap() >= least, "{size:?}");
        let none = bench.cluster.size(bench.placement(*isolation)).await;
        assert_eq!(none.unwrap(), None);
    }
    assert_eq!(counted().await, (1, 1, 1));
    let now = bench.cluster.capacity().await.unwrap();
    assert!(now.connections_used >= 1);
    let most = number("SELECT current_setting('max_connections')::bigint").await;
    assert!(now.connections_max < most && now.connections_max >= most - 10);
    assert_eq!(
        now.connections_free(),
        now.connections_max - now.connections_used
    );
    for placement in placed {
        bench.cluster.drop_home(placement).await.unwrap();
        bench.cluster.drop_roles(placement).await.unwrap();
    }
    assert_eq!(counted().await, (0, 0, 0));
}

/// Every step and refusal with messages in German, where the server's machine has German. That
/// only codes are looked at is also shown beside the errors themselves.
#[tokio::test(flavor = "multi_thread")]
async fn german_messages_change_nothing() {
    let bench = Bench::open().await;
    let mut conn = super::superuser_in("postgres").await;
    let sql = format!("ALTER ROLE {} SET lc_messages = 'de_DE.UTF-8'", bench.admin);
    if run(&mut conn, &sql).await.is_err() {
        eprintln!("the server has no German");
    }
    drop(conn);
    let cluster = bench.another(&bench.url);
    for isolation in Isolation::ALL {
        let placement = bench.placement(*isolation);
        tokio::join!(
            provision(&cluster, placement),
            provision(&bench.cluster, placement)
        );
        let error = cluster.drop_roles(placement).await.unwrap_err();
        assert_eq!(error.trouble(), Trouble::InUse);
        let taken = bench.placement(*isolation);
        superuser(&format!("CREATE ROLE {}", taken.role(RoleKind::Owner))).await;
        let error = cluster.ensure_roles(taken).await.unwrap_err();
        assert!(matches!(error, ClusterError::Foreign(_)));
        superuser(&format!("DROP ROLE {}", taken.role(RoleKind::Owner))).await;
        cluster.drop_home(placement).await.unwrap();
        cluster.drop_roles(placement).await.unwrap();
        assert_eq!(bench.left_over(placement).await, 0);
    }
    cluster.close().await;
}
