//! A tenant on a PostgreSQL server, seen from inside, with the credentials that are stored.

use tenantry_core::finding::FindingCode;
use tenantry_store::StoreError;
use tenantry_store::cluster::{Login, RoleKind, SignIn};
use tenantry_store::control::{Credential, Run};
use tenantry_store::homes::{ServerHome, Visit};

use super::Findings;
use super::database::{Registered, check_stamp};
use super::server::{Outside, refused};
use crate::credentials::{is_handed_out, lets_applications_in};
use crate::refusal::Chain;
use crate::workflows::is_moving;
use crate::{Refusal, Service};

impl Service {
    pub(super) async fn check_inside(
        &self,
        findings: &mut Findings<'_>,
        registered: &Registered,
        outside: &Outside,
        run: Option<&Run>,
    ) -> Result<(), Refusal> {
        let tenant = findings.tenant;
        let home = self
            .pools()
            .home(tenant.id, tenant.generation, tenant.isolation)
            .await?;
        let Some(server) = home.server() else {
            return Ok(());
        };
        // What a rotation is just changing is its own affair.
        let open = lets_applications_in(tenant.status).unwrap_or_default();
        if open && run.is_none_or(|run| !is_moving(run.state)) {
            for credential in &registered.credentials {
                if is_handed_out(credential) {
                    self.check_slot(findings, outside, server, credential)
                        .await?;
                }
            }
        }
        match server.visit().await {
            Ok(mut visit) => {
                self.check_visited(findings, registered, outside, (server, &mut visit))
                    .await;
                visit.leave().await;
            }
            Err(error) => refused(findings, outside, &error),
        }
        Ok(())
    }

    /// Signs in with what an application was given.
    async fn check_slot(
        &self,
        findings: &mut Findings<'_>,
        outside: &Outside,
        server: &ServerHome<'_>,
        credential: &Credential,
    ) -> Result<(), Refusal> {
        let slot = Login::of(credential.slot);
        let kind = RoleKind::Login(slot);
        // Told already, and no password helps.
        if outside.role(kind).is_none_or(|role| !role.enabled) {
            return Ok(());
        }
        let name = outside.placement.role(kind);
        let Some(clusters) = self.pools().clusters() else {
            return Ok(());
        };
        let password = match clusters.password(credential).await {
            Ok(password) => password,
            Err(StoreError::Sealed | StoreError::CredentialMissing) => {
                findings.error(FindingCode::ApplicationRefused, format!(
                    "the password stored for {name} does not open; `tenantry tenant rotate-credentials {}` makes a new one",
                    findings.tenant.slug
                ));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let entered = server
            .cluster()
            .sign_in(outside.placement, slot, &password)
            .await;
        match entered {
            Ok(entered @ SignIn::In { .. }) => {
                // Told already where its group is missing or it is a member no more.
                let known = findings.has(FindingCode::RoleMissing)
                    || findings.has(FindingCode::RoleChanged);
                let expected = server.cluster().expected(outside.placement, slot);
                if !known && entered != expected {
                    findings.repairable(
                        FindingCode::RoleChanged,
                        format!("{name} signs in as another than it was made for"),
                    );
                }
            }
            Ok(SignIn::Refused) => findings.repairable(
                FindingCode::ApplicationRefused,
                format!(
                    "the server refuses the password that the application was given for {name}"
                ),
            ),
            Ok(SignIn::ShutOut) => lacking(findings, format!("{name} may not connect")),
            // Told by the visit that follows.
            Ok(SignIn::NoDatabase) => {}
            Err(error) => findings.error(
                FindingCode::ClusterUnreachable,
                format!(
                    "whether {name} can sign in is not known ({}); try again",
                    Chain(&error)
                ),
            ),
        }
        Ok(())
    }

    async fn check_visited(
        &self,
        findings: &mut Findings<'_>,
        registered: &Registered,
        outside: &Outside,
        (server, visit): (&ServerHome<'_>, &mut Visit),
    ) {
        if !server.is_right(&visit.entered) {
            // As whom it came in it sees nothing; the cause is told, or it is this.
            let known =
                findings.has(FindingCode::RoleMissing) || findings.has(FindingCode::RoleChanged);
            if !known {
                findings.error(FindingCode::RoleChanged, format!(
                    "the server's own role does not sign in to {} as the tenant's owner; look at its settings (\\drds)",
                    outside.name
                ));
            }
            return;
        }
        if !visit.schema {
            // Also where the tables are another's by now.
            if !findings.has(FindingCode::DatabaseChanged) {
                findings.error(FindingCode::SchemaMissing, format!(
                    "{} has no tables of ours; restore it from a backup, or `tenantry tenant recreate {}`",
                    outside.name, findings.tenant.slug
                ));
            }
            return;
        }
        check_furniture(findings, outside, visit);
        let stamp = match visit.tx().stamps().find().await {
            Ok(stamp) => stamp,
            Err(error) => {
                refused(findings, outside, &error);
                return;
            }
        };
        if check_stamp(findings, stamp) {
            self.check_people(findings, visit.tx(), &registered.entries)
                .await;
        }
    }
}

/// What applications need: their schema with the view of people, and rights.
fn check_furniture(findings: &mut Findings<'_>, outside: &Outside, visit: &Visit) {
    let name = &outside.name;
    if !visit.application {
        findings.repairable(FindingCode::ApplicationSchemaMissing, format!(
            "the schema {}, or its view of people, is missing in {name}; repair makes them anew, what else lay in the schema has to come from a backup",
            outside.placement.application_schema()
        ));
        return;
    }
    let state = &outside.home;
    // What a missing role had is missing with it.
    let whole = state.furnished && state.admitted;
    if !whole && !findings.has(FindingCode::RoleMissing) {
        lacking(
            findings,
            format!("the tenant's application lacks rights in {name} that it was given"),
        );
    }
}

fn lacking(findings: &mut Findings<'_>, detail: String) {
    if !findings.has(FindingCode::GrantMissing) {
        findings.repairable(FindingCode::GrantMissing, detail);
    }
}
