//! Looking into the audit.

use std::collections::HashMap;

use tenantry_core::audit::{Action, Actor, ActorKind, Entry};
use tenantry_core::{AdminId, AuditId, Slug, TenantId, Timestamp};
use tenantry_store::control::AuditFilter;
use uuid::Uuid;

use crate::{Refusal, Service};

/// What is asked of the audit. What is `None` restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// About the tenant with this id, which may be gone, or this slug.
    pub tenant: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// By the actor with this id, or by actors of this kind.
    pub actor: Option<String>,
    /// Begun at this time or after it, to the millisecond.
    pub from: Option<Timestamp>,
    /// Begun before this time, to the millisecond.
    pub to: Option<Timestamp>,
}

/// An entry as people look at it.
#[derive(Debug, Clone)]
pub struct AuditView {
    /// The entry.
    pub entry: Entry,
    /// Its number in the chain, once it has one.
    pub seq: Option<i64>,
    /// The address of the platform admin who acted, where there still is one.
    pub admin: Option<String>,
    /// The tenant's slug, where there still is the tenant.
    pub slug: Option<Slug>,
}

impl Service {
    /// Entries, the newest first, begun before the one with the id `before`.
    pub async fn list_audit(
        &self,
        query: &AuditQuery,
        before: Option<AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditView>, Refusal> {
        let filter = self.audit_filter(query, before).await?;
        let mut tx = self.control().read().await?;
        let listed = tx.audit().list(&filter, limit).await?;
        let admins: HashMap<AdminId, String> = tx
            .admins()
            .list()
            .await?
            .into_iter()
            .map(|admin| (admin.id, admin.email.to_string()))
            .collect();
        let mut slugs: HashMap<TenantId, Option<Slug>> = HashMap::new();
        for tenant in listed.iter().filter_map(|(entry, _)| entry.tenant) {
            if let std::collections::hash_map::Entry::Vacant(place) = slugs.entry(tenant) {
                let found = tx.tenants().lookup(tenant).await?;
                place.insert(found.map(|tenant| tenant.slug));
            }
        }
        Ok(listed
            .into_iter()
            .map(|(entry, seq)| AuditView {
                seq,
                admin: match entry.actor {
                    Actor::Admin(id) => admins.get(&id).cloned(),
                    Actor::User(_) | Actor::Command(_) | Actor::System | Actor::Nobody => None,
                },
                slug: entry
                    .tenant
                    .and_then(|id| slugs.get(&id).cloned().flatten()),
                entry,
            })
            .collect())
    }

    async fn audit_filter(
        &self,
        query: &AuditQuery,
        before: Option<AuditId>,
    ) -> Result<AuditFilter, Refusal> {
        let tenant = match query.tenant.as_deref() {
            None => None,
            Some(text) => Some(self.audited_tenant(text).await?),
        };
        let action = query.action.as_deref().map(str::parse::<Action>);
        let action = action
            .transpose()
            .map_err(|error| Refusal::field("action", "invalid", error))?;
        let (mut actor, mut kind) = (None, None);
        if let Some(text) = query.actor.as_deref() {
            actor = text.parse::<Uuid>().ok();
            if actor.is_none() {
                let word = text.parse::<ActorKind>();
                kind = Some(word.map_err(|_| {
                    let words: Vec<&str> =
                        ActorKind::ALL.iter().map(|kind| kind.as_str()).collect();
                    let words = words.join(", ");
                    Refusal::field("actor", "invalid", format!("an id, or one of {words}"))
                })?);
            }
        }
        let to = query.to.map(AuditId::first_at);
        Ok(AuditFilter {
            tenant,
            action: action.map(|action| action.as_str().to_owned()),
            actor,
            kind,
            from: query.from.map(AuditId::first_at),
            before: [before, to].into_iter().flatten().min(),
        })
    }

    /// A tenant by id, also one that is gone, or by slug.
    async fn audited_tenant(&self, text: &str) -> Result<TenantId, Refusal> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let slug: Slug = text.parse().map_err(|_| Refusal::TenantNotFound)?;
        let mut tx = self.control().read().await?;
        let found = tx.tenants().find_by_slug(&slug).await?;
        found.map(|tenant| tenant.id).ok_or(Refusal::TenantNotFound)
    }
}
