//! Samples of the page that describes the API.

use serde_json::{Value, json};
use tenantry_core::Locale;

use super::DocsPage;
use crate::pages::samples::{self, Samples};

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn content(schema: &Value) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tenantry", "version": "0.1.0" },
        "paths": {
            "/healthz": { "get": {
                "tags": ["infrastructure"], "summary": "Whether the process is alive",
                "x-audience": "public", "responses": { "200": { "description": "Done" } },
            }},
            "/api/v1/auth/login": { "post": {
                "tags": ["auth"], "summary": "Signs a person in", "x-audience": "public",
                "parameters": [{ "name": "X-Tenant-ID", "in": "header", "required": false,
                    "description": "The tenant, by id or slug, where the host does not name it" }],
                "requestBody": content(&reference("Login")),
                "responses": { "200": content(&reference("LoginAnswer")) },
                "x-refusals": ["invalid_credentials", "tenant_selection_required", "rate_limited"],
            }},
            "/api/v1/tenants": {
                "get": {
                    "tags": ["tenants"], "summary": "Lists tenants", "x-audience": "platform_admin",
                    "parameters": [{ "name": "cursor", "in": "query", "description": "Where the last page ended" }],
                    "responses": { "200": content(&reference("TenantPage")) },
                },
                "post": {
                    "tags": ["tenants"], "x-audience": "platform_admin",
                    "summary": "Makes a tenant with its database, its owner & <everything>",
                    "requestBody": content(&reference("NewTenant")),
                    "responses": { "201": content(&reference("Tenant")) },
                    "x-refusals": ["slug_taken", "validation_failed"],
                },
            },
            "/api/v1/tenants/{tenant}": { "delete": {
                "tags": ["tenants"], "summary": "Deletes a tenant, with a grace of seven days",
                "x-audience": "platform_admin",
                "parameters": [{ "name": "tenant", "in": "path", "required": true }],
                "responses": { "204": { "description": "Done" } }, "x-refusals": ["conflict"],
            }},
        },
        "components": { "schemas": schemas() },
        "x-problem-codes": {
            "invalid_credentials": { "status": 401, "title": "Address or password do not fit" },
            "slug_taken": { "status": 409, "title": "This slug is taken" },
            "brand_new_code": { "status": 400, "title": "A code without a text <yet>" },
        },
    })
}

fn schemas() -> Value {
    json!({
        "Login": { "type": "object", "required": ["password"], "properties": {
            "email": { "type": ["string", "null"], "format": "email", "description": "The address; this or a username" },
            "username": { "type": ["string", "null"] },
            "password": { "type": "string", "description": "15 to 256 characters" },
        }},
        "LoginAnswer": { "type": "object", "required": ["access_token", "expires_in"], "properties": {
            "access_token": { "type": "string", "description": "Good for ten minutes" },
            "expires_in": { "type": "integer", "description": "Seconds" },
            "tenant": { "anyOf": [reference("Tenant"), { "type": "null" }] },
        }},
        "NewTenant": { "type": "object", "required": ["name", "slug"], "properties": {
            "name": { "type": "string" },
            "slug": { "type": "string", "description": "3 to 40 of a-z, 0-9 and hyphens" },
            "registration": reference("Registration"),
        }},
        "Registration": { "type": "string", "enum": ["open", "closed", "invite"], "description": "Who may register" },
        "Tenant": { "type": "object", "required": ["id"], "properties": {
            "id": { "type": "string", "format": "uuid" },
            "name": { "type": "string" },
        }},
        "TenantPage": { "type": "object", "required": ["items"], "properties": {
            "items": { "type": "array", "items": reference("Tenant") },
            "next_cursor": { "type": ["string", "null"] },
        }},
    })
}

impl Samples for DocsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let origin = "http://localhost:8000";
        let page = |document| Self::from_openapi(samples::platform(locale), document, origin);
        vec![
            ("docs", page(&document())),
            ("docs-empty", page(&Value::Null)),
        ]
    }
}
