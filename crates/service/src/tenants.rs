//! Tenants: making, showing, suspending, deleting, restoring, making anew.

mod change;
mod create;
mod first_owner;
mod founding;
mod lifecycle;
mod new;
mod owner;
mod view;

pub use tenantry_store::control::{MinLength, TenantPatch};

pub use change::{Changed, TenantChange};
pub use create::{Created, IdempotencyKey};
pub(crate) use founding::Beginning;
pub use lifecycle::Deleted;
pub use new::{NewOwner, NewTenant};
pub use view::TenantView;

use crate::FieldError;

/// The most characters of a tenant's name.
const NAME: usize = 120;

/// A name to show, as it is kept.
pub(crate) fn checked_name(name: &str) -> Result<String, FieldError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(FieldError::new("name", "required", "a tenant has a name"));
    }
    if name.chars().count() > NAME {
        return Err(FieldError::new(
            "name",
            "too_long",
            format!("a tenant's name has at most {NAME} characters"),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(FieldError::new(
            "name",
            "invalid",
            "a tenant's name is one line of text",
        ));
    }
    Ok(name.to_owned())
}
