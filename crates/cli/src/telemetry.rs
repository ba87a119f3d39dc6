//! Log lines, to stderr.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Config, LogFormat};
use crate::exit::Exit;

/// Begins to log.
pub(crate) fn start(config: &Config) -> Result<(), Exit> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Exit::refused("invalid_setting", format!("TENANTRY_LOG: {error}")))?;
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => base
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => base.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Exit::failed("the log could not be started", error))
}
