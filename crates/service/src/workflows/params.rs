//! What a workflow was asked to do, as it is recorded: everything that is decided or drawn at
//! random is fixed here first, so that a repeated step does the same.

use serde::{Deserialize, Serialize};
use tenantry_core::tenant::Isolation;
use tenantry_core::{
    Email, Generation, Locale, OneTimeId, OutboxId, Slug, TenantId, Timestamp, UserId,
};
use tenantry_store::cluster::PeopleTable;

/// What is to be done with a tenant.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// Its slug, for messages.
    pub(crate) slug: Slug,
    /// The generation that is made, or the last there was.
    pub(crate) generation: Generation,
    /// How its rows are kept apart. Runs of version 1 did not say: they knew files only.
    #[serde(default)]
    pub(crate) isolation: Isolation,
    /// The generation before, where there is one.
    pub(crate) previous: Option<Generation>,
    /// When it was asked for.
    pub(crate) at: Timestamp,
    /// An [`OwnerPlan`], sealed: it holds an address, and a hash or a link.
    pub(crate) owner: Option<String>,
    /// Where the people of an adopted database are, if they are to be brought along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) people: Option<PeoplePlan>,
}

/// A table of people, and which column holds what.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PeoplePlan {
    schema: String,
    table: String,
    email: String,
    username: Option<String>,
    full_name: Option<String>,
    role: Option<String>,
    password_hash: Option<String>,
    disabled: Option<String>,
}

impl From<PeopleTable> for PeoplePlan {
    fn from(table: PeopleTable) -> Self {
        Self {
            schema: table.schema,
            table: table.table,
            email: table.email,
            username: table.username,
            full_name: table.full_name,
            role: table.role,
            password_hash: table.password_hash,
            disabled: table.disabled,
        }
    }
}

impl From<PeoplePlan> for PeopleTable {
    fn from(plan: PeoplePlan) -> Self {
        Self {
            schema: plan.schema,
            table: plan.table,
            email: plan.email,
            username: plan.username,
            full_name: plan.full_name,
            role: plan.role,
            password_hash: plan.password_hash,
            disabled: plan.disabled,
        }
    }
}

/// The owner of a new generation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OwnerPlan {
    pub(crate) id: UserId,
    pub(crate) email: Email,
    pub(crate) username: Option<String>,
    pub(crate) full_name: Option<String>,
    /// The hash of the password that was given.
    pub(crate) password_hash: Option<String>,
    /// The link to mail where none was.
    pub(crate) setup: Option<SetupPlan>,
}

/// A setup link to mail.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SetupPlan {
    pub(crate) id: OneTimeId,
    pub(crate) token: String,
    pub(crate) hash: [u8; 32],
    pub(crate) mail: OutboxId,
    pub(crate) locale: Locale,
}
