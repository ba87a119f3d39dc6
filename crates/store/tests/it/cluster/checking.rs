//! What a check says of servers and admin roles, what a listing finds, and messages in German.

use tenantry_core::finding::Severity;
use tenantry_store::cluster::{ClusterBounds, ClusterError, Lack, Login, RoleKind, Trouble};

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
        .ensure_roles(bench.placement())
        .await
        .unwrap_err();
    assert_eq!(error.trouble(), Trouble::Denied);
    assert!(!error.is_passing());
}

#[tokio::test]
async fn a_listing_finds_ours_and_nothing_else() {
    let bench = Bench::open().await;
    let (one, two) = (bench.tenant().await, bench.tenant().await);
    let _other_installation = Bench::open().await.tenant().await;
    bench
        .cluster
        .set_password(one, Login::A, &bench.password())
        .await
        .unwrap();
    let listing = bench.cluster.list().await.unwrap();
    let databases: Vec<_> = listing
        .databases
        .iter()
        .map(|listed| listed.placement)
        .collect();
    assert_eq!(databases, [one, two]);
    assert_eq!(listing.roles.len(), 10);
    let enabled: Vec<_> = listing.roles.iter().filter(|role| role.enabled).collect();
    assert_eq!(enabled.len(), 1);
    assert_eq!(
        enabled[0].name,
        one.role(RoleKind::Login(Login::A)).as_str()
    );
    assert!(bench.cluster.size(one).await.unwrap().unwrap() > 1_000_000);
    assert_eq!(bench.cluster.size(bench.placement()).await.unwrap(), None);

    // Under another name it is still told as ours, and as wrong.
    superuser(&format!(
        "ALTER DATABASE {} RENAME TO {}_moved",
        two.database(),
        bench.admin
    ))
    .await;
    let listing = bench.cluster.list().await.unwrap();
    let moved = listing
        .databases
        .iter()
        .find(|listed| listed.placement == two)
        .unwrap();
    assert!(!moved.named_right);
    assert_eq!(moved.name, format!("{}_moved", bench.admin));
}

#[tokio::test]
async fn capacity_counts_databases_and_connections() {
    let bench = Bench::open().await;
    let before = bench.cluster.capacity().await.unwrap();
    assert_eq!(before.databases, 0);
    let placement = bench.tenant().await;
    let now = bench.cluster.capacity().await.unwrap();
    assert_eq!(now.databases, 1);
    assert!(now.connections_used >= 1);
    let most = number("SELECT current_setting('max_connections')::bigint").await;
    assert!(now.connections_max < most && now.connections_max >= most - 10);
    assert_eq!(
        now.connections_free(),
        now.connections_max - now.connections_used
    );
    bench.cluster.drop_database(placement).await.unwrap();
    assert_eq!(bench.cluster.capacity().await.unwrap().databases, 0);
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
    let placement = bench.placement();
    tokio::join!(
        provision(&cluster, placement),
        provision(&bench.cluster, placement)
    );
    let error = cluster.drop_roles(placement).await.unwrap_err();
    assert_eq!(error.trouble(), Trouble::InUse);
    let taken = bench.placement();
    superuser(&format!("CREATE ROLE {}", taken.role(RoleKind::Owner))).await;
    let error = cluster.ensure_roles(taken).await.unwrap_err();
    assert!(matches!(error, ClusterError::Foreign(_)));
    superuser(&format!("DROP ROLE {}", taken.role(RoleKind::Owner))).await;
    cluster.drop_database(placement).await.unwrap();
    cluster.drop_roles(placement).await.unwrap();
    assert_eq!(bench.left_over(placement).await, 0);
    cluster.close().await;
}
