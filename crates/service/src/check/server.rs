//! A tenant on a PostgreSQL server, seen from outside: its database and its roles.

use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Isolation;
use tenantry_store::StoreError;
use tenantry_store::cluster::{HomeState, Login, Placement, RoleKind, RoleState};
use tenantry_store::control::{Credential, Run};

use super::asking::told;
use super::database::Registered;
use super::{Findings, Surroundings};
use crate::credentials::{is_handed_out, lets_applications_in};
use crate::refusal::Chain;
use crate::workflows::is_moving;
use crate::{Refusal, Service};

/// What the catalogue says about a tenant.
pub(super) struct Outside {
    pub(super) placement: Placement,
    /// The database's name, quoted; several tenants may share it.
    pub(super) name: String,
    pub(super) home: HomeState,
    pub(super) roles: Vec<RoleState>,
}

impl Outside {
    pub(super) fn role(&self, kind: RoleKind) -> Option<&RoleState> {
        self.roles.iter().find(|role| role.kind == kind)
    }

    /// These roles, for people.
    fn named(&self, kinds: &[RoleKind]) -> String {
        let names = kinds
            .iter()
            .map(|kind| self.placement.role(*kind).to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The roles whose lack keeps even the server out.
    fn is_shut(&self) -> bool {
        let service = RoleKind::Login(Login::Service);
        // Tenants in shared tables have none of their own.
        let own = self.placement.role_kinds().contains(&service);
        !self.home.accepts
            || self.role(RoleKind::Owner).is_none()
            || own && self.role(service).is_none_or(|role| !role.enabled)
    }
}

impl Service {
    pub(super) async fn check_server(
        &self,
        findings: &mut Findings<'_>,
        registered: &Registered,
        run: Option<&Run>,
        around: &Surroundings,
    ) -> Result<(), Refusal> {
        let tenant = findings.tenant;
        let name = &registered.record.cluster;
        let place = self.place_on(name, tenant).await?;
        let placement = place.placement;
        let asked = self
            .ask_about(&place, around, |cluster| async move {
                let home = cluster.home(placement).await?;
                let roles = cluster.roles(placement).await?;
                Ok((home, roles, cluster.database_shown(placement)))
            })
            .await?;
        let outside = match asked {
            Ok((Some(home), roles, name)) => Outside {
                placement,
                name,
                home,
                roles,
            },
            Ok((None, _, database)) => {
                let what = match tenant.isolation {
                    Isolation::Database => format!("there is no database {database} on {name}"),
                    Isolation::Schema | Isolation::Shared => format!(
                        "the tenant's schema {} is missing in {database} on {name}",
                        placement.application_schema()
                    ),
                };
                findings.error(
                    FindingCode::DatabaseMissing,
                    format!(
                        "{what}; restore it from a backup, or `tenantry tenant recreate {}`",
                        tenant.slug
                    ),
                );
                return Ok(());
            }
            Err(silence) => {
                told(findings, name, &silence);
                return Ok(());
            }
        };
        if outside.home.broken {
            findings.error(FindingCode::DatabaseBroken, format!(
                "dropping {} on {name} was interrupted and what was in it is lost; restore it from a backup, or `tenantry tenant recreate {}`",
                outside.name, tenant.slug
            ));
            return Ok(());
        }
        check_outside(findings, &outside);
        check_roles(findings, &outside, &registered.credentials);
        check_logins(findings, &outside, &registered.credentials, run);
        if outside.is_shut() {
            return Ok(());
        }
        self.check_inside(findings, registered, &outside, run).await
    }
}

fn check_outside(findings: &mut Findings<'_>, outside: &Outside) {
    let (name, state) = (&outside.name, &outside.home);
    if !state.accepts {
        findings.repairable(
            FindingCode::DatabaseClosed,
            format!("{name} takes no connections"),
        );
    }
    if state.public {
        findings.repairable(
            FindingCode::DatabasePublic,
            format!(
                "PUBLIC has rights on {name}, so that roles of other tenants may connect to it"
            ),
        );
    }
    if !state.owned {
        let owner = outside.placement.role(RoleKind::Owner);
        let whose = if state.admins {
            "the admin's role owns it".to_owned()
        } else {
            format!(
                "another role owns it; as a superuser in it, REASSIGN OWNED BY that role TO {owner}"
            )
        };
        findings.add(
            FindingCode::DatabaseChanged,
            tenantry_core::finding::Severity::Error,
            format!("{name} does not belong to {owner}: {whose}"),
            state.admins,
        );
    }
}

fn check_roles(findings: &mut Findings<'_>, outside: &Outside, credentials: &[Credential]) {
    let named = |kinds: &[RoleKind]| outside.named(kinds);
    let open = lets_applications_in(findings.tenant.status).unwrap_or_default();
    let kinds = outside.placement.role_kinds().iter().copied();
    let missing: Vec<RoleKind> = kinds.filter(|kind| outside.role(*kind).is_none()).collect();
    if !missing.is_empty() {
        findings.repairable(
            FindingCode::RoleMissing,
            format!("{} is missing on the server", named(&missing)),
        );
    }
    let mut disabled = Vec::new();
    let mut changed = Vec::new();
    for role in &outside.roles {
        // A member of a group that is missing lost nothing else.
        let whole = match role.kind {
            RoleKind::Login(login) => outside.role(login.acts_as()).is_some(),
            RoleKind::Owner | RoleKind::Application => true,
        };
        if whole && !role.sound {
            changed.push(role.kind);
        }
        let needed = match role.kind {
            RoleKind::Login(Login::Service) => true,
            // One that is still closed as it was is told as such.
            RoleKind::Login(slot) => open && !role.closed && has_secret(credentials, slot),
            RoleKind::Owner | RoleKind::Application => false,
        };
        if needed && !role.enabled {
            disabled.push(role.kind);
        }
    }
    if !disabled.is_empty() {
        findings.repairable(
            FindingCode::RoleDisabled,
            format!("{} may not sign in", named(&disabled)),
        );
    }
    if !changed.is_empty() {
        findings.repairable(FindingCode::RoleChanged, format!(
            "{} has other attributes, memberships or settings than it was made with; where repair can't put that right, a superuser has to take away what a superuser gave (ALTER ROLE … NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS)",
            named(&changed)
        ));
    }
}

/// Whether an application was given something to sign in with by this login.
fn has_secret(credentials: &[Credential], login: Login) -> bool {
    credentials
        .iter()
        .any(|credential| Login::of(credential.slot) == login && is_handed_out(credential))
}

/// Whether the logins of applications follow the tenant's status.
fn check_logins(
    findings: &mut Findings<'_>,
    outside: &Outside,
    credentials: &[Credential],
    run: Option<&Run>,
) {
    let status = findings.tenant.status;
    let Some(open) = lets_applications_in(status) else {
        return;
    };
    // What a rotation is just changing is its own affair.
    if run.is_some_and(|run| is_moving(run.state)) {
        return;
    }
    let astray: Vec<RoleKind> = Login::SLOTS
        .into_iter()
        .filter(|login| {
            outside.role(RoleKind::Login(*login)).is_some_and(|role| {
                if open {
                    role.closed && has_secret(credentials, *login)
                } else {
                    role.enabled
                }
            })
        })
        .map(RoleKind::Login)
        .collect();
    if astray.is_empty() {
        return;
    }
    let names = outside.named(&astray);
    if open {
        findings.repairable(
            FindingCode::LoginClosed,
            format!("{names} may not sign in, as while the tenant was not {status}"),
        );
    } else {
        findings.repairable(
            FindingCode::LoginOpen,
            format!("{names} may sign in though the tenant is {status}"),
        );
    }
}

/// What an error on the way into a database means, where it says anything about the tenant.
pub(super) fn refused(findings: &mut Findings<'_>, outside: &Outside, error: &StoreError) {
    let name = &outside.name;
    match error {
        StoreError::SignIn(cause) => match cause.sqlstate().as_deref() {
            Some("28P01" | "28000") => findings.repairable(
                FindingCode::CredentialRefused,
                format!("the server refuses the password that is stored for its own role in {name}"),
            ),
            Some("55000") => findings.repairable(
                FindingCode::DatabaseClosed,
                format!("{name} takes no connections"),
            ),
            // What is another's lets the tenant in no more; that is told.
            _ if findings.has(FindingCode::DatabaseChanged) => {}
            _ => findings.error(
                FindingCode::GrantMissing,
                format!(
                    "the tenant's own role may not enter {name}; as a superuser, GRANT CONNECT ON DATABASE {name} TO {}",
                    outside.placement.role(RoleKind::Owner)
                ),
            ),
        },
        StoreError::CredentialMissing => findings.repairable(
            FindingCode::CredentialMissing,
            format!("no password is stored for the server's own role in {name}"),
        ),
        StoreError::Sealed => findings.repairable(
            FindingCode::CredentialMissing,
            format!("the password stored for the server's own role in {name} does not open"),
        ),
        StoreError::DatabaseMissing => findings.error(
            FindingCode::DatabaseMissing,
            format!("{name} is gone; restore it from a backup"),
        ),
        StoreError::Stamp { .. } => findings.error(
            FindingCode::SchemaMissing,
            format!("{name} has no tables of ours; restore it from a backup"),
        ),
        error if error.is_transient() => findings.error(
            FindingCode::ClusterUnreachable,
            format!("{name} can't be entered now ({}); try again", Chain(error)),
        ),
        error => findings.error(
            FindingCode::DatabaseUnreadable,
            format!(
                "{name} can't be read ({}); look at the server's log, and restore it from a backup if in doubt",
                Chain(error)
            ),
        ),
    }
}
