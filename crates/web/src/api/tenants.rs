//! Tenants, for platform admins.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::user::Username;
use tenantry_service::tenants::{
    Created, IdempotencyKey, NewOwner, NewTenant, TenantPatch, TenantView,
};
use tenantry_service::{FieldError, Refusal};

use super::answer;
use super::wire::{CheckBody, ClearedBody, ListBody, ListQuery, TenantBody};
use crate::App;
use crate::context::Ctx;
use crate::extract::{Json, object};
use crate::problem::Failure;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// How long a create waits before it answers 202.
const WAIT: Duration = Duration::from_secs(30);

/// The owner of a tenant to make.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerRequest {
    /// The address.
    pub email: String,
    /// The name to sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// The name to show.
    #[serde(default)]
    pub full_name: Option<String>,
    /// The first password; without one the owner gets a setup link by mail.
    #[serde(default)]
    pub password: Option<String>,
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
}

/// What to change about a tenant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRequest {
    /// The name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// `open`, `closed` or `invite`.
    #[serde(default)]
    pub registration: Option<String>,
    /// Whether a registered address must be proven first.
    #[serde(default)]
    pub verify_email: Option<bool>,
}

/// The confirmation of making a tenant's database anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecreateRequest {
    /// The tenant's slug, to show that this tenant is meant.
    pub confirm: String,
    /// The fresh owner.
    #[serde(deserialize_with = "object")]
    pub owner: OwnerRequest,
}

/// How a tenant is deleted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteQuery {
    /// The tenant's slug, to show that this tenant is meant.
    #[serde(default)]
    pub confirm: Option<String>,
    /// At once and for good.
    #[serde(default)]
    pub purge: bool,
}

fn collect<T, E: std::fmt::Display>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    parsed: Result<T, E>,
) -> Option<T> {
    parsed
        .map_err(|error| errors.push(FieldError::new(field, "invalid", error)))
        .ok()
}

fn parse_option<T: std::str::FromStr>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    text: Option<&str>,
) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    text.and_then(|text| collect(errors, field, text.parse::<T>()))
}

fn owner(errors: &mut Vec<FieldError>, request: OwnerRequest) -> Option<NewOwner> {
    let username = parse_option::<Username>(errors, "owner.username", request.username.as_deref());
    let email = collect(errors, "owner.email", request.email.parse());
    if request
        .full_name
        .as_ref()
        .is_some_and(|name| name.chars().count() > 120 || name.chars().any(char::is_control))
    {
        errors.push(FieldError::new(
            "owner.full_name",
            "invalid",
            "a name is one line of at most 120 characters",
        ));
    }
    Some(NewOwner {
        email: email?,
        username,
        full_name: request.full_name,
        password: request.password,
    })
}

impl CreateRequest {
    /// The tenant it asks for, or everything that is wrong with it.
    pub fn into_tenant(self, locale: tenantry_core::Locale) -> Result<NewTenant, Refusal> {
        let mut errors = Vec::new();
        let slug = collect(&mut errors, "slug", self.slug.parse());
        let owner = owner(&mut errors, self.owner);
        let isolation =
            parse_option::<Isolation>(&mut errors, "isolation", self.isolation.as_deref());
        let registration =
            parse_option::<Registration>(&mut errors, "registration", self.registration.as_deref());
        match (slug, owner) {
            (Some(slug), Some(owner)) if errors.is_empty() => Ok(NewTenant {
                name: self.name,
                slug,
                owner,
                isolation: isolation.unwrap_or_default(),
                cluster: self.cluster,
                registration: registration.unwrap_or_default(),
                verify_email: self.verify_email.unwrap_or(true),
                locale: Some(locale),
            }),
            _ => Err(Refusal::Validation(errors)),
        }
    }
}

fn admin(verb: Verb, path: &'static str, doc: Doc) -> Route {
    Route::api(verb, path, Audience::PlatformAdmin, doc)
}

fn act(path: &'static str, summary: &'static str) -> Route {
    let doc = Doc::new(summary, 200)
        .gives::<TenantBody>()
        .refuses(&["not_found", "conflict"]);
    admin(Verb::Post, path, doc).audited(AuditClass::Tenant)
}

