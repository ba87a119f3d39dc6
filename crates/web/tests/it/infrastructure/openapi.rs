//! `GET /openapi.json`: valid OpenAPI 3.1 that tells the truth.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;
use tenantry_web::route::{Audience, Surface};

use crate::census::routes;

async fn document(app: &TestApp) -> Value {
    app.get("/openapi.json").send().await.ok(200)
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut list = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            list.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    list
}

/// Every object in a document, with where it stands.
fn walk<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, value);
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                walk(inner, &format!("{at}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, &format!("{at}/{index}"), visit);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn is_openapi_3_1() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    for field in ["title", "version"] {
        assert!(document["info"][field].is_string());
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(
            name.chars().all(allowed),
            "{name} is no name of a component"
        );
    }
    let schemes = &document["components"]["securitySchemes"];
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let known = [
            "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE",
        ];
        assert!(known.contains(&name.split(' ').next().unwrap()), "{name}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{name}: {id} comes twice");
        let mut seen = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (place, field) = (
                parameter["in"].as_str().unwrap(),
                parameter["name"].as_str().unwrap(),
            );
            assert!(
                seen.insert((place, field)),
                "{name}: {place} {field} comes twice"
            );
            assert!(
                matches!(place, "query" | "header" | "path" | "cookie"),
                "{name}"
            );
            assert!(parameter["schema"].is_object(), "{name}: {field}");
            let in_path = name.contains(&format!("{{{field}}}"));
            assert_eq!(place == "path", in_path, "{name}: {field}");
            assert!(!in_path || parameter["required"] == true, "{name}: {field}");
        }
        for part in name.split('/').filter(|part| part.starts_with('{')) {
            let field = part.trim_matches(['{', '}']);
            assert!(
                seen.contains(&("path", field)),
                "{name}: {field} is not described"
            );
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.is_empty(), "{name}");
        for (status, response) in responses {
            let sane =
                status == "default" || status.parse::<u16>().is_ok_and(|s| (100..600).contains(&s));
            assert!(sane, "{name}: {status}");
            assert!(
                response["description"].is_string() || response["$ref"].is_string(),
                "{name}"
            );
        }
        for requirement in operation["security"].as_array().into_iter().flatten() {
            for scheme in requirement.as_object().unwrap().keys() {
                assert!(schemes[scheme].is_object(), "{name}: {scheme}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut used = BTreeSet::new();
    walk(&document, "#", &mut |at, value| {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{at}: {reference}"));
            assert!(
                document.pointer(pointer).is_some(),
                "{at}: {reference} leads nowhere"
            );
            used.insert(reference.to_owned());
        }
        if let Some(kind) = value.get("type").and_then(Value::as_str)
            && at.contains("/schemas/")
            && !at.ends_with("/properties")
        {
            let known = [
                "string", "number", "integer", "boolean", "array", "object", "null",
            ];
            assert!(known.contains(&kind), "{at}: {kind}");
        }
        if let (Some(required), Some(properties)) = (
            value["required"].as_array(),
            value["properties"].as_object(),
        ) {
            for name in required {
                assert!(
                    properties.contains_key(name.as_str().unwrap()),
                    "{at}: {name} is required and not there"
                );
            }
        }
    });
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            used.contains(&format!("#/components/schemas/{name}")),
            "{name} is used by nobody"
        );
    }
}

#[tokio::test]
async fn describes_the_routes_there_are_and_no_others() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let described: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let there: BTreeSet<String> = routes()
        .iter()
        .filter(|route| route.surface != Surface::Page)
        .map(crate::census::name)
        .collect();
    assert_eq!(described, there);
}

/// A route that reads a body says so, and one that does not, does not: asked with a field that
/// nobody knows.
#[tokio::test]
async fn describes_the_bodies_that_are_read() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let document = document(&app).await;
    for route in routes() {
        if route.surface != Surface::Api {
            continue;
        }
        let admin = app.admin().await.access;
        let owner = app.sign_in(&acme.host, &acme.owner).await.access;
        let platform = route.audience == Audience::PlatformAdmin;
        let token = if platform { admin } else { owner };
        let path = route
            .path
            .replace("{tenant}", "nobody")
            .replace("{id}", &crate::shape::nobodys_id());
        let method = route.verb.as_str();
        let call = app.call(method, &path).bearer(&token);
        let kind = route.doc.map_or("application/json", |doc| doc.request_type);
        if kind == "image/*" {
            // It has no fields; what it takes is told by its own tests.
            continue;
        }
        let body = json!({ "no_such_field": 1 }).to_string();
        let answer = call.body(kind, body).send().await;
        let reads = answer.text().contains("no_such_field");
        let described = &document["paths"][route.path][method.to_ascii_lowercase()]["requestBody"];
        assert_eq!(
            reads,
            described.is_object(),
            "{method} {path}: {}",
            answer.text()
        );
    }
}

