//! The list of servers that tenants are placed on.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use tenantry_service::clusters::ClusterView;

use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::pages::admin::{AdminClustersPage, ClusterRow};
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

pub(super) fn routes() -> Routes {
    let route = Route::page(paths::CLUSTERS, Audience::PlatformAdmin);
    Routes::default().add(route, get(list))
}

async fn list(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = app.service.list_clusters().await.map(|views| {
        let shown = AdminClustersPage {
            chrome: chrome_of(&app, &ctx, None),
            rows: views.into_iter().map(row).collect(),
        };
        page(&app, &ctx, StatusCode::OK, &shown)
    });
    answer(&app, &ctx, outcome)
}

fn row(view: ClusterView) -> ClusterRow {
    ClusterRow {
        name: view.name,
        host: view.host,
        port: view.port,
        tenants: view.tenants,
        capacity: view.capacity,
        open: view.accepts,
        reachable: view.unreachable.is_none(),
        connections: view
            .load
            .map(|load| (load.connections_used, load.connections_max)),
    }
}
