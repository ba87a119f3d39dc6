//! Where the master key comes from.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tenantry_core::Entropy;
use tenantry_keys::sealing::MasterKey;

use crate::exit::Exit;

fn refused(why: impl Into<String>) -> Exit {
    Exit::refused(
        "invalid_setting",
        format!("TENANTRY_MASTER_KEY: {}", why.into()),
    )
}

/// The master key: from the settings, else from its file, else, for a new installation, made and
/// written there. Where sealed data exists a missing key is refused, since a fresh one would open
/// none of it. Called by one process at a time.
pub(crate) fn obtain(
    given: Option<&str>,
    path: &Path,
    installed: bool,
    entropy: &Entropy,
) -> Result<MasterKey, Exit> {
    if let Some(text) = given {
        return MasterKey::parse(text.trim()).map_err(|error| refused(error.to_string()));
    }
    match fs::read_to_string(path) {
        Ok(text) => MasterKey::parse(text.trim())
            .map_err(|error| refused(format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound && installed => Err(refused(format!(
            "{} is missing, and the control database holds data sealed under it; put the key back",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => make(path, entropy),
        Err(error) => Err(refused(format!("{}: {error}", path.display()))),
    }
}

fn make(path: &Path, entropy: &Entropy) -> Result<MasterKey, Exit> {
    let key = MasterKey::generate(entropy);
    // Whole before it has its name: a process that dies here, or finds the disk full, must not
    // leave half a key that refuses every later start.
    let unfinished = path.with_extension("key.unfinished");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            writeln!(file, "{}", key.to_base64().expose())?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            // The name must last as long as what is sealed under the key.
            path.parent()
                .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
        });
    match written {
        Ok(()) => Ok(key),
        Err(error) => Err(refused(format!(
            "{} can't be written: {error}",
            path.display()
        ))),
    }
}
