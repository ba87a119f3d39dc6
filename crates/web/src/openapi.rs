//! The API's description (OpenAPI 3.1), made from the routes and their types.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use tenantry_core::Locale;

use crate::i18n::problem::ProblemCode;
use crate::route::{Audience, Doc, IdempotencyClass, Route, Routes, SchemaOf, Surface, TenantRule};

/// Describes every route that has a description.
pub fn describe(routes: &Routes) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.declarations() {
        let Some(doc) = &route.doc else { continue };
        let operation = operation(route, doc, &mut generator);
        let path = paths
            .entry(route.path)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(methods) = path {
            methods.insert(route.verb.as_str().to_ascii_lowercase(), operation);
        }
    }
    let problem = generator.subschema_for::<ProblemBody>();
    let schemas = generator.take_definitions(true);
    let mut refusals: Map<String, Value> = Map::new();
    for code in ProblemCode::ALL {
        let title = code.text(Locale::En).title;
        refusals.insert(
            code.as_str().to_owned(),
            json!({ "status": code.status(), "title": title }),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenantry",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tenants and their people. Errors are problem details (RFC 9457); `code` tells them apart.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "responses": {
                "Problem": {
                    "description": "Why the request is not answered as asked",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
        },
        "x-problem-codes": refusals,
    })
}

/// Problem details (RFC 9457).
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Problem")]
#[expect(
    dead_code,
    reason = "describes `tenantry_claims::Problem`, which lives where there are no schemas"
)]
struct ProblemBody {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    code: String,
    request_id: String,
    errors: Option<Vec<ProblemField>>,
}

/// What is wrong with one field.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "describes a part of `tenantry_claims::Problem`")]
struct ProblemField {
    field: String,
    code: String,
    message: String,
}

fn schema(of: SchemaOf, generator: &mut SchemaGenerator) -> Value {
    of(generator).to_value()
}

fn operation(route: &Route, doc: &Doc, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "summary": doc.summary,
        "operationId": operation_id(route),
        "tags": [tag(route)],
        "x-audience": route.audience,
        "parameters": parameters(route, doc, generator),
    });
    if route.audience != Audience::Public {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    if let Some(request) = doc.request {
        operation["requestBody"] = json!({
            "required": true,
            "content": { doc.request_type: { "schema": schema(request, generator) } },
        });
        if let Some(about) = doc.request_about {
            operation["requestBody"]["description"] = about.into();
        }
    }
    let mut response = json!({ "description": "Done" });
    if let Some(body) = doc.response.1 {
        response["content"] = json!({ "application/json": { "schema": schema(body, generator) } });
    }
    operation["responses"] = json!({
        doc.response.0.to_string(): response,
        "default": { "$ref": "#/components/responses/Problem" },
    });
    let mut refusals = doc.refusals.to_vec();
    if route.idempotency != IdempotencyClass::None && !refusals.contains(&"conflict") {
        // The key was used for another request, or the first is under way.
        refusals.push("conflict");
    }
    if !refusals.is_empty() {
        operation["x-refusals"] = json!(refusals);
    }
    operation
}

fn parameters(route: &Route, doc: &Doc, generator: &mut SchemaGenerator) -> Vec<Value> {
    let text = |place: &str, name: &str, description: &str| {
        json!({
            "name": name, "in": place, "required": false, "schema": { "type": "string" },
            "description": description,
        })
    };
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(query) = doc.query {
        parameters.extend(query_parameters(&schema(query, generator)));
    }
    if route.idempotency != IdempotencyClass::None {
        let description = "Asked again under the same key, the same is not done again";
        parameters.push(text("header", crate::idempotency::HEADER, description));
    }
    if route.tenant == TenantRule::Optional && route.surface == Surface::Api {
        let description = "The tenant, by id or slug, where the host does not name it";
        parameters.push(text("header", "X-Tenant-ID", description));
        parameters.push(text("query", "tenant_id", description));
    }
    parameters
}

/// The fields of a struct as parameters of the query.
fn query_parameters(schema: &Value) -> Vec<Value> {
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields
        .map(|(name, field)| {
            let mut inner = field.clone();
            let description = inner
                .as_object_mut()
                .and_then(|inner| inner.remove("description"));
            json!({
                "name": name, "in": "query", "required": required(name), "schema": inner,
                "description": description.unwrap_or_default(),
            })
        })
        .collect()
}

fn operation_id(route: &Route) -> String {
    let words: Vec<String> = route
        .path
        .split(['/', '-', '.'])
        .filter(|part| !part.is_empty() && *part != "api" && *part != "v1")
        .map(|part| part.trim_matches(['{', '}']).to_owned())
        .collect();
    format!(
        "{}_{}",
        route.verb.as_str().to_ascii_lowercase(),
        words.join("_")
    )
}

fn tag(route: &Route) -> String {
    match route.surface {
        Surface::Infrastructure | Surface::ForwardAuth => "infrastructure".to_owned(),
        Surface::Api | Surface::Page => route
            .path
            .trim_start_matches("/api/v1/")
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}