/// A route that looks at its query describes it, and takes what it describes.
#[tokio::test]
async fn describes_the_queries_that_are_read() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let admin = app.admin().await.access;
    let mut described = 0;
    for route in routes() {
        if route.surface != Surface::Api || route.audience != Audience::PlatformAdmin {
            continue;
        }
        let path = route.path.replace("{tenant}", "nobody");
        let path = path.replace("{id}", &crate::shape::nobodys_id());
        let method = route.verb.as_str();
        let ask = async |query: &str| {
            let call = app.call(method, &format!("{path}?{query}")).bearer(&admin);
            call.send().await
        };
        let operation = &document["paths"][route.path][method.to_ascii_lowercase()];
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let query: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "query" && parameter["name"] != "tenant_id")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let refuses = ask("no_such_parameter=1")
            .await
            .text()
            .contains("the query has");
        assert_eq!(refuses, !query.is_empty(), "{method} {path}");
        for name in query {
            described += 1;
            let doubled = ask(&format!("{name}=1&{name}=1")).await;
            doubled.problem(400, "malformed_request");
        }
    }
    assert!(described >= 6, "two lists and a deletion");
    for create in ["/api/v1/tenants", "/api/v1/users"] {
        let create = &document["paths"][create]["post"]["parameters"];
        assert!(create.to_string().contains("Idempotency-Key"), "{create}");
    }
}

/// Whether a value has the shape that a schema describes, as far as our schemas go.
fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return fits(document, target, value);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fitting = choices
            .iter()
            .any(|choice| fits(document, choice, value).is_ok());
        return fitting
            .then_some(())
            .ok_or_else(|| format!("{value} fits none of {choices:?}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![kind],
    };
    if !kinds.contains(&kind) && (kind != "integer" || !kinds.contains(&"number")) {
        return Err(format!("{value} is {kind}, not {kinds:?}"));
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for item in list {
            fits(document, items, item)?;
        }
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        for (name, field) in fields {
            let described = properties
                .get(name)
                .ok_or_else(|| format!("{name} is not described"))?;
            fits(document, described, field).map_err(|error| format!("{name}: {error}"))?;
        }
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                return Err(format!("{name} is missing"));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn answers_look_as_described() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let acme = app.tenant("acme").await;
    let admin = app.admin().await.access;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    let described = |path: &str, method: &str, status: &str| {
        let responses = &document["paths"][path][method]["responses"];
        let response = &responses[status];
        let content = &response["content"]["application/json"]["schema"];
        assert!(content.is_object(), "{method} {path} {status}");
        content.clone()
    };
    let check = |path: &str, method: &str, body: &Value| {
        let schema = described(path, method, "200");
        if let Err(error) = fits(&document, &schema, body) {
            panic!("{method} {path}: {error}");
        }
    };
    check("/api/v1/auth/login", "post", &owner.body);
    let get = async |path: &str, token: &str| app.get(path).bearer(token).send().await.ok(200);
    for (path, asked, token) in [
        ("/api/v1/auth/me", "/api/v1/auth/me", &owner.access),
        (
            "/api/v1/auth/sessions",
            "/api/v1/auth/sessions",
            &owner.access,
        ),
        ("/api/v1/tenants", "/api/v1/tenants", &admin),
        ("/api/v1/tenants/{tenant}", "/api/v1/tenants/acme", &admin),
        ("/api/v1/workflows", "/api/v1/workflows", &admin),
    ] {
        check(path, "get", &get(asked, token).await);
    }
    let runs = get("/api/v1/workflows", &admin).await;
    let run = format!(
        "/api/v1/workflows/{}",
        runs["items"][0]["id"].as_str().unwrap()
    );
    check("/api/v1/workflows/{id}", "get", &get(&run, &admin).await);
    app.control().damage("DELETE FROM directory").await.unwrap();
    let post = async |path: &str| app.post(path).bearer(&admin).send().await.ok(200);
    for what in ["check", "repair", "suspend", "resume"] {
        let path = format!("/api/v1/tenants/{{tenant}}/{what}");
        check(
            &path,
            "post",
            &post(&format!("/api/v1/tenants/acme/{what}")).await,
        );
    }
    let problem = &document["components"]["responses"]["Problem"]["content"]["application/problem+json"]
        ["schema"];
    for answer in [
        app.get("/api/v1/auth/me").send().await,
        app.post("/api/v1/auth/login").json(&json!({})).send().await,
    ] {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(fits(&document, problem, &body), Ok(()), "{body}");
    }
    // And the yardstick itself can say no.
    assert!(fits(&document, problem, &json!({ "title": 1 })).is_err());
}
