//! The types of requests and answers: one definition for parsing, validation, forms and the API's
//! description.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::finding::Finding;
use tenantry_core::session::Session;
use tenantry_core::tenant::{Driver, Isolation, Registration};
use tenantry_core::workflow::LogEntry;
use tenantry_core::{Role, TenantStatus, Timestamp};
use tenantry_service::Refusal;
use tenantry_service::check::Report;
use tenantry_service::sessions::{ACCESS_TOKEN, Issued};
use tenantry_service::signin::Person;
use tenantry_service::tenants::TenantView;
use tenantry_service::workflows::Run;

/// A person, as answers show one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UserBody {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// What the person may do.
    pub role: String,
    /// The password must be changed before anything else.
    pub must_change_password: bool,
    /// Nobody signed in as this person before.
    pub first_login: bool,
}

/// The tenant somebody is signed in to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TenantBrief {
    /// The id.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The short human number.
    pub code: String,
    /// The name to show.
    pub name: String,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MeBody {
    /// The person.
    #[serde(flatten)]
    pub user: UserBody,
    /// The tenant; null for a platform admin.
    pub tenant: Option<TenantBrief>,
}

/// What a sign-in answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LoginBody {
    /// Proves who calls, for `expires_in` seconds.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    /// Gets the next access token; good once.
    pub refresh_token: String,
    /// The person.
    pub user: UserBody,
    /// The tenant; null for a platform admin.
    pub tenant: Option<TenantBrief>,
}

/// The person, and the tenant, as answers show them.
pub fn person(person: &Person, code_prefix: &str) -> MeBody {
    match person {
        Person::User { ctx, user } => MeBody {
            user: UserBody {
                id: user.id.to_string(),
                email: user.email.to_string(),
                username: user.username.clone(),
                full_name: user.full_name.clone(),
                role: user.role.to_string(),
                must_change_password: user.must_change_password,
                first_login: user.last_login_at.is_none(),
            },
            tenant: Some(TenantBrief {
                id: ctx.id().to_string(),
                slug: ctx.tenant().slug.to_string(),
                code: tenantry_core::tenant::tenant_code(code_prefix, ctx.tenant().number),
                name: ctx.tenant().name.clone(),
            }),
        },
        Person::Admin(admin) => MeBody {
            user: UserBody {
                id: admin.id.to_string(),
                email: admin.email.to_string(),
                username: None,
                full_name: admin.full_name.clone(),
                role: Role::PlatformAdmin.to_string(),
                must_change_password: admin.must_change_password,
                first_login: admin.last_login_at.is_none(),
            },
            tenant: None,
        },
    }
}

/// A sign-in's answer.
pub fn login(who: &Person, issued: &Issued, code_prefix: &str) -> LoginBody {
    let me = person(who, code_prefix);
    LoginBody {
        access_token: issued
            .access_token
            .as_ref()
            .map(|token| token.expose().clone())
            .unwrap_or_default(),
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN.as_secs(),
        refresh_token: issued.token.expose().clone(),
        user: me.user,
        tenant: me.tenant,
    }
}

/// A tenant that a password fits in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChoiceBody {
    /// The id.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The name to show.
    pub name: String,
}

