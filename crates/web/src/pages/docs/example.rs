//! A call of an operation on the command line, to copy and try.

use std::fmt::Write as _;

use super::Field;

/// A `curl` command with every field that has to be there.
pub(super) fn curl(
    origin: &str,
    method: &str,
    path: &str,
    request: &[Field],
    signed_in: bool,
) -> String {
    let path = shell_path(path);
    let mut command = String::from("curl");
    if method != "get" {
        // Writing to a String can't fail.
        let _ = write!(command, " -X {}", method.to_ascii_uppercase());
    }
    let _ = write!(command, " \"{origin}{path}\"");
    if signed_in {
        command.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    if let Some(body) = body(request) {
        let _ = write!(
            command,
            " \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'"
        );
    }
    command
}

/// A body with every field that has to be there, where the operation takes one.
pub(super) fn body(request: &[Field]) -> Option<String> {
    if request.is_empty() {
        return None;
    }
    // An address may stand for a username, and then the schema can't require it.
    let mut shown: Vec<&Field> = request
        .iter()
        .filter(|field| field.required || field.name == "email")
        .collect();
    if shown.is_empty() {
        shown.extend(request.first());
    }
    let fields: Vec<String> = shown
        .iter()
        .map(|field| format!("\"{}\": {}", field.name, value(field)))
        .collect();
    Some(format!("{{{}}}", fields.join(", ")))
}

/// A value of the right kind.
fn value(field: &Field) -> String {
    let kind = field.kind.split(" | ").next().unwrap_or_default();
    match kind {
        "boolean" => "true".to_owned(),
        "integer" | "number" => "1".to_owned(),
        "object" => "{}".to_owned(),
        "string" | "email" | "any" => format!("\"{}\"", word(&field.name)),
        list if list.starts_with('[') => "[]".to_owned(),
        name if name.starts_with(char::is_uppercase) => "{}".to_owned(),
        word => format!("\"{word}\""),
    }
}

fn word(name: &str) -> &str {
    match name {
        "email" => "ada@example.com",
        "password" | "new_password" => "correct horse battery staple",
        "name" => "Acme",
        "slug" => "acme",
        _ => "…",
    }
}

/// A path with its parameters as variables of the shell: `/users/{id}` as `/users/$ID`.
fn shell_path(path: &str) -> String {
    let mut shell = String::new();
    for (place, part) in path.split(['{', '}']).enumerate() {
        // Every other part stood in braces.
        if place % 2 == 1 {
            shell.push('$');
            shell.push_str(&part.to_ascii_uppercase());
        } else {
            shell.push_str(part);
        }
    }
    shell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_must_be_there_and_an_address() {
        let field = |name: &str, kind: &str, required| Field {
            name: name.to_owned(),
            kind: kind.to_owned(),
            required,
            about: String::new(),
        };
        let fields = [
            field("email", "string", false),
            field("limit", "integer", false),
        ];
        assert_eq!(
            curl(
                "http://h",
                "post",
                "/api/v1/users/{user_id}/pin",
                &fields,
                true
            ),
            "curl -X POST \"http://h/api/v1/users/$USER_ID/pin\" \\\n  \
             -H \"Authorization: Bearer $TOKEN\" \\\n  -H \"Content-Type: application/json\" \\\n  \
             -d '{\"email\": \"ada@example.com\"}'"
        );
        assert_eq!(
            curl("http://h", "get", "/healthz", &[], false),
            "curl \"http://h/healthz\""
        );
    }
}
