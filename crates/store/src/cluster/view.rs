//! The people that an application sees: no hash, no key of an address, no version, no secret.
//!
//! The view runs with its owner's rights; applications have none on what lies below.

use super::ddl::{Batch, Part};
use super::name::{Placement, RoleKind, SchemaName};
use tenantry_core::tenant::Isolation;

const PEOPLE: &str = "SELECT id, email, username, full_name, role,
           disabled_at IS NOT NULL AS disabled,
           must_change_password = 1 AS must_change_password,
           TIMESTAMPTZ 'epoch' + created_at * INTERVAL '1 microsecond' AS created_at,
           TIMESTAMPTZ 'epoch' + last_login_at * INTERVAL '1 microsecond' AS last_login_at
    FROM ";

impl Batch {
    /// Makes the view that applications read people from, or makes it anew.
    pub(super) fn app_users(&mut self, placement: Placement, owner: &dyn Part) -> &mut Self {
        let view = Names::of(placement);
        match placement.isolation {
            Isolation::Database | Isolation::Schema => self.make_view(&view, &[]),
            // All tenants' rows lie below, and its owner may read all of them. The generation is
            // that of the stamp: what an earlier life's credentials read is empty from the moment
            // on that the tenant is stamped anew.
            Isolation::Shared => self.make_view(
                &view,
                &[
                    &" WHERE tenant_id = ",
                    &placement.tenant,
                    &" AND EXISTS (SELECT FROM tenantry.tenantry_stamp WHERE tenant_id = ",
                    &placement.tenant,
                    &" AND generation = ",
                    &placement.generation.number(),
                    &")",
                ],
            ),
        }
        .add(&[
            &"ALTER VIEW ",
            &view.application,
            &".users OWNER TO ",
            owner,
        ])
    }

    /// Makes the view in the template.
    pub(super) fn template_users(&mut self, owner: &dyn Part) -> &mut Self {
        self.make_view(&Names::template(), &[])
            .add(&[&"ALTER VIEW app.users OWNER TO ", owner])
    }

    fn make_view(&mut self, names: &Names, rows: &[&dyn Part]) -> &mut Self {
        let mut parts: Vec<&dyn Part> = vec![
            &"CREATE OR REPLACE VIEW ",
            &names.application,
            &".users WITH (security_barrier = true) AS ",
            &PEOPLE,
            &names.identity,
            &".tenantry_users",
        ];
        parts.extend(rows);
        self.add(&parts)
    }

    /// Lets the applications create in their schema and read the view.
    pub(super) fn admit_to_schema(&mut self, placement: Placement) -> &mut Self {
        let schema = placement.application_schema();
        let application = placement.role(RoleKind::Application);
        self.add(&[
            &"GRANT USAGE, CREATE ON SCHEMA ",
            &schema,
            &" TO ",
            &application,
        ])
        .add(&[&"GRANT SELECT ON ", &schema, &".users TO ", &application])
    }
}

/// Where the view lies, and what it is made of.
struct Names {
    application: SchemaName,
    identity: SchemaName,
}

impl Names {
    fn of(placement: Placement) -> Self {
        Self {
            application: placement.application_schema(),
            identity: placement.identity_schema(),
        }
    }

    fn template() -> Self {
        Self {
            application: SchemaName::app(),
            identity: SchemaName::tenantry(),
        }
    }
}
