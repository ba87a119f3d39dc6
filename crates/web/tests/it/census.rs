//! What every route declares, and that no route is without it.

pub(crate) mod audit;
mod cast;
mod credentials;
mod forms;

use std::collections::BTreeSet;

use serde_json::Value;
use tenantry_web::openapi::describe;
use tenantry_web::route::{
    Audience, AuditClass, CsrfClass, IdempotencyClass, LimiterClass, Route, Surface, Verb,
};

pub(crate) fn routes() -> Vec<Route> {
    tenantry_web::routes().declarations().copied().collect()
}

pub(crate) fn name(route: &Route) -> String {
    format!("{} {}", route.verb.as_str(), route.path)
}

/// Routes that change nothing although their method could.
const READS: &[&str] = &[
    "POST /admin/tenants/{slug}/check",
    "POST /api/v1/clusters/{name}/check",
    "POST /api/v1/tenants/{tenant}/check",
];

/// What somebody who must change the password first may do: see who that is, change it, leave.
/// Whoever makes this list longer opens a door.
const BEFORE_PASSWORD_CHANGE: &[&str] = &[
    "GET /account/password",
    "GET /api/v1/auth/me",
    "POST /account/password",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/logout-all",
    "POST /api/v1/auth/me/password",
    "POST /logout",
];

/// Fields whose value proves something.
const SECRETS: &[&str] = &[
    "code",
    "current_password",
    "device_token",
    "otp",
    "pin",
    "refresh_token",
    "selection_token",
    "token",
];

#[test]
fn every_route_is_declared_once() {
    let routes = routes();
    assert!(routes.len() > 30, "the census sees {} routes", routes.len());
    let names: BTreeSet<String> = routes.iter().map(name).collect();
    assert_eq!(names.len(), routes.len());
    for route in &routes {
        assert!(route.path.starts_with('/'), "{}", name(route));
        assert!(
            route.path == "/" || !route.path.ends_with('/'),
            "{} ends with a slash",
            name(route)
        );
    }
}

#[test]
fn every_page_that_changes_something_tells_its_own_forms() {
    for route in routes() {
        let form = route.surface == Surface::Page && route.verb != Verb::Get;
        assert_eq!(route.csrf == CsrfClass::Form, form, "{}", name(&route));
        if route.surface == Surface::Page {
            let verb = matches!(route.verb, Verb::Get | Verb::Post);
            assert!(verb, "browsers send no {}", name(&route));
        }
    }
}

#[test]
fn every_change_is_audited_and_no_reading_is() {
    for route in routes() {
        let reads = route.verb == Verb::Get || READS.contains(&name(&route).as_str());
        assert_eq!(route.audit == AuditClass::None, reads, "{}", name(&route));
    }
}

/// What makes something, by the status it answers with, or by work that may take longer than the
/// answer waits (202).
#[test]
fn every_create_is_done_once_under_one_key() {
    let mut creates = 0;
    for route in routes() {
        let makes = route.doc.is_some_and(|doc| {
            matches!(doc.response.0, 201 | 202) || doc.summary.contains("; 202 with its workflow")
        });
        creates += usize::from(makes);
        let once = route.idempotency != IdempotencyClass::None;
        assert_eq!(once, makes, "{}", name(&route));
        let by_work = route.idempotency == IdempotencyClass::WithWork;
        assert_eq!(by_work, name(&route) == "POST /api/v1/tenants");
    }
    assert!(creates >= 9, "{creates} creates seen");
}

#[test]
fn surfaces_are_where_their_clients_look() {
    for route in routes() {
        let api = route.path.starts_with("/api/");
        assert_eq!(route.surface == Surface::Api, api, "{}", name(&route));
        let platform = [
            "/admin",
            "/api/v1/audit",
            "/api/v1/clusters",
            "/api/v1/tenants",
            "/api/v1/webhooks",
        ];
        let admin = platform.iter().any(|path| route.path.starts_with(path));
        if admin {
            assert_eq!(route.audience, Audience::PlatformAdmin, "{}", name(&route));
        }
    }
}

#[test]
fn only_what_is_needed_is_there_before_the_password_is_changed() {
    let mut seen: Vec<String> = routes()
        .iter()
        .filter(|route| route.before_password_change)
        .map(name)
        .collect();
    seen.sort();
    assert_eq!(seen, BEFORE_PASSWORD_CHANGE);
}

/// The schema a reference leads to.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[test]
fn what_takes_a_secret_is_limited() {
    let document = describe(&tenantry_web::routes());
    let mut limited = Vec::new();
    for route in routes() {
        if route.limiter != LimiterClass::None {
            limited.push(name(&route));
        }
        let in_path = route.path.contains("{token}");
        let method = route.verb.as_str().to_ascii_lowercase();
        let body = &document["paths"][route.path][method]["requestBody"]["content"]["application/json"]
            ["schema"];
        let properties = resolve(&document, body)["properties"].as_object();
        let guessable = properties.into_iter().flatten().any(|(field, _)| {
            // Whoever runs a tenant's people or the platform sets others' passwords.
            let sets = matches!(
                route.audience,
                Audience::TenantAdmin | Audience::PlatformAdmin
            );
            field.contains("password") && !sets
        });
        let in_body = properties.into_iter().flatten().any(|(field, _)| {
            // Whoever is not signed in and gives a password proves with it who it is.
            let proof = field == "password" && route.audience == Audience::Public;
            let sets = route.audience == Audience::TenantAdmin;
            proof || (SECRETS.contains(&field.as_str()) && !sets)
        });
        if in_path || in_body {
            assert_ne!(route.limiter, LimiterClass::None, "{}", name(&route));
        }
        if guessable {
            assert_eq!(route.limiter, LimiterClass::Secret, "{}", name(&route));
        }
    }
    // Every door with a lock. A new one is added here by whoever builds it.
    for door in [
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/login/pin",
        "POST /api/v1/auth/login/select",
        "POST /api/v1/auth/me/password",
        "POST /api/v1/auth/refresh",
        "POST /account/password",
        "POST /choose-tenant",
        "POST /login",
        "POST /setup/credentials/{token}",
        "POST /setup/password/{token}",
    ] {
        assert!(
            limited.iter().any(|name| name == door),
            "{door}: {limited:?}"
        );
    }
}

#[test]
fn every_route_of_the_api_is_documented() {
    let document = describe(&tenantry_web::routes());
    for route in routes() {
        if route.surface == Surface::Page {
            assert!(route.doc.is_none(), "{} is no API", name(&route));
            continue;
        }
        let doc = route.doc.unwrap_or_else(|| panic!("{}", name(&route)));
        let method = route.verb.as_str().to_ascii_lowercase();
        let operation = &document["paths"][route.path][method];
        assert_eq!(operation["summary"], doc.summary, "{}", name(&route));
        let status = doc.response.0.to_string();
        let answer = &operation["responses"][&status];
        assert!(answer.is_object(), "{}: {operation}", name(&route));
        // The API answers with something, unless it says that there is nothing.
        if route.surface == Surface::Api {
            let schema = &answer["content"]["application/json"]["schema"];
            assert_eq!(schema.is_object(), status != "204", "{}", name(&route));
        }
        assert_eq!(
            operation["security"].is_array(),
            route.audience != Audience::Public,
            "{}",
            name(&route)
        );
        for code in doc.refusals {
            assert!(
                document["x-problem-codes"][code].is_object(),
                "{} refuses with {code}, which is no code",
                name(&route)
            );
        }
    }
}
