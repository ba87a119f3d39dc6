//! The handlers of the pages: they take a form apart, call one use case and show a page.

pub(crate) mod error;

use crate::route::Routes;

/// Every page.
pub(crate) fn routes() -> Routes {
    Routes::default()
}
