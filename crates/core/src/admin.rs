//! Platform admins: people outside any tenant.

use crate::user::SecurityVersion;
use crate::{AdminId, Email, Timestamp};

/// A platform admin, without secrets.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The id.
    pub id: AdminId,
    /// Where mail goes and what the admin signs in with.
    pub email: Email,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// Raised when earlier sessions must end.
    pub security_version: SecurityVersion,
    /// The password must be replaced before anything else.
    pub must_change_password: bool,
    /// Whether a password is set at all.
    pub has_password: bool,
    /// Since when the admin is kept out.
    pub disabled_at: Option<Timestamp>,
    /// When the admin was added.
    pub created_at: Timestamp,
    /// The last sign-in.
    pub last_login_at: Option<Timestamp>,
}