/// This feature's routes.
pub fn routes() -> Routes {
    Routes::default()
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants",
                Doc::new("Make a tenant; 202 with its workflow when it takes longer than 30 seconds", 201)
                    .reads(&[(
                        "Idempotency-Key",
                        "Asked again under one key, the tenant is made once",
                    )])
                    .takes::<CreateRequest>()
                    .gives::<TenantBody>()
                    .refuses(&["validation_failed", "slug_taken", "email_taken", "conflict"]),
            )
            .audited(AuditClass::Tenant),
            post(create),
        )
        .add(
            admin(Verb::Get, "/api/v1/tenants", Doc::new("Every tenant", 200).asks::<ListQuery>().gives::<ListBody<TenantBody>>()),
            get(list),
        )
        .add(
            admin(
                Verb::Get,
                "/api/v1/tenants/{tenant}",
                Doc::new("One tenant, by id or slug", 200).gives::<TenantBody>().refuses(&["not_found"]),
            ),
            get(show),
        )
        .add(
            admin(
                Verb::Patch,
                "/api/v1/tenants/{tenant}",
                Doc::new("Change a tenant", 200)
                    .takes::<PatchRequest>()
                    .gives::<TenantBody>()
                    .refuses(&["validation_failed", "not_found"]),
            )
            .audited(AuditClass::Tenant),
            axum::routing::patch(change),
        )
        .add(
            admin(
                Verb::Delete,
                "/api/v1/tenants/{tenant}",
                Doc::new("Delete a tenant: with a grace of seven days, or at once with `purge=true`; `confirm` is its slug", 200)
                    .asks::<DeleteQuery>()
                    .gives::<ClearedBody>()
                    .refuses(&["validation_failed", "not_found", "conflict"]),
            )
            .audited(AuditClass::Tenant),
            delete(remove),
        )
        .merge(acts())
}

/// What is done to one tenant.
fn acts() -> Routes {
    Routes::default()
        .add(
            act(
                "/api/v1/tenants/{tenant}/suspend",
                "Keep everybody out of a tenant",
            ),
            post(suspend),
        )
        .add(
            act(
                "/api/v1/tenants/{tenant}/resume",
                "Let people into a suspended tenant again",
            ),
            post(resume),
        )
        .add(
            act(
                "/api/v1/tenants/{tenant}/restore",
                "Bring a deleted tenant back",
            ),
            post(restore),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/recreate",
                Doc::new(
                    "Drop a tenant's database and make it anew with a fresh owner",
                    200,
                )
                .takes::<RecreateRequest>()
                .gives::<TenantBody>()
                .refuses(&["validation_failed", "not_found", "conflict"]),
            )
            .audited(AuditClass::Tenant),
            post(recreate),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/check",
                Doc::new("Compare what should be with what is", 200)
                    .gives::<CheckBody>()
                    .refuses(&["not_found"]),
            ),
            post(check),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/repair",
                Doc::new("Mend what can be mended without guessing", 200)
                    .gives::<CheckBody>()
                    .refuses(&["not_found"]),
            )
            .audited(AuditClass::Tenant),
            post(repair),
        )
        .add(
            admin(
                Verb::Delete,
                "/api/v1/tenants/{tenant}/sessions",
                Doc::new("End every session of a tenant", 200)
                    .gives::<ClearedBody>()
                    .refuses(&["not_found"]),
            )
            .audited(AuditClass::Tenant),
            delete(end_sessions),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/email-directory/rebuild",
                Doc::new("Make the directory anew from the tenant's own people", 200)
                    .gives::<CheckBody>()
                    .refuses(&["not_found", "tenant_unavailable"]),
            )
            .audited(AuditClass::Tenant),
            post(rebuild_directory),
        )
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
    answer(
        &app,
        &ctx,
        outcome.map(|created| match created {
            Created::Active(view) => (StatusCode::CREATED, axum::Json(TenantBody::from(&*view))),
            Created::Later(view, workflow) => {
                let mut body = TenantBody::from(&*view);
                body.workflow_id = Some(workflow.to_string());
                (StatusCode::ACCEPTED, axum::Json(body))
            }
        }),
    )
}

/// The `Idempotency-Key` of a create, bound to who sends it.
fn idempotency_key(
    app: &App,
    ctx: &Ctx,
    headers: &HeaderMap,
    body: &CreateRequest,
) -> Result<Option<IdempotencyKey>, Failure> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .ok()
        .filter(|text| (1..=255).contains(&text.len()));
    let text = text.ok_or(Failure::Malformed(
        "an Idempotency-Key has 1 to 255 visible ASCII characters",
    ))?;
    let caller = ctx.principal()?.session.subject;
    let body = serde_json::to_string(body)
        .map_err(|_| Failure::Malformed("the body is not valid JSON"))?;
    Ok(Some(app.service.idempotency_key(
        &format!("{caller:?}"),
        text,
        &body,
    )))
}

