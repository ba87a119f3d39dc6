//! People, and what signing in answers about them.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_core::Role;
use tenantry_service::sessions::{ACCESS_TOKEN, Issued};
use tenantry_service::signin::Person;

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
