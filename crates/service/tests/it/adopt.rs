//! Old tenants, of which there is only a database, become tenants here, and what was in the database
//! stays as it was.

use tenantry_core::tenant::Isolation;
use tenantry_core::{Role, TenantStatus};
use tenantry_service::Refusal;
use tenantry_service::adopt::{Adopted, NewAdoption, people_table};
use tenantry_service::credentials::{Reveal, Rotated};
use tenantry_service::signin::Person;
use tenantry_service::tenants::{Created, TenantView};
use tenantry_testkit::cluster::{
    FORMER_MAP, FORMER_PASSWORD, FormerDatabase, Session, in_database, quoted, superuser,
};
use tenantry_testkit::service::{Driver, Options, PASSWORD, Tenants, TestService, WAIT};

use crate::people::{ADA, OTHER, id, named, one, try_in};

pub(crate) async fn start(registry: Driver) -> TestService {
    let options = Options::on(registry)
        .with_tenants(Tenants::Cluster(Isolation::Schema))
        .without_rate_limits();
    TestService::start(options).await.unwrap()
}

pub(crate) async fn former(test: &TestService, name: &str) -> FormerDatabase {
    FormerDatabase::start(test.cluster().unwrap(), name)
        .await
        .unwrap()
}

/// A database to adopt, with its people.
pub(crate) fn with_people(slug: &str, database: &FormerDatabase) -> NewAdoption {
    NewAdoption {
        people: Some(people_table("users", FORMER_MAP).unwrap()),
        ..without_people(slug, &database.name)
    }
}

pub(crate) fn without_people(slug: &str, database: &str) -> NewAdoption {
    NewAdoption {
        name: format!("Tenant {slug}"),
        slug: slug.parse().unwrap(),
        owner: ADA.parse().unwrap(),
        database: database.to_owned(),
        cluster: None,
        people: None,
        locale: None,
    }
}

pub(crate) async fn adopt(test: &TestService, new: NewAdoption) -> Result<TenantView, Refusal> {
    match test.service.adopt_tenant(new, WAIT).await? {
        Adopted::New(Created::Active(view)) | Adopted::Unchanged(view) => Ok(*view),
        Adopted::New(Created::Later(..)) => panic!("it takes too long"),
    }
}

pub(crate) async fn expect_sound(test: &TestService, view: &TenantView, at: &str) {
    let report = test
        .service
        .check_tenant(view.tenant.clone())
        .await
        .unwrap();
    assert_eq!(report.findings, [], "{at}");
    assert_eq!(test.service.check_orphans().await.unwrap(), [], "{at}");
}

/// What is in the database and who may do what there is as it was, byte for byte.
pub(crate) async fn expect_as_before(database: &FormerDatabase, before: &str, at: &str) {
    let after = database.dump().await.unwrap();
    if after != before {
        let changed: Vec<&str> = after
            .lines()
            .filter(|line| !before.lines().any(|there| there == *line))
            .collect();
        panic!("{at}: the database is not as before: {changed:#?}");
    }
}

/// The application goes on with its own role in its own tables.
async fn expect_at_work(database: &FormerDatabase) {
    let mut app = database.session().await.unwrap();
    let titles = "SELECT string_agg(title, '; ' ORDER BY title) FROM titles";
    assert_eq!(app.text(titles).await.unwrap(), "It's \"quoted\"; Order");
    app.run("BEGIN; INSERT INTO \"Diagrams\" (id, title) VALUES (3, 'new'); ROLLBACK")
        .await
        .unwrap();
}

