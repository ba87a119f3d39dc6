//! Devices on which a PIN is enough: enrolled and taken out by owners and admins.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::DeviceId;
use tenantry_service::Refusal;
use tenantry_service::devices::Device;
use tenantry_service::staff::Acting;

use super::PAGE;
use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::paths;
use crate::pages::staff::{DeviceRow, DevicesPage};
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome;
use crate::site::forms::{ListQuery, NoFields};
use crate::site::{Asked, asked, page, see_other};

pub(super) fn routes() -> Routes {
    let form =
        |path, action| Route::form(path, Audience::TenantAdmin).audited(AuditClass::Tenant, action);
    Routes::default()
        .add(
            Route::page(paths::DEVICES, Audience::TenantAdmin),
            get(list),
        )
        .add(form(paths::DEVICES, "device.enrol"), post(enrol))
        .add(
            form("/staff/devices/{id}/remove", "device.remove"),
            post(remove),
        )
}

/// The form, as the API's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceForm {
    name: String,
}

/// The page with the devices after a cursor.
async fn shown(
    app: &App,
    ctx: &Ctx,
    acting: &Acting<'_>,
    after: Option<DeviceId>,
) -> Result<DevicesPage, Refusal> {
    let listed = app
        .service
        .list_devices(acting.tenant(), after, PAGE + 1)
        .await?;
    let cursor = |device: &Device| device.id.to_string();
    let rows = ListBody::page(listed, PAGE, cursor, |device| DeviceRow {
        id: device.id.to_string(),
        name: device.name.clone(),
        created_at: device.created_at,
        last_used_at: device.last_used_at,
    });
    Ok(DevicesPage {
        chrome: chrome(app, ctx),
        rows: rows.items,
        is_first: after.is_none(),
        next: rows.next_cursor,
        enrolled: None,
        removed: false,
        typed: None,
    })
}

async fn list(State(app): State<App>, ctx: Ctx, query: Asked<ListQuery>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let asked = asked(query);
        // A cursor that is none shows the beginning.
        let after = asked.cursor.and_then(|cursor| cursor.parse().ok());
        let shown = DevicesPage {
            removed: asked.done.as_deref() == Some("removed"),
            ..shown(&app, &ctx, &acting, after).await?
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn enrol(State(app): State<App>, ctx: Ctx, Form(sent): Form<DeviceForm>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        match app.service.enrol_device(&acting, &sent.name).await {
            Ok(enrolled) => {
                let (device, token) = (enrolled.device, enrolled.token.expose().clone());
                let shown = DevicesPage {
                    enrolled: Some((device.name, token)),
                    ..shown(&app, &ctx, &acting, None).await?
                };
                let page = page(&app, &ctx, StatusCode::CREATED, &shown);
                Ok(Audited::target(device.id).on(page))
            }
            Err(Refusal::Validation(_)) => {
                let shown = DevicesPage {
                    typed: Some(sent.name),
                    ..shown(&app, &ctx, &acting, None).await?
                };
                let unfit = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(page(&app, &ctx, unfit, &shown))
            }
            Err(refusal) => Err(refusal),
        }
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        app.service.remove_device(&acting, id).await?;
        Ok::<_, Refusal>(see_other(&format!("{}?done=removed", paths::DEVICES)))
    }
    .await;
    answer(&app, &ctx, outcome)
}
