//! Devices of a tenant on which a PIN is enough, and signing in there.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_core::DeviceId;
use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::devices::Device;
use tenantry_service::pin::PinShown;
use tenantry_service::signin::SignedIn;
use tenantry_service::staff::Acting;

use super::auth::{login_of, signed};
use super::wire::{DeviceBody, DeviceRequest, ListBody, ListQuery, LoginBody};
use crate::App;
use crate::answer::answer;
use crate::audit::{Audited, typed};
use crate::context::Ctx;
use crate::extract::{Json, Query};
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// Who somebody says to be, the PIN, and what the device keeps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinLoginRequest {
    /// The address; this or the username.
    #[serde(default)]
    pub email: Option<String>,
    /// The username.
    #[serde(default)]
    pub username: Option<String>,
    /// Six digits.
    pub pin: String,
    /// From enrolling the device; it names the tenant.
    pub device_token: String,
}

/// This feature's routes.
pub fn routes() -> Routes {
    let admin = |verb, path, doc| Route::api(verb, path, Audience::TenantAdmin, doc);
    let all = Doc::new("The tenant's devices, on which a PIN is enough", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<DeviceBody>>();
    let enrolling = Doc::new(
        "Enrol a device; its token is told here and never again",
        201,
    )
    .takes::<DeviceRequest>()
    .gives::<DeviceBody>()
    .refuses(&["validation_failed"]);
    let removing = Doc::new(
        "Take a device's right away; ends the sessions begun on it",
        204,
    )
    .refuses(&["not_found"]);
    let signing_in = Doc::new("Sign in with a PIN on an enrolled device", 200)
        .takes::<PinLoginRequest>()
        .gives::<LoginBody>()
        .refuses(&["invalid_credentials", "tenant_unavailable", "rate_limited"]);
    Routes::default()
        .add(admin(Verb::Get, "/api/v1/devices", all), get(list))
        .add(
            admin(Verb::Post, "/api/v1/devices", enrolling)
                .audited(AuditClass::Tenant, "device.enrol")
                .once_by_key(),
            post(enrol),
        )
        .add(
            admin(Verb::Delete, "/api/v1/devices/{id}", removing)
                .audited(AuditClass::Tenant, "device.remove"),
            delete(remove),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/login/pin",
                Audience::Public,
                signing_in,
            )
            .takes_secret()
            .audited(AuditClass::Session, "session.begin"),
            post(sign_in),
        )
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let after: Option<DeviceId> = query.cursor()?;
        let acting = Acting::of(ctx.principal()?)?;
        let listed = app
            .service
            .list_devices(acting.tenant(), after, limit + 1)
            .await?;
        let cursor = |device: &Device| device.id.to_string();
        let page = ListBody::page(listed, limit, cursor, |device| DeviceBody::from(device));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn enrol(State(app): State<App>, ctx: Ctx, Json(request): Json<DeviceRequest>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let enrolled = app.service.enrol_device(&acting, &request.name).await?;
        let mut body = DeviceBody::from(&enrolled.device);
        body.device_token = Some(enrolled.token.expose().clone());
        Ok::<_, Refusal>((
            StatusCode::CREATED,
            Audited::target(enrolled.device.id),
            axum::Json(body),
        ))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        app.service.remove_device(&acting, id).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn sign_in(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<PinLoginRequest>,
) -> Response {
    let mut target = String::new();
    let outcome = async {
        let login = login_of(request.email.as_deref(), request.username.as_deref())?;
        target = typed(&app, &login);
        let shown = PinShown {
            pin: &request.pin,
            device_token: &request.device_token,
        };
        app.service
            .sign_in_with_pin(&ctx.tenant, &login, shown, &ctx.client(SessionKind::Api))
            .await
    }
    .await
    .map(|both| SignedIn::Yes(Box::new(both)));
    app.metrics.signed_in(&outcome);
    match outcome {
        Ok(SignedIn::Yes(both)) => {
            let answered = Ok::<_, Refusal>(signed(&app, &both.0, &both.1));
            answer(&app, &ctx, answered)
        }
        // A device names its tenant, so that there is nothing to choose.
        Ok(SignedIn::Choose { .. }) => {
            answer::<StatusCode>(&app, &ctx, Err(Refusal::InvalidCredentials))
        }
        Err(refusal) => Audited::target(target).on(answer::<StatusCode>(&app, &ctx, Err(refusal))),
    }
}
