//! Domains of a tenant's own: claimed, listed, proven, given up.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use tenantry_core::domain::DomainKind;
use tenantry_service::Refusal;

use super::{admin, parse_option};
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::{DomainBody, DomainQuery, DomainRequest, ListBody};
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, Query};
use crate::route::{AuditClass, Doc, Routes, Verb};

const ALL: &str = "/api/v1/tenants/{tenant}/domains";
const ONE: &str = "/api/v1/tenants/{tenant}/domains/{domain}";
const VERIFY: &str = "/api/v1/tenants/{tenant}/domains/{domain}/verify";

pub(super) fn routes() -> Routes {
    let listing = Doc::new("The domains a tenant claims, proven or not", 200)
        .gives::<ListBody<DomainBody>>()
        .refuses(&["not_found"]);
    let adding = Doc::new(
        "Claim a domain; the answer says what to publish there, and nothing leads to the tenant before it is found",
        201,
    )
    .takes::<DomainRequest>()
    .gives::<DomainBody>()
    .refuses(&["validation_failed", "domain_taken", "conflict", "not_found"]);
    let removing = Doc::new(
        "Give a domain up; nothing leads to the tenant from there any more",
        204,
    )
    .asks::<DomainQuery>()
    .refuses(&["validation_failed", "not_found"]);
    let verifying = Doc::new(
        "Look for the proof of a domain now; `verified` says whether it was found",
        200,
    )
    .asks::<DomainQuery>()
    .gives::<DomainBody>()
    .refuses(&["validation_failed", "domain_taken", "not_found"]);
    Routes::default()
        .add(admin(Verb::Get, ALL, listing), get(list))
        .add(
            admin(Verb::Post, ALL, adding)
                .audited(AuditClass::Tenant, "domain.add")
                .once_by_key(),
            post(add),
        )
        .add(
            admin(Verb::Delete, ONE, removing).audited(AuditClass::Tenant, "domain.remove"),
            delete(remove),
        )
        .add(
            admin(Verb::Post, VERIFY, verifying).audited(AuditClass::Tenant, "domain.verify"),
            post(verify),
        )
}

fn kind(text: Option<&str>) -> Result<Option<DomainKind>, Refusal> {
    let mut errors = Vec::new();
    let kind = parse_option(&mut errors, "kind", text);
    if errors.is_empty() {
        Ok(kind)
    } else {
        Err(Refusal::Validation(errors))
    }
}

async fn list(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let domains = app.service.list_domains(view.tenant.id).await?;
        Ok::<_, Refusal>(axum::Json(ListBody {
            items: domains.iter().map(DomainBody::from).collect(),
            next_cursor: None,
        }))
    })
    .await
}

async fn add(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<DomainRequest>,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let kind = kind(request.kind.as_deref())?.unwrap_or(DomainKind::Host);
        let added = app
            .service
            .add_domain(view.tenant.id, kind, &request.domain)
            .await?;
        let target = Audited::target(&added.name);
        Ok::<_, Refusal>((
            StatusCode::CREATED,
            target,
            axum::Json(DomainBody::from(&added)),
        ))
    })
    .await
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path((name, domain)): Path<(String, String)>,
    Query(query): Query<DomainQuery>,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let kind = kind(query.kind.as_deref())?;
        app.service
            .remove_domain(view.tenant.id, kind, &domain)
            .await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    })
    .await
}

async fn verify(
    State(app): State<App>,
    ctx: Ctx,
    Path((name, domain)): Path<(String, String)>,
    Query(query): Query<DomainQuery>,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let kind = kind(query.kind.as_deref())?;
        let looked = app
            .service
            .verify_domain(view.tenant.id, kind, &domain)
            .await?;
        Ok::<_, Refusal>(axum::Json(DomainBody::from(&looked.domain)))
    })
    .await
}