async fn an_old_tenant_is_adopted(registry: Driver) {
    let test = start(registry).await;
    let database = former(&test, "tenant_uml").await;
    let before = database.dump().await.unwrap();
    let new = with_people("uml", &database);
    assert!(test.service.check_adoption(&new).await.unwrap().is_none());
    expect_as_before(&database, &before, "looked at").await;
    let view = adopt(&test, new.clone()).await.unwrap();
    assert_eq!(view.tenant.status, TenantStatus::Active);
    assert_eq!(view.adopted.as_ref().unwrap().as_str(), database.name);
    expect_at_work(&database).await;
    expect_sound(&test, &view, "adopted").await;

    let report = test
        .service
        .adoption_report(id(&view))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            report.imported,
            report.passwords_kept,
            report.passwords_dropped,
            report.left_out
        ),
        (4, 1, 1, 3)
    );
    let told: Vec<(u64, bool)> = report
        .notes
        .iter()
        .map(|note| (note.row, note.left_out))
        .collect();
    assert_eq!(told, [(4, true), (5, true), (6, true), (7, false)]);

    // Grace brought her password along; Alan's is of a kind that can't be compared; Mallory was
    // kept out before; Ada is new and has a link.
    let (grace, _) = one(
        try_in(&test, Some("uml"), "grace@example.org", FORMER_PASSWORD)
            .await
            .unwrap(),
    );
    let Person::User { user, .. } = &grace else {
        panic!("she is no user");
    };
    assert_eq!(
        (
            user.role,
            user.username.as_deref(),
            user.full_name.as_deref()
        ),
        (Role::Admin, Some("grace"), Some("Grace Hopper"))
    );
    one(try_in(&test, None, "grace@example.org", FORMER_PASSWORD)
        .await
        .unwrap());
    for (email, password) in [
        ("alan@example.org", FORMER_PASSWORD),
        ("mallory@example.org", ""),
    ] {
        refused!(
            try_in(&test, Some("uml"), email, password).await,
            Refusal::InvalidCredentials
        );
    }
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    test.service
        .setup_password(&token, PASSWORD, None, None)
        .await
        .unwrap();
    one(try_in(&test, Some("uml"), ADA, PASSWORD).await.unwrap());

    // Asked for again, nothing happens.
    match test.service.adopt_tenant(new.clone(), WAIT).await.unwrap() {
        Adopted::Unchanged(same) => assert_eq!(id(&same), id(&view)),
        Adopted::New(_) => panic!("it was adopted twice"),
    }
    let other = NewAdoption {
        slug: "erd".parse().unwrap(),
        ..new
    };
    refused!(adopt(&test, other).await, Refusal::Conflict(_));

    // Purged, only what was made for the tenant goes.
    test.service.delete_tenant(id(&view), true).await.unwrap();
    expect_as_before(&database, &before, "purged").await;
    refused!(named(&test.service, "uml").await, Refusal::TenantNotFound);
    let left = test.cluster().unwrap().belongings().await.unwrap();
    assert_eq!(left, Vec::<String>::new());
    expect_at_work(&database).await;
    database.drop().await.unwrap();
}

tenantry_testkit::on_both!(an_old_tenant_is_adopted);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_among_the_people_keeps_the_password_and_gets_no_link() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    let grace = NewAdoption {
        owner: "Grace@example.org".parse().unwrap(),
        ..with_people("uml", &database)
    };
    let view = adopt(&test, grace).await.unwrap();
    let signed_in = try_in(&test, Some("uml"), "grace@example.org", FORMER_PASSWORD).await;
    let (Person::User { user, .. }, _) = one(signed_in.unwrap()) else {
        panic!("she is no user");
    };
    assert_eq!(user.role, Role::Owner);
    assert!(test.mails().await.unwrap().is_empty());
    expect_sound(&test, &view, "adopted").await;
    test.service.delete_tenant(id(&view), true).await.unwrap();

    // With a password that can't be compared there is a link, and one who was kept out gets in.
    test.clock.advance(std::time::Duration::from_millis(1));
    for owner in ["alan@example.org", "mallory@example.org"] {
        let new = NewAdoption {
            owner: owner.parse().unwrap(),
            ..with_people("uml", &database)
        };
        let view = adopt(&test, new).await.unwrap();
        let token = test.setup_token_from_mail(owner).await.unwrap();
        test.service
            .setup_password(&token, PASSWORD, None, None)
            .await
            .unwrap();
        one(try_in(&test, Some("uml"), owner, PASSWORD).await.unwrap());
        test.service.delete_tenant(id(&view), true).await.unwrap();
        test.clock.advance(std::time::Duration::from_millis(1));
    }
    database.drop().await.unwrap();
}

/// Deleted and restored, then made anew: the application's tables never notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_later_lives_leave_the_applications_tables_alone() {
    let test = start(Driver::Postgres).await;
    let database = former(&test, "tenant_uml").await;
    let before = database.dump().await.unwrap();
    let view = adopt(&test, with_people("uml", &database)).await.unwrap();
    let tenant = id(&view);
    test.service.delete_tenant(tenant, false).await.unwrap();
    let (restored, _) = test.service.restore_tenant(tenant).await.unwrap();
    assert_eq!(restored.tenant.generation.number(), 2);
    one(
        try_in(&test, Some("uml"), "grace@example.org", FORMER_PASSWORD)
            .await
            .unwrap(),
    );
    expect_sound(&test, &restored, "restored").await;
    expect_at_work(&database).await;

    let owner = TestService::new_tenant("uml", ADA, Some(OTHER))
        .unwrap()
        .owner;
    let (anew, _) = test.service.recreate_tenant(tenant, &owner).await.unwrap();
    assert_eq!(anew.tenant.generation.number(), 3);
    one(try_in(&test, Some("uml"), ADA, OTHER).await.unwrap());
    expect_sound(&test, &anew, "made anew").await;
    expect_at_work(&database).await;

    test.service.delete_tenant(tenant, true).await.unwrap();
    expect_as_before(&database, &before, "purged").await;
    database.drop().await.unwrap();
}

