//! A tenant's own domains in the console: its page again, with what came of each act.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use tenantry_core::domain::DomainKind;
use tenantry_service::domains::{DomainRecord, Publish};
use tenantry_service::{Refusal, Service};

use super::tenant::{self, Beside};
use crate::App;
use crate::answer::on_tenant;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::admin::{DomainRow, TenantDomains, TenantNotice};
use crate::problem::Failure;
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    let form = |path, action| {
        Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Tenant, action)
    };
    Routes::default()
        .add(
            form("/admin/tenants/{slug}/domains", "domain.add"),
            post(add),
        )
        .add(
            form("/admin/tenants/{slug}/domains/verify", "domain.verify"),
            post(verify),
        )
        .add(
            form("/admin/tenants/{slug}/domains/remove", "domain.remove"),
            post(remove),
        )
}

/// The fields of each form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainForm {
    domain: String,
    kind: String,
}

impl DomainForm {
    fn kind(&self) -> Result<DomainKind, Refusal> {
        let kind = self.kind.parse();
        kind.map_err(|error| Refusal::field("kind", "invalid", error))
    }
}

/// What a tenant's page shows of its domains.
pub(super) fn shown(service: &Service, claims: &[DomainRecord]) -> TenantDomains {
    let rows = claims.iter().map(|claim| {
        let publish = Publish::from(claim);
        DomainRow {
            name: claim.name.to_string(),
            kind: claim.kind,
            verified: claim.verified_at.is_some(),
            problem: claim.problem,
            kept_until: service.domain_kept_until(claim),
            record: publish.record,
            value: publish.value,
            file: publish.file,
        }
    });
    TenantDomains {
        rows: rows.collect(),
        ..TenantDomains::default()
    }
}

async fn add(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    Form(sent): Form<DomainForm>,
) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let kind = sent.kind()?;
        let added = app
            .service
            .add_domain(view.tenant.id, kind, &sent.domain)
            .await;
        let code = match added {
            Ok(added) => {
                let beside = Beside::notice(TenantNotice::DomainAdded);
                let page = tenant::shown(&app, &ctx, &view, beside).await?;
                return Ok(Audited::target(&added.name).on(page));
            }
            Err(Refusal::Validation(errors)) => {
                errors.first().map_or("invalid", |error| error.code)
            }
            Err(refusal @ (Refusal::DomainTaken | Refusal::Conflict(_))) => {
                Failure::from(refusal).code()
            }
            Err(refusal) => return Err(refusal),
        };
        let beside = Beside {
            typed: Some((sent.domain.clone(), kind, code)),
            ..Beside::default()
        };
        let page = tenant::shown(&app, &ctx, &view, beside).await?;
        Ok::<_, Refusal>(Audited::refused(code).on(page))
    })
    .await
}

async fn verify(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    Form(sent): Form<DomainForm>,
) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let kind = Some(sent.kind()?);
        let looked = app
            .service
            .verify_domain(view.tenant.id, kind, &sent.domain)
            .await?;
        let notice = match looked.problem {
            None => TenantNotice::DomainVerified,
            Some(_) => TenantNotice::DomainUnfound,
        };
        // Where the tenant is reached may be another address now.
        let view = app.service.view(view.tenant.id).await?;
        let page = tenant::shown(&app, &ctx, &view, Beside::notice(notice)).await?;
        Ok::<_, Refusal>(Audited::target(&looked.domain.name).on(page))
    })
    .await
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    Form(sent): Form<DomainForm>,
) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let kind = Some(sent.kind()?);
        let removed = app
            .service
            .remove_domain(view.tenant.id, kind, &sent.domain)
            .await?;
        let view = app.service.view(view.tenant.id).await?;
        let beside = Beside::notice(TenantNotice::DomainRemoved);
        let page = tenant::shown(&app, &ctx, &view, beside).await?;
        Ok::<_, Refusal>(Audited::target(&removed.name).on(page))
    })
    .await
}
