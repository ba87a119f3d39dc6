//! What values look like: names of fields, ids, times.

use serde_json::Value;
use uuid::Uuid;

/// The names of an object's fields, in order.
#[track_caller]
pub(crate) fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap_or_else(|| panic!("{object} is no object"))
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// Expects exactly these fields, written in any order.
#[track_caller]
pub(crate) fn has_fields(object: &Value, names: &[&str]) {
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(fields(object), names, "{object}");
}

/// A `UUIDv7` in its usual form.
#[track_caller]
pub(crate) fn is_id(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no id"));
    let id: Uuid = text.parse().unwrap();
    assert_eq!((id.get_version_num(), id.to_string()), (7, text.to_owned()));
}

/// A time in RFC 3339, in UTC.
#[track_caller]
pub(crate) fn is_time(value: &Value) {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no time"));
    let digits: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert!(
        digits == "0000-00-00T00:00:00.000Z" || digits == "0000-00-00T00:00:00Z",
        "{text}"
    );
}

/// A fresh id that nothing has.
pub(crate) fn nobodys_id() -> String {
    "0192f0c1-0000-7000-8000-0000000000ff".to_owned()
}
