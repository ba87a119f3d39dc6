//! What can't be adopted is said before anything is done, with what helps.

use tenantry_service::Refusal;
use tenantry_service::adopt::{NewAdoption, people_table};
use tenantry_testkit::cluster::{self, FormerDatabase, quoted, superuser};
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::adopt::{adopt, former, start, without_people};
use crate::people::ADA;

/// What is refused about which field, by a look as by the deed.
async fn wrong(test: &TestService, new: NewAdoption) -> (String, String) {
    let looked = told(test.service.check_adoption(&new).await);
    let done = told(adopt(test, new).await);
    assert_eq!(looked, done);
    let tenants = "SELECT COUNT(*) FROM tenants WHERE slug = 'uml'";
    assert_eq!(test.control().number(tenants).await.unwrap(), 0);
    looked
}

fn told<T>(outcome: Result<T, Refusal>) -> (String, String) {
    match outcome {
        Err(Refusal::Validation(errors)) if errors.len() == 1 => {
            (errors[0].field.to_string(), errors[0].message.clone())
        }
        Err(other) => panic!("refused otherwise: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn unfit(test: &TestService, database: &str, why: &str) {
    let (field, told) = wrong(test, without_people("uml", database)).await;
    assert_eq!(field, "database", "{database}: {told}");
    assert!(told.contains(why), "{database}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_of_the_server_or_ours_are_not_adopted() {
    let test = start(Driver::Postgres).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for (name, why) in [
        ("template0", "server itself"),
        ("template1", "server itself"),
        ("postgres", "server itself"),
        ("no_such_database", "no database of this name"),
        ("", "1 to 63 bytes"),
        ("a\0b", "1 to 63 bytes"),
    ] {
        unfit(&test, name, why).await;
    }
    unfit(&test, &"a".repeat(64), "1 to 63 bytes").await;
    let ours = cluster::texts(&format!(
        "SELECT datname::text FROM pg_database WHERE pg_get_userbyid(datdba) = '{}'",
        test.cluster().unwrap().admin()
    ))
    .await
    .unwrap();
    assert!(!ours.is_empty());
    for name in ours {
        unfit(&test, &name, "Tenantry's").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lacks_is_said_with_the_statement_that_helps() {
    let test = start(Driver::Sqlite).await;
    let cluster = test.cluster().unwrap();
    let database = FormerDatabase::bare(cluster, "tenant \"uml\"")
        .await
        .unwrap();
    let (named, admin) = (quoted(&database.name), quoted(cluster.admin()));
    let help = format!("GRANT CONNECT, CREATE ON DATABASE {named} TO {admin}");
    unfit(&test, &database.name, &help).await;
    superuser(&help).await.unwrap();
    superuser(&format!("REVOKE CONNECT ON DATABASE {named} FROM PUBLIC"))
        .await
        .unwrap();
    let help = format!("GRANT CONNECT ON DATABASE {named} TO {admin} WITH GRANT OPTION");
    unfit(&test, &database.name, &help).await;
    superuser(&help).await.unwrap();
    superuser(&format!("ALTER DATABASE {named} ALLOW_CONNECTIONS false"))
        .await
        .unwrap();
    unfit(&test, &database.name, "ALLOW_CONNECTIONS true").await;
    superuser(&format!("ALTER DATABASE {named} ALLOW_CONNECTIONS true"))
        .await
        .unwrap();
    assert!(
        test.service
            .check_adoption(&without_people("uml", &database.name))
            .await
            .is_ok()
    );

    // A registry may lie in any database.
    let mut owner = database.session().await.unwrap();
    owner
        .run("CREATE TABLE tenant_databases (); CREATE TABLE tenant_database_users ()")
        .await
        .unwrap();
    unfit(&test, &database.name, "registry").await;
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_read_from_plain_tables_alone() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    let admin = test.cluster().unwrap().admin().to_owned();
    let mut owner = database.session().await.unwrap();
    owner
        .run(&format!(
            "CREATE FUNCTION leak() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''called as %'', current_user; END';
             CREATE VIEW seen AS SELECT leak() AS mail;
             CREATE TABLE guarded (mail text); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON guarded USING (leak() IS NOT NULL);
             CREATE TABLE hidden (mail text);
             CREATE TYPE pair AS (a text, b text); CREATE TABLE pairs (mail pair);
             GRANT SELECT ON seen, guarded, pairs TO {admin}"
        ))
        .await
        .unwrap();
    for (table, map, why) in [
        ("seen", "email=mail", "no ordinary table"),
        ("guarded", "email=mail", "row-level security"),
        (
            "hidden",
            "email=mail",
            "GRANT SELECT ON \"public\".\"hidden\"",
        ),
        ("pairs", "email=mail", "no column \"mail\" of a plain type"),
        ("users", "email=nothing", "no column \"nothing\""),
        ("users", "email=mail\" FROM users --", "no column"),
        ("archive.users", "email=mail", "no such table"),
        ("Users", "email=mail", "no such table"),
    ] {
        let new = NewAdoption {
            people: Some(people_table(table, map).unwrap()),
            ..without_people("uml", &database.name)
        };
        let (field, told) = wrong(&test, new).await;
        assert_eq!(field, "users", "{table}: {told}");
        assert!(told.contains(why), "{table}: {told}");
    }
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_or_a_cluster_that_is_not_free_is_refused() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let taken = without_people("acme", &database.name);
    refused!(
        test.service.check_adoption(&taken).await,
        Refusal::SlugTaken
    );
    refused!(adopt(&test, taken).await, Refusal::SlugTaken);
    for (cluster, why) in [("local", "PostgreSQL"), ("nowhere", "no such cluster")] {
        let new = NewAdoption {
            cluster: Some(cluster.to_owned()),
            ..without_people("uml", &database.name)
        };
        let (field, told) = wrong(&test, new).await;
        assert_eq!(field, "cluster");
        assert!(told.contains(why), "{told}");
    }
    // Of two who adopt it at once, one does.
    let (one, two) = tokio::join!(
        adopt(&test, without_people("one", &database.name)),
        adopt(&test, without_people("two", &database.name))
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    refused!(lost, Refusal::Conflict(_));
    test.service
        .delete_tenant(won.unwrap().tenant.id, true)
        .await
        .unwrap();
    database.drop().await.unwrap();
}
