//! The description of the API for people, made from the one for programs.

mod example;
mod openapi;
mod sample;

use askama::Template;
use serde_json::Value;

use super::Chrome;
use crate::i18n;

/// The page that describes the API.
#[derive(Clone, Template)]
#[template(path = "docs/docs.html")]
pub struct DocsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The description.
    pub api: Api,
}

/// What an API can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// The version.
    pub version: String,
    /// Operations that belong together.
    pub groups: Vec<Group>,
    /// The codes of problems.
    pub problems: Vec<Problem>,
}

/// Operations that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, from the operations' tag.
    pub name: String,
    /// The operations, by path.
    pub operations: Vec<Operation>,
}

/// One thing to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The anchor on the page, made of lower-case letters, digits and hyphens.
    pub id: String,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path, with `{parameters}`.
    pub path: String,
    /// One line on what it does.
    pub summary: String,
    /// Who may ask, as the description's `x-audience` has it.
    pub audience: String,
    /// What stands in path, query and headers.
    pub parameters: Vec<Field>,
    /// The body it takes; empty where it takes none.
    pub request: Vec<Field>,
    /// The status of the good answer.
    pub status: String,
    /// The good answer's fields; empty where it has no body.
    pub response: Vec<Field>,
    /// The codes it can refuse with.
    pub refusals: Vec<String>,
    /// A call of it on the command line.
    pub example: String,
    /// A body to try it with, where it takes one.
    pub body: Option<String>,
}

/// A field of a body, or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// What it holds, such as `string` or `list of Tenant`.
    pub kind: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means; may be empty.
    pub about: String,
}

/// A code of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The code.
    pub code: String,
    /// The HTTP status.
    pub status: String,
    /// What it means.
    pub title: String,
}

impl DocsPage {
    /// The page for an `OpenAPI` 3.1 document. What it leaves out or has in another shape than
    /// expected is left out of the page too. `origin` is what examples call, such as
    /// `http://localhost:8000`.
    pub fn from_openapi(chrome: Chrome, document: &Value, origin: &str) -> Self {
        let api = openapi::read(document, origin, chrome.locale);
        Self { chrome, api }
    }

    fn version(&self) -> String {
        i18n::fill(self.chrome.t().docs.version, "version", &self.api.version)
    }

    fn audience<'a>(&self, operation: &'a Operation) -> &'a str {
        let t = &self.chrome.t().docs;
        match operation.audience.as_str() {
            "public" => t.public,
            "signed_in" => t.signed_in,
            "tenant_admin" => t.tenant_admin,
            "platform_admin" => t.platform_admin,
            other => other,
        }
    }
}
