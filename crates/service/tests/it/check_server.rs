//! Each kind of damage to a tenant on a PostgreSQL server, done for real, is found under its own
//! name; repair mends what takes no guess, once, and leaves the rest as it is.

use tenantry_core::finding::{Finding, FindingCode};
use tenantry_core::tenant::Isolation;
use tenantry_saga::Faults;
use tenantry_service::tenants::TenantView;
use tenantry_store::cluster::{DatabaseName, Login, RoleKind};
use tenantry_testkit::cluster::{Application, number, texts};
use tenantry_testkit::service::{Options, PASSWORD, Tenants, TestService};

use crate::check::{codes, found};
use crate::damages::{Damage, LEFT, MENDED, Place, inject, placement};
use crate::people::{ADA, OTHER, id, try_in};
use crate::rotation::rotate;

pub(crate) async fn start() -> TestService {
    let options = Options::postgres()
        .with_tenants(Tenants::Cluster(Isolation::Database))
        .without_rate_limits();
    TestService::start(options).await.unwrap()
}

/// A tenant whose application was given credentials; what it connects by.
pub(crate) async fn with_application(test: &TestService, slug: &str) -> (TenantView, String) {
    let view = test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
    let access = rotate(&test.service, id(&view)).await.unwrap();
    (view, access.url.expose().clone())
}

async fn can_connect(url: &str) -> bool {
    Application::enter(url).await.is_ok()
}

async fn repaired(test: &TestService, slug: &str) -> Vec<Finding> {
    let view = test.service.find_tenant(slug).await.unwrap();
    let report = test.service.repair_tenant(view.tenant).await.unwrap();
    report.findings
}

/// Everything about a tenant that a repair could change: its registry, and what the server's
/// catalogue says about its roles and its database, passwords included.
async fn state(test: &TestService, view: &TenantView) -> (Vec<String>, Vec<String>) {
    let stem = DatabaseName::own(placement(view));
    let stem = stem.as_str();
    let sql = format!(
        "SELECT concat_ws(' ', rolname, rolcanlogin, rolpassword, rolconnlimit, rolsuper,
                shobj_description(oid, 'pg_authid')) FROM pg_authid WHERE starts_with(rolname, '{stem}')
         UNION ALL
         SELECT concat_ws(' ', datname, datdba, datallowconn, datconnlimit, datacl,
                shobj_description(oid, 'pg_database')) FROM pg_database WHERE starts_with(datname, '{stem}')
         ORDER BY 1"
    );
    let catalogue = texts(&sql).await.unwrap();
    (test.control().dump().await.unwrap(), catalogue)
}

/// What was damaged so that it is no longer known as this test's.
pub(crate) const AWAY: Damage = Damage {
    place: Place::Server,
    code: FindingCode::DatabaseMissing,
    forgets: false,
    sql: &[
        "DROP DATABASE IF EXISTS $D WITH (FORCE)",
        "DROP ROLE IF EXISTS $A, $B, $S, $P, $O",
    ],
};

