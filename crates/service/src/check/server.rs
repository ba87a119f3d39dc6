//! A tenant on a PostgreSQL server, seen from outside: its database and its roles.

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Isolation;
use tenantry_store::StoreError;
use tenantry_store::cluster::{HomeState, Login, Placement, RoleKind, RoleState};
use tenantry_store::control::{Credential, Run};

use super::asking::told;
use super::database::Registered;
use super::{Findings, Surroundings};
use crate::refusal::Chain;
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

/// The role that a secret is for.
pub(crate) const fn login(slot: Slot) -> Login {
    match slot {
        Slot::Service => Login::Service,
        Slot::A => Login::A,
        Slot::B => Login::B,
    }
}

/// Whether an application may use this secret now.
pub(crate) fn is_handed_out(credential: &Credential) -> bool {
    let counts = match credential.state {
        CredentialState::Active | CredentialState::Retiring => true,
        // Whether its role has it yet is for the workflow to know that wrote it down.
        CredentialState::Pending | CredentialState::Retired => false,
    };
    counts && credential.slot != Slot::Service
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
    let named = |kinds: &[RoleKind]| {
        let names = kinds
            .iter()
            .map(|kind| outside.placement.role(*kind).to_string());
        names.collect::<Vec<_>>().join(", ")
    };
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
            RoleKind::Login(slot) => credentials
                .iter()
                .any(|credential| login(credential.slot) == slot && is_handed_out(credential)),
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
