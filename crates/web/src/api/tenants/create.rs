//! Making a tenant.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry_core::Locale;
use tenantry_core::tenant::{Isolation, Registration};
use tenantry_service::Refusal;
use tenantry_service::tenants::{Created, IdempotencyKey, NewTenant};

use super::{OwnerRequest, admin, collect, parse_option};
use crate::App;
use crate::answer::answer;
use crate::api::wire::TenantBody;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, object};
use crate::idempotency;
use crate::problem::Failure;
use crate::route::{AuditClass, Doc, Routes, Verb};

/// How long a create waits before it answers 202.
const WAIT: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Routes {
    let doc = Doc::new(
        "Make a tenant; 202 with its workflow when it takes longer than 30 seconds",
        201,
    )
    .takes::<CreateRequest>()
    .gives::<TenantBody>()
    .refuses(&[
        "validation_failed",
        "slug_taken",
        "email_taken",
        "domain_taken",
        "conflict",
    ]);
    Routes::default().add(
        admin(Verb::Post, "/api/v1/tenants", doc)
            .audited(AuditClass::Tenant, "tenant.create")
            .once_with_its_work(),
        post(create),
    )
}

/// A tenant to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// The name to show.
    pub name: String,
    /// The name in addresses: 3 to 40 of `a-z 0-9 -`.
    pub slug: String,
    /// Its owner.
    #[serde(deserialize_with = "object")]
    pub owner: OwnerRequest,
    /// `database`, `schema` or `shared`.
    #[serde(default)]
    pub isolation: Option<String>,
    /// The cluster to place it on.
    #[serde(default)]
    pub cluster: Option<String>,
    /// `open`, `closed` or `invite`.
    #[serde(default)]
    pub registration: Option<String>,
    /// Whether a registered address must be proven first.
    #[serde(default)]
    pub verify_email: Option<bool>,
    /// The colour of its pages and mails, as `#1d4ed8`. Text on it and links in it are shifted until
    /// they can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Hosts of its own that it claims; `…/domains` says what to publish for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
}

impl CreateRequest {
    /// The tenant it asks for, or everything that is wrong with it.
    pub fn into_tenant(self, locale: Locale) -> Result<NewTenant, Refusal> {
        let mut errors = Vec::new();
        let slug = collect(&mut errors, "slug", self.slug.parse());
        let owner = self.owner.into_owner(&mut errors);
        let isolation =
            parse_option::<Isolation>(&mut errors, "isolation", self.isolation.as_deref());
        let registration =
            parse_option::<Registration>(&mut errors, "registration", self.registration.as_deref());
        let colour = parse_option(&mut errors, "colour", self.colour.as_deref());
        match (slug, owner) {
            (Some(slug), Some(owner)) if errors.is_empty() => Ok(NewTenant {
                name: self.name,
                slug,
                owner,
                isolation: isolation.unwrap_or_default(),
                cluster: self.cluster,
                registration: registration.unwrap_or_default(),
                verify_email: self.verify_email.unwrap_or(true),
                colour,
                domains: self.domains.unwrap_or_default(),
                application: None,
                locale: Some(locale),
            }),
            _ => Err(Refusal::Validation(errors)),
        }
    }
}

async fn create(
    State(app): State<App>,
    ctx: Ctx,
    headers: HeaderMap,
    Json(request): Json<CreateRequest>,
) -> Response {
    let outcome = async {
        let key = idempotency_key(&app, &ctx, &headers, &request)?;
        let tenant = request.into_tenant(ctx.locale)?;
        Ok::<_, Failure>(app.service.create_tenant(tenant, key, WAIT).await?)
    }
    .await;
    answer(&app, &ctx, outcome.map(made))
}

pub(in crate::api) fn made(created: Created) -> (StatusCode, Audited, axum::Json<TenantBody>) {
    match created {
        Created::Active(view) => (
            StatusCode::CREATED,
            Audited::tenant(view.tenant.id),
            axum::Json(TenantBody::from(&*view)),
        ),
        Created::Later(view, workflow) => {
            let mut body = TenantBody::from(&*view);
            body.workflow_id = Some(workflow.to_string());
            let about = Audited::tenant(view.tenant.id);
            let about = about.detail(json!({ "workflow": workflow.to_string() }));
            (StatusCode::ACCEPTED, about, axum::Json(body))
        }
    }
}

/// The `Idempotency-Key` of a create, bound to who sends it.
fn idempotency_key(
    app: &App,
    ctx: &Ctx,
    headers: &HeaderMap,
    body: &CreateRequest,
) -> Result<Option<IdempotencyKey>, Failure> {
    let Some(text) = idempotency::key(headers)? else {
        return Ok(None);
    };
    let caller = ctx.principal()?.session.subject;
    let body = serde_json::to_string(body)
        .map_err(|_| Failure::Malformed("the body is not valid JSON"))?;
    Ok(Some(app.service.idempotency_key(
        &format!("{caller:?}"),
        text,
        &body,
    )))
}
