//! Damages of a tenant on a server: what is done behind our back, what it is called, and whether
//! `repair` mends it.

use tenantry_core::finding::FindingCode::{self, *};
use tenantry_service::tenants::TenantView;
use tenantry_store::cluster::{DatabaseName, Login, Placement, RoleKind};
use tenantry_testkit::cluster;
use tenantry_testkit::service::TestService;

/// Where a damage is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the registry; `$T` is the tenant's id.
    Registry,
    /// On the server, by its superuser; `$D` is the database, `$O`, `$P`, `$A`, `$B`, `$S` are the
    /// roles of the owner, the application, its slots, and the server.
    Server,
    /// The same, inside the tenant's database.
    Inside,
}

/// Something done behind our back.
pub(crate) struct Damage {
    pub(crate) place: Place,
    pub(crate) sql: &'static [&'static str],
    /// What is then found: the cause and not what follows from it.
    pub(crate) code: FindingCode,
    /// The application's credentials are gone with it.
    pub(crate) forgets: bool,
}

const fn damage(place: Place, code: FindingCode, sql: &'static [&'static str]) -> Damage {
    Damage {
        place,
        sql,
        code,
        forgets: false,
    }
}

/// What repair mends.
pub(crate) const MENDED: &[Damage] = &[
    damage(
        Place::Registry,
        RecordMissing,
        &["DELETE FROM tenant_databases WHERE tenant_id = $T"],
    ),
    Damage {
        place: Place::Registry,
        code: RecordMissing,
        forgets: true,
        sql: &[
            "DELETE FROM tenant_databases WHERE tenant_id = $T",
            "DELETE FROM tenant_database_users WHERE tenant_id = $T",
        ],
    },
    damage(
        Place::Registry,
        RecordMissing,
        &["UPDATE tenant_databases SET state = 'pending' WHERE tenant_id = $T"],
    ),
    damage(
        Place::Registry,
        CredentialMissing,
        &["DELETE FROM tenant_database_users WHERE tenant_id = $T AND slot = 'service'"],
    ),
    damage(
        Place::Registry,
        CredentialMissing,
        &[
            "UPDATE tenant_database_users SET sealed_secret = $X WHERE tenant_id = $T AND slot = 'service'",
        ],
    ),
    damage(
        Place::Server,
        CredentialRefused,
        &["ALTER ROLE $S PASSWORD 'another'"],
    ),
    damage(
        Place::Server,
        CredentialRefused,
        &["ALTER ROLE $S PASSWORD NULL"],
    ),
    damage(
        Place::Server,
        ApplicationRefused,
        &["ALTER ROLE $A PASSWORD 'another'"],
    ),
    damage(Place::Server, RoleDisabled, &["ALTER ROLE $S NOLOGIN"]),
    damage(Place::Server, RoleDisabled, &["ALTER ROLE $A NOLOGIN"]),
    // What closing it while the tenant was suspended leaves.
    damage(
        Place::Server,
        LoginClosed,
        &["ALTER ROLE $A NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'"],
    ),
    damage(
        Place::Inside,
        RoleMissing,
        &["DROP OWNED BY $S", "DROP ROLE $S"],
    ),
    damage(
        Place::Inside,
        RoleMissing,
        &["DROP OWNED BY $A", "DROP ROLE $A"],
    ),
    damage(
        Place::Inside,
        RoleMissing,
        &["DROP OWNED BY $B", "DROP ROLE $B"],
    ),
    damage(
        Place::Inside,
        RoleMissing,
        &["DROP OWNED BY $P", "DROP ROLE $P"],
    ),
    damage(
        Place::Inside,
        RoleMissing,
        &["DROP OWNED BY $A, $B, $S, $P", "DROP ROLE $A, $B, $S, $P"],
    ),
    damage(Place::Server, RoleChanged, &["ALTER ROLE $S RESET role"]),
    damage(
        Place::Server,
        RoleChanged,
        &["ALTER ROLE $A CONNECTION LIMIT 1"],
    ),
    damage(Place::Server, RoleChanged, &["REVOKE $P FROM $B"]),
    damage(Place::Server, RoleChanged, &["ALTER ROLE $O LOGIN"]),
    damage(
        Place::Server,
        DatabasePublic,
        &["GRANT CONNECT ON DATABASE $D TO PUBLIC"],
    ),
    damage(
        Place::Server,
        DatabaseClosed,
        &["ALTER DATABASE $D ALLOW_CONNECTIONS false"],
    ),
    damage(
        Place::Server,
        GrantMissing,
        &["REVOKE CONNECT ON DATABASE $D FROM $A"],
    ),
    damage(
        Place::Inside,
        GrantMissing,
        &["REVOKE ALL ON app.users FROM $P"],
    ),
    damage(
        Place::Inside,
        ApplicationSchemaMissing,
        &["DROP SCHEMA app CASCADE"],
    ),
    damage(
        Place::Inside,
        ApplicationSchemaMissing,
        &["DROP VIEW app.users"],
    ),
    damage(
        Place::Inside,
        SchemaOld,
        &["UPDATE tenantry.tenantry_stamp SET schema_version = 0"],
    ),
    damage(
        Place::Registry,
        DirectoryMissing,
        &["DELETE FROM directory WHERE tenant_id = $T"],
    ),
    damage(
        Place::Registry,
        DirectoryMissing,
        &["UPDATE directory SET state = 'reserved' WHERE tenant_id = $T"],
    ),
    damage(
        Place::Registry,
        DirectoryExtra,
        &["UPDATE directory SET generation = 9 WHERE tenant_id = $T"],
    ),
];

