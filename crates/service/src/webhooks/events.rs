//! What happened, written down for every receiver that wants to know, in the transaction that makes
//! it happen: what is not committed is told to nobody, and what is committed is told for certain.

use serde_json::{Value, json};
use tenantry_core::domain::ProofProblem;
use tenantry_core::tenant::{Tenant, tenant_code};
use tenantry_core::user::User;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, NoticeId, Role, Timestamp, UserId, WebhookId};
use tenantry_store::control::{DomainRecord, DueDelivery, NewDelivery};
use tenantry_store::{ControlTx, StoreError};

use crate::Refusal;
use crate::applications::ApplicationView;
use crate::keyring::UnsealError;
use crate::service::Shared;

/// Somebody, as notices show people.
#[derive(Clone, Copy)]
pub(crate) struct UserFacts<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) username: Option<&'a str>,
    pub(crate) full_name: Option<&'a str>,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
}

impl<'a> UserFacts<'a> {
    pub(crate) fn of(user: &'a User) -> Self {
        Self {
            id: user.id,
            email: &user.email,
            username: user.username.as_deref(),
            full_name: user.full_name.as_deref(),
            role: user.role,
            disabled: user.disabled_at.is_some(),
        }
    }
}

/// What is sent (Standard Webhooks, "payload structure").
pub(super) fn body(kind: EventKind, at: Timestamp, data: &Value) -> String {
    json!({ "type": kind, "timestamp": at, "data": data }).to_string()
}

/// What a notice for one receiver is sealed for: it may hold addresses.
pub(crate) fn context(webhook: WebhookId, notice: NoticeId) -> Vec<u8> {
    format!("notice:{webhook}:{notice}").into_bytes()
}

impl Shared {
    fn tenant_facts(&self, tenant: &Tenant) -> Value {
        json!({
            "id": tenant.id,
            "slug": tenant.slug,
            "code": tenant_code(&self.settings.code_prefix, tenant.number),
            "name": tenant.name,
            "status": tenant.status,
            "generation": tenant.generation.number(),
            "created_at": tenant.created_at,
            "deleted_at": tenant.deleted_at,
            "purge_at": tenant.purge_at,
        })
    }

    /// Tells of a tenant. It is shown as it is given, so give it as it is from the commit on.
    pub(crate) async fn announce_tenant(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
        tenant: &Tenant,
    ) -> Result<(), StoreError> {
        let data = json!({ "tenant": self.tenant_facts(tenant) });
        self.announce(tx, kind, &data).await
    }

    /// Tells of a tenant, and why.
    pub(crate) async fn announce_trouble(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
        tenant: &Tenant,
        why: &str,
    ) -> Result<(), StoreError> {
        let data = json!({ "tenant": self.tenant_facts(tenant), "detail": why });
        self.announce(tx, kind, &data).await
    }

    /// Tells of somebody in a tenant.
    pub(crate) async fn announce_user(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
        tenant: &Tenant,
        user: UserFacts<'_>,
    ) -> Result<(), StoreError> {
        let data = json!({
            "tenant": self.tenant_facts(tenant),
            "user": {
                "id": user.id,
                "email": user.email,
                "username": user.username,
                "full_name": user.full_name,
                "role": user.role,
                "disabled": user.disabled,
            },
        });
        self.announce(tx, kind, &data).await
    }

    /// Tells of a tenant's domain, and why.
    pub(crate) async fn announce_domain(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
        tenant: &Tenant,
        domain: &DomainRecord,
        why: ProofProblem,
    ) -> Result<(), StoreError> {
        let data = json!({
            "tenant": self.tenant_facts(tenant),
            "domain": { "name": domain.name, "kind": domain.kind },
            "detail": why,
        });
        self.announce(tx, kind, &data).await
    }

    /// Tells that somebody asks for a tenant.
    pub(crate) async fn announce_application(
        &self,
        tx: &mut ControlTx,
        application: &ApplicationView,
    ) -> Result<(), StoreError> {
        let data = json!({
            "application": {
                "id": application.id,
                "name": application.name,
                "slug": application.slug,
                "email": application.email,
                "full_name": application.full_name,
                "created_at": application.created_at,
            },
        });
        self.announce(tx, EventKind::TenantApplied, &data).await
    }

    /// Whether there is a receiver that wants to know, so that nobody is told one by one for nothing.
    pub(crate) async fn is_told(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
    ) -> Result<bool, StoreError> {
        let receivers = tx.webhooks().list_uncounted().await?;
        Ok(receivers.iter().any(|receiver| receiver.wants(kind)))
    }

    async fn announce(
        &self,
        tx: &mut ControlTx,
        kind: EventKind,
        data: &Value,
    ) -> Result<(), StoreError> {
        let receivers = tx.webhooks().list_uncounted().await?;
        let wanting: Vec<WebhookId> = receivers
            .iter()
            .filter(|receiver| receiver.wants(kind))
            .map(|receiver| receiver.id)
            .collect();
        if wanting.is_empty() {
            return Ok(());
        }
        let id = NoticeId::generate(&self.clock, &self.entropy);
        let at = self.clock.now();
        let body = body(kind, at, data);
        for webhook in wanting {
            let sealed = self
                .keyring
                .seal(body.as_bytes(), &context(webhook, id), &self.entropy)
                .map_err(|_| StoreError::Sealed)?;
            let new = NewDelivery {
                webhook,
                id,
                event: kind,
                sealed: &sealed,
                at,
            };
            tx.webhooks().add_delivery(new).await?;
        }
        Ok(())
    }

    /// What a delivery says; `None` where it does not open.
    pub(super) async fn open_notice(&self, due: &DueDelivery) -> Result<Option<Vec<u8>>, Refusal> {
        let context = context(due.webhook, due.id);
        match self.keyring.open_sealed(&due.sealed, &context).await {
            Ok(opened) => Ok(Some(opened.expose().clone())),
            Err(UnsealError::Sealed(_)) => Ok(None),
            Err(error @ UnsealError::Keys(_)) => {
                Err(Refusal::failed("a notice could not be unsealed now")(error))
            }
        }
    }
}
