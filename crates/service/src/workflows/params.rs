//! What a workflow was asked to do, as it is recorded: everything that is decided or drawn at
//! random is fixed here first, so that a repeated step does the same.

use serde::{Deserialize, Serialize};
use tenantry_core::tenant::Isolation;
use tenantry_core::{
    Email, Generation, Locale, OneTimeId, OutboxId, Slug, TenantId, Timestamp, UserId,
};

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