/// What would take a guess, or the superuser.
pub(crate) const LEFT: &[Damage] = &[
    damage(
        Place::Server,
        DatabaseMissing,
        &["DROP DATABASE $D WITH (FORCE)"],
    ),
    // What an interrupted DROP DATABASE leaves.
    damage(
        Place::Server,
        DatabaseBroken,
        &["UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$N'"],
    ),
    damage(
        Place::Inside,
        SchemaMissing,
        &["DROP SCHEMA tenantry CASCADE"],
    ),
    damage(
        Place::Inside,
        SchemaMissing,
        &["DROP TABLE tenantry.tenantry_users CASCADE"],
    ),
    damage(
        Place::Inside,
        StampMissing,
        &["DELETE FROM tenantry.tenantry_stamp"],
    ),
    damage(
        Place::Inside,
        StampForeign,
        &["UPDATE tenantry.tenantry_stamp SET tenant_id = gen_random_uuid()"],
    ),
    damage(
        Place::Inside,
        StampForeign,
        &["UPDATE tenantry.tenantry_stamp SET generation = generation + 1"],
    ),
    damage(
        Place::Inside,
        SchemaNew,
        &["UPDATE tenantry.tenantry_stamp SET schema_version = 99"],
    ),
    damage(
        Place::Inside,
        OwnerMissing,
        &["UPDATE tenantry.tenantry_users SET disabled_at = 1"],
    ),
    damage(
        Place::Inside,
        OwnerMissing,
        &["UPDATE tenantry.tenantry_users SET role = 'admin'"],
    ),
    damage(
        Place::Server,
        MarkerForeign,
        &["COMMENT ON DATABASE $D IS 'somebody else'"],
    ),
    damage(
        Place::Server,
        MarkerForeign,
        &["COMMENT ON ROLE $A IS NULL"],
    ),
    damage(
        Place::Server,
        DatabaseChanged,
        &["ALTER DATABASE $D OWNER TO postgres"],
    ),
    damage(
        Place::Server,
        RoleChanged,
        &["ALTER ROLE $S CREATEDB SUPERUSER"],
    ),
    damage(
        Place::Registry,
        ClusterMissing,
        &["UPDATE tenant_databases SET cluster = 'nowhere' WHERE tenant_id = $T"],
    ),
    // The last, as it is every tenant's.
    damage(Place::Registry, ClusterMissing, &["DELETE FROM clusters"]),
];

/// What is made of a tenant on its server.
pub(crate) fn placement(view: &TenantView) -> Placement {
    let tenant = &view.tenant;
    Placement::new(tenant.id, tenant.generation, tenant.isolation)
}

/// Does it.
pub(crate) async fn inject(test: &TestService, view: &TenantView, damage: &Damage) {
    let placement = placement(view);
    let role = |kind| placement.role(kind).to_string();
    for sql in damage.sql {
        let sql = sql
            .replace("$D", &DatabaseName::own(placement).to_string())
            .replace("$N", DatabaseName::own(placement).as_str())
            .replace("$O", &role(RoleKind::Owner))
            .replace("$P", &role(RoleKind::Application))
            .replace("$A", &role(RoleKind::Login(Login::A)))
            .replace("$B", &role(RoleKind::Login(Login::B)))
            .replace("$S", &role(RoleKind::Login(Login::Service)));
        match damage.place {
            Place::Registry => {
                let sql = sql
                    .replace("$T", &test.control().literal(view.tenant.id.uuid()))
                    .replace("$X", "'\\x00'::bytea");
                assert!(test.control().damage(&sql).await.unwrap() > 0, "{sql}");
            }
            Place::Server => cluster::superuser(&sql).await.unwrap(),
            Place::Inside => {
                let name = DatabaseName::own(placement);
                cluster::in_database(name.as_str(), &sql).await.unwrap();
            }
        }
    }
}