/// One of several tenants must be chosen: problem details with the choice beside them.
#[derive(Debug, Clone, Serialize)]
pub struct SelectionProblem {
    /// The problem.
    #[serde(flatten)]
    pub problem: tenantry_claims::Problem,
    /// Proves that the password was right; good once, for five minutes.
    pub selection_token: String,
    /// The tenants it fits in.
    pub tenants: Vec<ChoiceBody>,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SessionBody {
    /// The id.
    pub id: String,
    /// What carries it: `browser` or `api`.
    pub kind: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The client's own description.
    pub user_agent: Option<String>,
    /// When it began.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schemars(with = "String")]
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

impl SessionBody {
    /// A session, seen from the session `current`.
    pub fn of(session: &Session, current: tenantry_core::SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            kind: session.kind.to_string(),
            current: session.id == current,
            user_agent: session.user_agent.clone(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListBody<T> {
    /// The things.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
}

/// Where a tenant's database lies.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DatabaseBody {
    /// The engine.
    #[schemars(with = "String")]
    pub driver: Driver,
    /// The server's host; null for a file.
    pub host: Option<String>,
    /// The server's port; null for a file.
    pub port: Option<u16>,
    /// The database's name.
    pub name: String,
}

/// A tenant, as platform admins see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TenantBody {
    /// The id.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The short human number.
    pub code: String,
    /// The name to show.
    pub name: String,
    /// Where it is in its life.
    #[schemars(with = "String")]
    pub status: TenantStatus,
    /// How often its database was made.
    pub generation: i64,
    /// How its rows are kept apart.
    #[schemars(with = "String")]
    pub isolation: Isolation,
    /// The cluster it is placed on.
    pub cluster: Option<String>,
    /// Its database; null where there is none.
    pub database: Option<DatabaseBody>,
    /// Its verified hosts.
    pub domains: Vec<String>,
    /// Where its pages begin.
    pub url: String,
    /// Who may register.
    #[schemars(with = "String")]
    pub registration: Registration,
    /// Whether a registered address must be proven first.
    pub verify_email: bool,
    /// When it was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it was deleted.
    #[schemars(with = "Option<String>")]
    pub deleted_at: Option<Timestamp>,
    /// Until when it can be restored.
    #[schemars(with = "Option<String>")]
    pub purge_at: Option<Timestamp>,
    /// The workflow that still makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
}

impl From<&TenantView> for TenantBody {
    fn from(view: &TenantView) -> Self {
        let tenant = &view.tenant;
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug.to_string(),
            code: view.code.clone(),
            name: tenant.name.clone(),
            status: tenant.status,
            generation: tenant.generation.number(),
            isolation: tenant.isolation,
            cluster: view
                .database
                .as_ref()
                .map(|database| database.cluster.clone()),
            database: view.database.as_ref().map(|database| DatabaseBody {
                driver: database.driver,
                host: None,
                port: None,
                name: database.name.clone(),
            }),
            domains: view.domains.clone(),
            url: view.url.clone(),
            registration: tenant.registration,
            verify_email: tenant.verify_email,
            created_at: tenant.created_at,
            deleted_at: tenant.deleted_at,
            purge_at: tenant.purge_at,
            workflow_id: view.workflow.map(|workflow| workflow.to_string()),
        }
    }
}

/// What a check found about a tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckBody {
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What is.
    #[schemars(with = "Vec<FindingBody>")]
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "describes `Finding`, which lives where there are no schemas"
)]
struct FindingBody {
    code: String,
    severity: String,
    detail: String,
    repairable: bool,
}

impl From<Report> for CheckBody {
    fn from(report: Report) -> Self {
        Self {
            healthy: report.findings.is_empty(),
            findings: report.findings,
        }
    }
}

/// What deleting, recreating or clearing ended.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct ClearedBody {
    /// Tenants it was done to.
    pub tenants_processed: u64,
    /// Cache entries that went.
    pub cache_keys_cleared: i64,
    /// Sessions that ended.
    pub sessions_cleared: i64,
}

/// What signing out ended.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct SignedOutBody {
    /// Sessions that ended.
    pub sessions_cleared: u64,
}

/// A run of a workflow.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkflowBody {
    /// The id.
    pub id: String,
    /// Which workflow.
    pub kind: String,
    /// Which version of its steps.
    pub version: i64,
    /// The tenant it works on.
    pub tenant_id: Option<String>,
    /// Where it is.
    pub state: String,
    /// Tries of the present step so far.
    pub attempts: i64,
    /// The last error.
    pub error: Option<String>,
    /// When it was asked for.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it ended.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
    /// Its log, oldest first; only where one run is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<WorkflowStepBody>>,
}

/// An entry of a run's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkflowStepBody {
    /// Place in the log, from 1.
    pub seq: i64,
    /// The step.
    pub step: String,
    /// What happened.
    pub event: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// More about it.
    pub detail: Option<String>,
}

impl WorkflowBody {
    /// A run, with its log where that is wanted.
    pub fn of(run: &Run, log: Option<&[LogEntry]>) -> Self {
        Self {
            id: run.id.to_string(),
            kind: run.kind.clone(),
            version: run.version,
            tenant_id: run.tenant.map(|tenant| tenant.to_string()),
            state: run.state.to_string(),
            attempts: run.attempts,
            error: run.error.clone(),
            created_at: run.created_at,
            finished_at: run.finished_at,
            steps: log.map(|log| {
                log.iter()
                    .map(|entry| WorkflowStepBody {
                        seq: entry.seq,
                        step: entry.step.clone(),
                        event: entry.event.to_string(),
                        at: entry.at,
                        detail: entry.detail.clone(),
                    })
                    .collect()
            }),
        }
    }
}

/// What can be asked of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The most things to answer with, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Where the page begins, from an earlier answer.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The tenant hint, read elsewhere.
    #[serde(default)]
    #[schemars(skip)]
    pub tenant_id: Option<String>,
}

impl ListQuery {
    /// The most things to answer with: 50 where nothing is asked for.
    pub fn limit(&self) -> Result<i64, Refusal> {
        let limit = self.limit.unwrap_or(50);
        if (1..=200).contains(&limit) {
            return Ok(limit);
        }
        Err(Refusal::field(
            "limit",
            "invalid",
            "limit is a number from 1 to 200",
        ))
    }
}
