//! Entries of the audit, by HTTP and on the command line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_core::Timestamp;
use tenantry_service::Refusal;
use tenantry_service::audit::{AuditQuery, AuditView, Verified};

use super::ListQuery;
use crate::extract::Asked;

/// An entry of the audit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditBody {
    /// Its id; the next page begins after it.
    pub id: String,
    /// When the act began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What was done, as `tenant.create`.
    pub action: String,
    /// `done`, `refused`, `failed`, `unknown` where its process died meanwhile; null while it goes on.
    pub outcome: Option<&'static str>,
    /// The code it was refused with.
    pub code: Option<String>,
    /// By whom.
    pub actor: ActorBody,
    /// To which tenant, which may be gone.
    pub tenant_id: Option<String>,
    /// The tenant's slug, while there is the tenant.
    pub tenant_slug: Option<String>,
    /// To what else: an id or a name. For a sign-in that was refused, what stands for the address or
    /// name that was typed: `~` and 16 digits, the same for the same one.
    pub target: Option<String>,
    /// The client's address.
    pub ip: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The request, as the log has it.
    pub request_id: Option<String>,
    /// More, as an object.
    pub detail: Option<Value>,
    /// Its number in the chain, once it has one.
    pub seq: Option<i64>,
}

/// Who acted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ActorBody {
    /// `user`, `platform_admin`, `command`, `system` or `nobody`.
    pub kind: &'static str,
    /// The id of a user or platform admin.
    pub id: Option<String>,
    /// The address of a platform admin who is still there; the name of who was at the command line.
    pub name: Option<String>,
}

impl From<&AuditView> for AuditBody {
    fn from(view: &AuditView) -> Self {
        let entry = &view.entry;
        let detail = entry.detail.as_deref();
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            action: entry.action.to_string(),
            outcome: entry.outcome.map(tenantry_core::audit::Outcome::as_str),
            code: entry.code.clone(),
            actor: ActorBody {
                kind: entry.actor.kind().as_str(),
                id: entry.actor.id().map(|id| id.to_string()),
                name: entry
                    .actor
                    .name()
                    .map(str::to_owned)
                    .or_else(|| view.admin.clone()),
            },
            tenant_id: entry.tenant.map(|id| id.to_string()),
            tenant_slug: view.slug.as_ref().map(ToString::to_string),
            target: entry.target.clone(),
            ip: entry.source.ip.map(|ip| ip.to_string()),
            user_agent: entry.source.user_agent.clone(),
            request_id: entry.source.request_id.clone(),
            detail: detail.and_then(|detail| serde_json::from_str(detail).ok()),
            seq: view.seq,
        }
    }
}

/// What verifying the audit came to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VerifiedBody {
    /// Whether every entry is as it was sealed.
    pub intact: bool,
    /// Entries that are as they were sealed, up to the first that is not.
    pub entries: i64,
    /// The number of the first entry that was not pruned.
    pub first_seq: i64,
    /// The number of the last entry.
    pub last_seq: i64,
    /// The last entry's hash, in hexadecimal.
    pub last_hash: String,
    /// When the chain was begun; null where nothing was sealed yet.
    #[schemars(with = "Option<String>")]
    pub begun_at: Option<Timestamp>,
    /// Entries that have no place in the chain yet.
    pub unsealed: i64,
    /// The first number where something is wrong.
    pub broken_seq: Option<i64>,
    /// What is wrong there: `missing`, `altered`, `foreign` or `ends`.
    pub fault: Option<&'static str>,
}

impl From<&Verified> for VerifiedBody {
    fn from(verified: &Verified) -> Self {
        Self {
            intact: verified.broken.is_none(),
            entries: verified.entries,
            first_seq: verified.first,
            last_seq: verified.last,
            last_hash: verified.last_hash.clone(),
            begun_at: verified.begun_at,
            unsealed: verified.unsealed,
            broken_seq: verified.broken.map(|broken| broken.seq),
            fault: verified.broken.map(|broken| broken.fault.as_str()),
        }
    }
}

/// What can be asked of the audit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditListQuery {
    /// The most entries to answer with, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Where the page begins, from an earlier answer.
    #[serde(default)]
    pub cursor: Option<String>,
    /// About the tenant with this id, which may be gone, or this slug.
    #[serde(default)]
    pub tenant: Option<String>,
    /// With this action, as `tenant.create`.
    #[serde(default)]
    pub action: Option<String>,
    /// By the actor with this id, or by actors of this kind.
    #[serde(default)]
    pub actor: Option<String>,
    /// Begun at this time or after it, as RFC 3339.
    #[serde(default)]
    pub from: Option<String>,
    /// Begun before this time, as RFC 3339.
    #[serde(default)]
    pub to: Option<String>,
    /// The tenant hint, read elsewhere.
    #[serde(default)]
    #[schemars(skip)]
    pub tenant_id: Option<String>,
}

impl Asked for AuditListQuery {
    const IS: &'static str =
        "the query has limit, cursor, tenant, action, actor, from and to, once each";
}

fn time(field: &'static str, text: Option<&String>) -> Result<Option<Timestamp>, Refusal> {
    text.map(|text| serde_json::from_value(Value::from(text.as_str())))
        .transpose()
        .map_err(|_| {
            let example = "a time is written like 2026-01-31T12:00:00Z";
            Refusal::field(field, "invalid", example)
        })
}

impl AuditListQuery {
    /// Where the page begins and how long it is.
    pub fn page(&self) -> ListQuery {
        ListQuery {
            limit: self.limit,
            cursor: self.cursor.clone(),
            tenant_id: None,
        }
    }

    /// What is looked for.
    pub fn query(&self) -> Result<AuditQuery, Refusal> {
        Ok(AuditQuery {
            tenant: self.tenant.clone(),
            action: self.action.clone(),
            actor: self.actor.clone(),
            from: time("from", self.from.as_ref())?,
            to: time("to", self.to.as_ref())?,
        })
    }
}