/// A name may hold anything; a database may set what it likes for whoever comes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_name_and_whatever_it_sets_for_others() {
    let test = start(Driver::Sqlite).await;
    let admin = test.cluster().unwrap().admin().to_owned();
    for (place, name) in [
        "Tenant UML ",
        "it's \"quoted\" ",
        "x\"; DROP DATABASE template1; --",
        "täñant/ü%20?&=#",
        "$user, public; ",
        "a_name_that_takes_each_of_the_sixty_three_bytes_that_there_are_",
    ]
    .into_iter()
    .enumerate()
    {
        let database = former(&test, name).await;
        if name.len() > 60 {
            assert_eq!(database.name.len(), 63);
        }
        let named = quoted(&database.name);
        // Not everybody may connect, and functions of its owner's lie in wait for the admin.
        superuser(&format!(
            "REVOKE ALL ON DATABASE {named} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {named} TO {admin} WITH GRANT OPTION"
        ))
        .await
        .unwrap();
        let trap = format!(
            "CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC;
             CREATE FUNCTION trap.concat(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
             CREATE FUNCTION trap.obj_description(oid, name) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
             CREATE FUNCTION trap.has_schema_privilege(oid, oid, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
             CREATE FUNCTION trap.written(public.kind) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
             CREATE CAST (public.kind AS text) WITH FUNCTION trap.written(public.kind);
             ALTER DATABASE {named} SET search_path = trap, pg_catalog, public"
        );
        let mut owner = database.session().await.unwrap();
        owner.run(&trap).await.unwrap();
        let before = database.dump().await.unwrap();
        let slug = format!("tenant-{place}");
        let view = adopt(&test, with_people(&slug, &database)).await.unwrap();
        expect_sound(&test, &view, name).await;
        let rotated = test
            .service
            .rotate_credentials(id(&view), Reveal::Now)
            .await;
        let Ok(Rotated::Shown(access)) = rotated else {
            panic!("{name}: no credentials");
        };
        assert_eq!(access.database, database.name);
        let mut app = Session::at(access.url.expose()).await.unwrap();
        let people = "SELECT COUNT(*) FROM users";
        assert_eq!(app.number(people).await.unwrap(), 5, "{name}");
        let theirs = app.run("SELECT * FROM public.users").await.unwrap_err();
        assert_eq!(theirs.code.as_deref(), Some("42501"), "{name}");
        drop(app);
        expect_sound(&test, &view, name).await;
        test.service.delete_tenant(id(&view), true).await.unwrap();
        expect_as_before(&database, &before, name).await;
        database.drop().await.unwrap();
    }
}

/// What the application built on the tenant's view, or made with the tenant's roles outside the
/// tenant's schemas, is not dropped along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_built_on_it_keeps_it_from_being_purged() {
    let test = start(Driver::Sqlite).await;
    let database = former(&test, "tenant_uml").await;
    let view = adopt(&test, with_people("uml", &database)).await.unwrap();
    let schema = view.schema.clone().unwrap();
    let application = schema.clone();
    in_database(
        &database.name,
        &format!(
            "CREATE VIEW public.everybody AS SELECT email FROM {schema}.users;
             CREATE TABLE public.made_by_us (id int);
             ALTER TABLE public.made_by_us OWNER TO {application};
             GRANT SELECT ON archive.old TO {application}"
        ),
    )
    .await
    .unwrap();
    let purged = test.service.delete_tenant(id(&view), true).await;
    let Err(refusal) = purged else {
        panic!("it was purged");
    };
    let told = tenantry_service::refusal::Chain(&refusal).to_string();
    for thing in ["everybody", "made_by_us", "rights of"] {
        assert!(told.contains(thing), "{told}");
    }
    assert!(database.dump().await.unwrap().contains("everybody"));
    in_database(
        &database.name,
        &format!(
            "DROP VIEW public.everybody; ALTER TABLE public.made_by_us OWNER TO {};
             REVOKE ALL ON archive.old FROM {application}",
            database.owner
        ),
    )
    .await
    .unwrap();
    test.service.delete_tenant(id(&view), true).await.unwrap();
    assert!(database.dump().await.unwrap().contains("made_by_us"));
    database.drop().await.unwrap();
}
