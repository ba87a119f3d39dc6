//! Reading an `OpenAPI` 3.1 document, as far as people want to know.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tenantry_core::Locale;

use super::{Api, Field, Group, Operation, Problem, example};
use crate::i18n::problem::ProblemCode;

/// How many references in a row are followed; a ring of them ends there.
const DEPTH: usize = 8;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Reads a document. See [`super::DocsPage::from_openapi`].
pub(super) fn read(document: &Value, origin: &str, locale: Locale) -> Api {
    let reader = Reader { document, origin };
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, methods) in entries(&document["paths"]) {
        for method in METHODS {
            if let Some(found) = methods.get(method) {
                let tag = text(&found["tags"][0]);
                groups
                    .entry(tag)
                    .or_default()
                    .push(reader.operation(path, method, found));
            }
        }
    }
    Api {
        version: text(&document["info"]["version"]),
        groups: groups
            .into_iter()
            .map(|(name, operations)| Group { name, operations })
            .collect(),
        problems: entries(&document["x-problem-codes"])
            .map(|(code, problem)| Problem {
                code: code.clone(),
                status: problem["status"].to_string(),
                title: ProblemCode::find(code).map_or_else(
                    || text(&problem["title"]),
                    |known| known.text(locale).title.to_owned(),
                ),
            })
            .collect(),
    }
}

struct Reader<'a> {
    document: &'a Value,
    origin: &'a str,
}

impl Reader<'_> {
    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let good = entries(&operation["responses"]).find(|(status, _)| status.starts_with('2'));
        let (status, answer) = good.map_or((String::new(), &Value::Null), |(status, answer)| {
            (
                status.clone(),
                &answer["content"]["application/json"]["schema"],
            )
        });
        let request = self.fields(body);
        let audience = text(&operation["x-audience"]);
        Operation {
            id: anchor(method, path),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: plain(&text(&operation["summary"])),
            parameters: list(&operation["parameters"])
                .map(|one| self.parameter(one))
                .collect(),
            status,
            response: self.fields(answer),
            refusals: list(&operation["x-refusals"]).map(text).collect(),
            example: example::curl(self.origin, method, path, &request, audience != "public"),
            body: example::body(&request),
            audience,
            request,
        }
    }

    fn parameter(&self, parameter: &Value) -> Field {
        let parameter = self.resolved(parameter);
        Field {
            name: text(&parameter["name"]),
            kind: text(&parameter["in"]),
            required: parameter["required"] == true,
            about: text(&parameter["description"]),
        }
    }

    /// The fields of an object's schema; of the first alternative that has some where there are
    /// several.
    fn fields(&self, schema: &Value) -> Vec<Field> {
        let schema = self.resolved(schema);
        let required: Vec<String> = list(&schema["required"]).map(text).collect();
        let mut fields: Vec<Field> = entries(&schema["properties"])
            .map(|(name, property)| Field {
                name: name.clone(),
                kind: self.kind(property, 0),
                required: required.contains(name),
                about: self.about(property),
            })
            .collect();
        fields.sort_by_key(|field| !field.required);
        if fields.is_empty() {
            for key in ["oneOf", "anyOf", "allOf"] {
                for part in list(&schema[key]) {
                    for field in self.fields(part) {
                        if !fields.iter().any(|known| known.name == field.name) {
                            fields.push(field);
                        }
                    }
                }
            }
        }
        fields
    }

    /// What a schema holds, in a few words.
    fn kind(&self, schema: &Value, depth: usize) -> String {
        if depth > DEPTH {
            return "…".to_owned();
        }
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
        {
            let target = self.resolved(schema);
            return if target["properties"].is_object() {
                name.to_owned()
            } else {
                self.kind(target, depth + 1)
            };
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<String> = words.iter().map(text).collect();
            return words.join(" | ");
        }
        if !schema["const"].is_null() {
            return text(&schema["const"]);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let mut kinds: Vec<String> = list(&schema[key])
                .map(|part| self.kind(part, depth + 1))
                .filter(|kind| kind != "null")
                .collect();
            kinds.dedup();
            if !kinds.is_empty() {
                return kinds.join(" | ");
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null")
                .unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        };
        match (kind, schema["format"].as_str()) {
            ("array", _) => format!("[{}]", self.kind(&schema["items"], depth + 1)),
            ("string", Some(format)) => format.to_owned(),
            ("", _) => "any".to_owned(),
            (kind, _) => kind.to_owned(),
        }
    }

    fn about(&self, schema: &Value) -> String {
        let own = text(&schema["description"]);
        let about = if own.is_empty() {
            text(&self.resolved(schema)["description"])
        } else {
            own
        };
        plain(&about)
    }

    /// The schema that a reference leads to.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut found = schema;
        for _ in 0..DEPTH {
            let Some(path) = found["$ref"]
                .as_str()
                .and_then(|path| path.strip_prefix('#'))
            else {
                break;
            };
            found = self.document.pointer(path).unwrap_or(&Value::Null);
        }
        found
    }
}

/// Descriptions are written for source code, where words of the API stand in backticks.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An anchor such as `get-api-v1-tenants-id`.
fn anchor(method: &str, path: &str) -> String {
    let mut anchor = method.to_owned();
    for c in path.chars() {
        if c.is_ascii_alphanumeric() {
            anchor.push(c.to_ascii_lowercase());
        } else if !anchor.ends_with('-') {
            anchor.push('-');
        }
    }
    anchor.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_of_another_shape_gives_an_empty_page() {
        for document in [
            json!(null),
            json!([1]),
            json!({"paths": 1}),
            json!({"paths": {"/": 1}}),
        ] {
            assert!(
                read(&document, "", Locale::En).groups.is_empty(),
                "{document}"
            );
        }
    }

    #[test]
    fn a_ring_of_references_ends() {
        let document = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/A"}}}}}}}},
            "components": {"schemas": {
                "A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"},
            }},
        });
        let api = read(&document, "", Locale::En);
        assert_eq!(api.groups[0].operations[0].response, []);
    }

    #[test]
    fn kinds_are_said_shortly() {
        let document = json!({"components": {"schemas": {
            "Role": {"type": "string", "enum": ["owner", "member"]},
            "Tenant": {"type": "object", "properties": {"id": {"type": "string"}}},
        }}});
        let reader = Reader {
            document: &document,
            origin: "",
        };
        let kind = |schema: Value| reader.kind(&schema, 0);
        assert_eq!(
            kind(json!({"$ref": "#/components/schemas/Role"})),
            "owner | member"
        );
        assert_eq!(
            kind(json!({"type": "array", "items": {"$ref": "#/components/schemas/Tenant"}})),
            "[Tenant]"
        );
        assert_eq!(
            kind(json!({"type": ["string", "null"], "format": "uuid"})),
            "uuid"
        );
        assert_eq!(
            kind(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]})),
            "integer"
        );
        assert_eq!(kind(json!(true)), "any");
    }
}
