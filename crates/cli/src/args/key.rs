//! `tenantry key`

use clap::Subcommand;

/// Keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Exchange the key that signs access tokens and the one that stored secrets are sealed with.
    ///
    /// Nobody is signed out and nothing stands still: a new signing key is published ten minutes
    /// before it signs and the old one until its tokens have run out; what is sealed is sealed anew.
    /// Broken off, the next one finishes it, and so does a running server.
    Rotate(RotateArgs),
    /// Every key and where it stands.
    List,
}

/// Which keys, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    /// The key that signs access tokens.
    #[arg(long)]
    pub(crate) signing: bool,
    /// The key that stored secrets are sealed with.
    #[arg(long)]
    pub(crate) sealing: bool,
    /// Take every signing key out at once: somebody else may have one. Access tokens that were
    /// issued are refused from now on, and refreshing gives new ones.
    #[arg(long, visible_alias = "revoke")]
    pub(crate) now: bool,
}

impl RotateArgs {
    /// Whether the signing key is meant, where neither is named too.
    pub(crate) const fn means_signing(&self) -> bool {
        self.signing || !self.sealing
    }

    /// Whether the sealing key is meant, where neither is named too.
    pub(crate) const fn means_sealing(&self) -> bool {
        self.sealing || !self.signing
    }
}
