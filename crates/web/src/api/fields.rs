//! Fields of requests, each taken apart by itself, so that everything that is wrong is told at once.

use serde::{Deserialize, Deserializer};
use tenantry_service::FieldError;

/// What a field says, or `None` with the reason among `errors`.
pub(crate) fn collect<T, E: std::fmt::Display>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    parsed: Result<T, E>,
) -> Option<T> {
    parsed
        .map_err(|error| errors.push(FieldError::new(field, "invalid", error)))
        .ok()
}

/// What a field says that may be left out.
pub(crate) fn parse_option<T: std::str::FromStr>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    text: Option<&str>,
) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    text.and_then(|text| collect(errors, field, text.parse::<T>()))
}

/// What a field says that is there: for `#[serde(default, deserialize_with)]` of one that may be
/// null, which is something other than left out.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
