//! One server of tenants is away: its tenants are unavailable, and nobody else feels it.

use std::time::{Duration, Instant};

use tenantry_core::Secret;
use tenantry_core::tenant::Isolation;
use tenantry_service::clusters::NewCluster;
use tenantry_service::facts::LOOK;
use tenantry_testkit::app::{TestApp, TestTenant};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use super::crowd::{Bounds, Crowd};
use super::{server_in_trouble, started, until_ready_says};

/// How long a place in front of a server is waited for, and its first answer.
const WAIT: Duration = Duration::from_secs(3);

/// What is allowed over that on a machine that does much else.
const SLACK: Duration = Duration::from_secs(5);

const AWAY: Bounds = Bounds {
    away: &["tenant_unavailable", "busy"],
    longest: LOOK.saturating_add(SLACK),
};

const NOT_CONCERNED: Bounds = Bounds {
    away: &[],
    longest: SLACK,
};

async fn on_server(app: &TestApp, slug: &str, url: &str) -> TestTenant {
    let name = format!("of-{slug}");
    let new = NewCluster {
        name: name.clone(),
        url: Secret::new(url.to_owned()),
        accepts: true,
        capacity: None,
    };
    app.service().add_cluster(new).await.unwrap();
    let owner = format!("owner@{slug}.example");
    let mut new = TestService::new_tenant(slug, &owner, Some(PASSWORD)).unwrap();
    new.isolation = Isolation::Database;
    new.cluster = Some(name);
    let view = app.inner().create(new).await.unwrap();
    TestTenant {
        id: view.tenant.id.to_string(),
        slug: slug.to_owned(),
        host: app.host(slug),
        owner,
    }
}

async fn is_away(crowd: &Crowd, since: Instant) {
    until_ready_says(&crowd.app, "degraded", "cluster:of-acme", "degraded").await;
    crowd.is_turned_away(0, since).await;
    crowd.is_well(1).await;
}

async fn is_back(crowd: &Crowd) {
    until_ready_says(&crowd.app, "ready", "cluster:of-acme", "up").await;
    crowd.is_all_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_felt_by_its_own_tenants_alone() {
    let mut options = Options::sqlite();
    options.pools.wait = WAIT;
    let app = started(options).await;
    // Two ways to one server are two to whoever takes them.
    let server = TestCluster::start().await.unwrap();
    let proxy = Proxy::before(server.url()).await.unwrap();
    let tenants = [
        on_server(&app, "acme", proxy.url()).await,
        on_server(&app, "globex", server.url()).await,
    ];
    let crowd = Crowd::gathered(app, tenants, [AWAY, NOT_CONCERNED]).await;
    server_in_trouble(&crowd, &proxy, is_away, is_back).await;
    let app = crowd.goes_home().await;
    app.service().close().await;
}
