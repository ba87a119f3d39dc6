//! `tenantry config`

use std::process::ExitCode;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::Output;

/// Prints the effective settings, secrets masked.
pub(super) fn run(config: &Config, out: Output) -> Result<ExitCode, Exit> {
    let text =
        toml::to_string(config).map_err(|error| Exit::failed("writing the settings", error))?;
    out.show(config, || text)?;
    Ok(ExitCode::SUCCESS)
}
