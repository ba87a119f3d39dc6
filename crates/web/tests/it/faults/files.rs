//! The folder of the tenants' files is away, as a disk that is not mounted, and is back.

use std::time::Duration;

use tenantry_testkit::app::AppOptions;
use tenantry_testkit::service::Options;

use super::crowd::{Bounds, Crowd};
use super::until_ready_says;

const BOUNDS: Bounds = Bounds {
    away: &["tenant_unavailable", "busy"],
    longest: Duration::from_secs(5),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_whose_folder_is_away_are_unavailable_and_back_with_it() {
    let options = AppOptions {
        trusted_proxies: &["127.0.0.1/32"],
        ..AppOptions::over(Options::sqlite())
    };
    let app = options.start().await;
    let tenants = [app.tenant("acme").await, app.tenant("globex").await];
    let crowd = Crowd::gathered(app, tenants, [BOUNDS, BOUNDS]).await;
    let folder = crowd.app.inner().data_dir().join("tenants");
    let aside = folder.with_extension("aside");

    std::fs::rename(&folder, &aside).unwrap();
    let since = crowd.now("away");
    for side in [0, 1] {
        crowd.is_turned_away(side, since).await;
    }
    // It is the tenants' trouble, each for itself; the platform goes on.
    until_ready_says(&crowd.app, "ready", "control_database", "up").await;
    crowd.app.admin().await;

    std::fs::rename(&aside, &folder).unwrap();
    crowd.now("back");
    crowd.is_all_well().await;
    crowd.goes_home().await;
}
