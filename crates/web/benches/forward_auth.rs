//! What forward-auth costs, beside a bare handler behind a bare router in the same run.
//!
//! `cargo bench -p tenantry-web`. Read as ratios: machines differ, and the same one differs by the
//! hour.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::TestApp;
use tenantry_web::{App, Front, Options};
use tower::ServiceExt as _;

fn asked(path: &str, host: &str, header: (&str, &str)) -> Request<Body> {
    let request = Request::get(path).header("host", host);
    request
        .header(header.0, header.1)
        .body(Body::empty())
        .unwrap()
}

fn forward_auth(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, host, session) = runtime.block_on(async {
        let app = TestApp::start().await;
        let acme = app.tenant("acme").await;
        let session = app.sign_in(&acme.host, &acme.owner).await;
        (app, acme.host, session)
    });
    let service = app.service().clone();
    let front = Front::new(App::new(service.clone(), Options::default()));
    let bare = Router::new().route("/", get(async || "ok"));
    let bearer = format!("Bearer {}", session.access);
    let credential = ("authorization", bearer.as_str());

    let peer = SocketAddr::from(([127, 0, 0, 1], 1));

    let mut group = criterion.benchmark_group("forward_auth");
    group.bench_function("bare handler", |bench| {
        bench.to_async(&runtime).iter(async || {
            let answer = bare.clone().oneshot(asked("/", &host, credential)).await;
            assert_eq!(answer.unwrap().status(), StatusCode::OK);
        });
    });
    group.bench_function("request alone", |bench| {
        bench.iter(|| asked("/auth/verify", &host, credential));
    });
    group.bench_function("verify", |bench| {
        bench.to_async(&runtime).iter(async || {
            let request = asked("/auth/verify", &host, credential);
            assert_eq!(front.answer(request, peer).await.status(), StatusCode::OK);
        });
    });
    group.bench_function("me", |bench| {
        bench.to_async(&runtime).iter(async || {
            let request = asked("/api/v1/auth/me", &host, credential);
            assert_eq!(front.answer(request, peer).await.status(), StatusCode::OK);
        });
    });
    group.bench_function("check of an access token", |bench| {
        bench.to_async(&runtime).iter(async || {
            let known = service.authenticate(Credential::Bearer(&session.access), None);
            assert!(known.await.is_ok());
        });
    });
    group.finish();
    drop(app);
}

criterion_group!(benches, forward_auth);
criterion_main!(benches);