/// One after the other, as a tenant that was mended is as good as before.
async fn mended(place: Place) {
    let test = start().await;
    let (_, other) = with_application(&test, "globex").await;
    let (view, mut url) = with_application(&test, "acme").await;
    // Another process than the one that made them.
    let beside = test.beside(Faults::none()).await.unwrap();
    for damage in MENDED.iter().filter(|damage| damage.place == place) {
        let at = format!("{:?}", damage.sql);
        assert_eq!(found(&beside, "acme").await, [], "before {at}");
        inject(&test, &view, damage).await;
        let findings = found(&beside, "acme").await;
        assert_eq!(codes(&findings), [damage.code], "{at}: {findings:?}");
        assert!(findings[0].repairable, "{at}");
        let again = found(&beside, "acme").await;
        assert_eq!(again, findings, "a check changes nothing: {at}");
        assert_eq!(found(&beside, "globex").await, [], "{at}");

        assert_eq!(repaired(&beside, "acme").await, [], "{at}");
        let signed_in = try_in(&beside, Some("acme"), ADA, PASSWORD).await;
        assert!(signed_in.is_ok(), "{at}");
        if damage.forgets {
            // Nobody can know the application's credentials any more; it gets new ones.
            let access = rotate(&test.service, id(&view)).await.unwrap();
            access.url.expose().clone_into(&mut url);
        }
        assert!(can_connect(&url).await, "{at}");
        assert!(can_connect(&other).await, "{at}");
        let mended = state(&test, &view).await;
        assert_eq!(repaired(&beside, "acme").await, [], "{at}");
        assert!(
            state(&test, &view).await == mended,
            "a second repair changes nothing: {at}"
        );
    }
    let fleet = test.service.check_all(|_, _| {}).await.unwrap();
    assert!(fleet.is_sound(), "{fleet:?}");
    assert_eq!(fleet.checked, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damages_of_the_registry_are_mended_once() {
    mended(Place::Registry).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damages_on_the_server_are_mended_once() {
    mended(Place::Server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damages_inside_the_database_are_mended_once() {
    mended(Place::Inside).await;
}

/// An owner who is gone is for an operator; the entry that still leads there is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_is_gone_is_not_made_up() {
    let test = start().await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let gone = Damage {
        place: Place::Inside,
        code: FindingCode::OwnerMissing,
        forgets: false,
        sql: &["DELETE FROM tenantry.tenantry_users"],
    };
    inject(&test, &view, &gone).await;
    let both = [FindingCode::OwnerMissing, FindingCode::DirectoryExtra];
    assert_eq!(codes(&found(&test, "acme").await), both);
    assert_eq!(codes(&repaired(&test, "acme").await), both[..1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_a_guess_is_left() {
    let test = start().await;
    for (number, damage) in LEFT.iter().enumerate() {
        let at = format!("{:?}", damage.sql);
        let slug = format!("acme-{number}");
        let (view, _) = with_application(&test, &slug).await;
        inject(&test, &view, damage).await;
        let findings = found(&test, &slug).await;
        assert_eq!(codes(&findings), [damage.code], "{at}: {findings:?}");
        let before = state(&test, &view).await;
        let left = repaired(&test, &slug).await;
        assert_eq!(codes(&left), [damage.code], "{at}: {left:?}");
        assert!(state(&test, &view).await == before, "{at}");
        inject(&test, &view, &AWAY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stamps_swapped_between_two_are_found_in_both() {
    let test = start().await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let globex = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    for (here, there) in [(&acme, &globex), (&globex, &acme)] {
        let name = DatabaseName::own(placement(here));
        let sql = format!(
            "UPDATE tenantry.tenantry_stamp SET tenant_id = '{}'",
            id(there)
        );
        tenantry_testkit::cluster::in_database(name.as_str(), &sql)
            .await
            .unwrap();
    }
    for slug in ["acme", "globex"] {
        assert_eq!(
            codes(&found(&test, slug).await),
            [FindingCode::StampForeign]
        );
        assert_eq!(
            codes(&repaired(&test, slug).await),
            [FindingCode::StampForeign]
        );
        assert!(try_in(&test, Some(slug), ADA, PASSWORD).await.is_err());
    }
}

/// A record is not written from the marker alone: what lies inside has to say the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_is_made_of_a_database_with_another_stamp() {
    let test = start().await;
    let (view, _) = with_application(&test, "acme").await;
    let foreign = LEFT
        .iter()
        .find(|damage| damage.code == FindingCode::StampForeign);
    inject(&test, &view, foreign.unwrap()).await;
    for record in &MENDED[..2] {
        inject(&test, &view, record).await;
        let before = test.control().dump().await.unwrap();
        let left = repaired(&test, "acme").await;
        assert_eq!(codes(&left), [FindingCode::RecordMissing], "{left:?}");
        assert_eq!(test.control().dump().await.unwrap(), before);
        if record.sql.len() == 1 {
            let registry = Damage { place: Place::Registry, code: FindingCode::RecordMissing, forgets: false, sql: &[
                "INSERT INTO tenant_databases (tenant_id, generation, driver, cluster, name, state, schema_version, created_at, verified_at)
                 SELECT id, 1, 'postgres', 'default', 'x', 'verified', 1, 0, 0 FROM tenants WHERE id = $T",
            ] };
            inject(&test, &view, &registry).await;
        }
    }
}

/// The owner owns everything, so it can be dropped only after all of it was given away; that is for
/// a superuser to take back, and until then nothing more is broken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_owner_is_made_again_and_the_rest_is_told() {
    let test = start().await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let dropped = Damage {
        place: Place::Inside,
        code: FindingCode::RoleMissing,
        forgets: false,
        sql: &[
            "REASSIGN OWNED BY $O TO postgres",
            "DROP OWNED BY $O",
            "DROP ROLE $O",
        ],
    };
    inject(&test, &view, &dropped).await;
    let findings = found(&test, "acme").await;
    assert!(
        codes(&findings).contains(&FindingCode::RoleMissing),
        "{findings:?}"
    );
    let left = repaired(&test, "acme").await;
    assert_eq!(codes(&left), [FindingCode::DatabaseChanged], "{left:?}");
    assert!(left[0].detail.contains("REASSIGN OWNED BY"), "{left:?}");
    let given_back = Damage {
        place: Place::Inside,
        code: FindingCode::DatabaseChanged,
        forgets: false,
        sql: &[
            "ALTER DATABASE $D OWNER TO $O",
            "ALTER SCHEMA tenantry OWNER TO $O",
            "ALTER SCHEMA app OWNER TO $O",
            "ALTER TABLE tenantry.tenantry_stamp OWNER TO $O",
            "ALTER TABLE tenantry.tenantry_users OWNER TO $O",
            "ALTER TABLE tenantry.tenantry_one_time_secrets OWNER TO $O",
            "ALTER TABLE tenantry.tenantry_migrations OWNER TO $O",
            "ALTER VIEW app.users OWNER TO $O",
        ],
    };
    inject(&test, &view, &given_back).await;
    assert_eq!(repaired(&test, "acme").await, []);
    assert!(try_in(&test, Some("acme"), ADA, PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_leaves_no_connection_behind() {
    let test = start().await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.service.close().await;
    let test = test.beside(Faults::none()).await.unwrap();
    assert_eq!(found(&test, "acme").await, []);
    let role = placement(&view).role(RoleKind::Login(Login::Service));
    let connected = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = '{}' AND application_name = 'tenantry'",
        role.as_str()
    );
    assert_eq!(number(&connected).await.unwrap(), 0);
}
