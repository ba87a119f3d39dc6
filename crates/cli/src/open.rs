//! From settings to a service.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use tenantry_core::Clock;
use tenantry_service::refusal::Chain;
use tenantry_service::{OpenError, Service};
use tenantry_store::Control;

use crate::config::Config;
use crate::exit::Exit;
use crate::master_key;

/// Makes the data folder, for this user only.
pub(crate) fn data_dir(config: &Config) -> Result<(), Exit> {
    let dir = &config.data_dir;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| {
            Exit::refused(
                "invalid_setting",
                format!(
                    "TENANTRY_DATA_DIR: {} can't be used: {error}",
                    dir.display()
                ),
            )
        })
}

/// Waits until no other process opens the service over this data folder. Two that begin at the
/// same moment would both make keys and tables.
async fn turn(dir: &Path) -> Result<File, Exit> {
    let path = dir.join("open.lock");
    let refused = |path: &Path, error: &dyn std::fmt::Display| {
        Exit::refused(
            "invalid_setting",
            format!(
                "TENANTRY_DATA_DIR: {} can't be locked: {error}",
                path.display()
            ),
        )
    };
    let locked = tokio::task::spawn_blocking({
        let path = path.clone();
        move || {
            let file = File::options()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        }
    });
    locked
        .await
        .map_err(|error| refused(&path, &error))?
        .map_err(|error| refused(&path, &error))
}

/// Opens the service.
pub(crate) async fn service(config: &Config) -> Result<Service, Exit> {
    data_dir(config)?;
    let _turn = turn(&config.data_dir).await?;
    let url = config.control()?;
    if tenantry_service::health::on_network_file_system(&url) {
        return Err(Exit::refused(
            "invalid_setting",
            "TENANTRY_CONTROL_URL: SQLite can't be trusted on a network file system; use a local disk or PostgreSQL",
        ));
    }
    let unusable = |error: &(dyn std::error::Error + 'static)| {
        Exit::refused(
            "invalid_setting",
            format!(
                "TENANTRY_CONTROL_URL: the control database can't be used: {}",
                Chain(error)
            ),
        )
    };
    let control = Control::open(&url)
        .await
        .map_err(|error| unusable(&error))?;
    let installed = async { control.read().await?.instance().find().await }
        .await
        .map_err(|error| unusable(&error))?;
    let entropy = tenantry_keys::entropy();
    let master = master_key::obtain(
        config.master_key.as_deref(),
        &config.data_dir.join("master.key"),
        installed.is_some(),
        &entropy,
    )?;
    let settings = config.settings()?;
    Service::open(
        control,
        settings,
        &master,
        config.transport()?,
        Clock::system(),
        entropy,
    )
    .await
    .map_err(|error| match error {
        OpenError::Keyring(error) => Exit::refused("invalid_setting", Chain(&error).to_string()),
        OpenError::Store(error) => Exit::refused(
            "invalid_setting",
            format!("TENANTRY_DATA_DIR: {}", Chain(&error)),
        ),
        OpenError::NoRedis => Exit::refused(
            "invalid_setting",
            format!("TENANTRY_REDIS_URL: {}", Chain(&error)),
        ),
        OpenError::ClusterUrl(_) | OpenError::Cluster(_) => Exit::refused(
            "invalid_setting",
            format!("TENANTRY_CLUSTER_URL: {}", Chain(&error)),
        ),
        OpenError::Threads(error) => {
            Exit::failed("starting the threads that hash passwords", error)
        }
    })
}