async fn list(
    State(app): State<App>,
    ctx: Ctx,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let outcome = async {
        let Query(query) =
            query.map_err(|_| Failure::Malformed("the query has limit and cursor, once each"))?;
        let limit = query.limit()?;
        let after = match query.cursor.as_deref() {
            Some(cursor) => cursor.parse().map_err(|_| {
                Refusal::field("cursor", "invalid", "cursor comes from an earlier answer")
            })?,
            None => 0,
        };
        let mut views = app.service.list_tenants(after, limit + 1).await?;
        let more = i64::try_from(views.len()).is_ok_and(|count| count > limit);
        if more {
            views.pop();
        }
        let next_cursor = views
            .last()
            .filter(|_| more)
            .map(|view| view.tenant.number.to_string());
        Ok::<_, Failure>(axum::Json(ListBody {
            items: views.iter().map(TenantBody::from).collect(),
            next_cursor,
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

/// 202 where work on the tenant goes on after the answer.
fn shown(view: &TenantView) -> (StatusCode, axum::Json<TenantBody>) {
    let status = if view.workflow.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    (status, axum::Json(TenantBody::from(view)))
}

async fn show(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = app.service.find_tenant(&name).await;
    answer(&app, &ctx, outcome.map(|view| shown(&view)))
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<PatchRequest>,
) -> Response {
    let outcome = async {
        let mut errors = Vec::new();
        let registration =
            parse_option(&mut errors, "registration", request.registration.as_deref());
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let patch = TenantPatch {
            name: request.name,
            registration,
            verify_email: request.verify_email,
        };
        let id = app.service.find_tenant(&name).await?.tenant.id;
        app.service.patch_tenant(id, patch).await
    }
    .await;
    answer(&app, &ctx, outcome.map(|view| shown(&view)))
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    query: Result<Query<DeleteQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let outcome = async {
        let Query(query) =
            query.map_err(|_| Failure::Malformed("the query has confirm and purge, once each"))?;
        let tenant = app.service.find_tenant(&name).await?.tenant;
        if query.confirm.as_deref() != Some(tenant.slug.as_str()) {
            return Err(Refusal::field(
                "confirm",
                "required",
                "give the tenant's slug as confirm=",
            )
            .into());
        }
        let deleted = app.service.delete_tenant(tenant.id, query.purge).await?;
        Ok::<_, Failure>(axum::Json(ClearedBody {
            tenants_processed: 1,
            cache_keys_cleared: deleted.cleared.cache_keys,
            sessions_cleared: deleted.cleared.sessions,
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn suspend(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&name).await?.tenant.id;
        app.service.suspend_tenant(id).await
    }
    .await;
    answer(&app, &ctx, outcome.map(|view| shown(&view)))
}

async fn resume(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&name).await?.tenant.id;
        app.service.resume_tenant(id).await
    }
    .await;
    answer(&app, &ctx, outcome.map(|view| shown(&view)))
}

async fn restore(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&name).await?.tenant.id;
        app.service.restore_tenant(id).await
    }
    .await;
    answer(&app, &ctx, outcome.map(|view| shown(&view)))
}

async fn recreate(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<RecreateRequest>,
) -> Response {
    let outcome = async {
        let tenant = app.service.find_tenant(&name).await?.tenant;
        let mut errors = Vec::new();
        if request.confirm != tenant.slug.as_str() {
            errors.push(FieldError::new(
                "confirm",
                "required",
                "give the tenant's slug",
            ));
        }
        match owner(&mut errors, request.owner) {
            Some(owner) if errors.is_empty() => {
                app.service.recreate_tenant(tenant.id, &owner).await
            }
            _ => Err(Refusal::Validation(errors)),
        }
    }
    .await;
    answer(&app, &ctx, outcome.map(|(view, _)| shown(&view)))
}

async fn check(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let tenant = app.service.find_tenant(&name).await?.tenant;
        app.service.check_tenant(tenant).await
    }
    .await;
    answer(
        &app,
        &ctx,
        outcome.map(|report| axum::Json(CheckBody::from(report))),
    )
}

async fn repair(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let tenant = app.service.find_tenant(&name).await?.tenant;
        app.service.repair_tenant(tenant).await
    }
    .await;
    answer(
        &app,
        &ctx,
        outcome.map(|report| axum::Json(CheckBody::from(report))),
    )
}

async fn end_sessions(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&name).await?.tenant.id;
        let ended = app.service.end_tenant_sessions(id).await?;
        Ok::<_, Refusal>(axum::Json(ClearedBody {
            tenants_processed: 1,
            cache_keys_cleared: 0,
            sessions_cleared: ended,
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn rebuild_directory(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let tenant = app.service.find_tenant(&name).await?.tenant;
        app.service.rebuild_directory(&tenant).await?;
        app.service.check_tenant(tenant).await
    }
    .await;
    answer(
        &app,
        &ctx,
        outcome.map(|report| axum::Json(CheckBody::from(report))),
    )
    .into_response()
}
