//! What each route declares about itself, and how it is registered.
//!
//! There is no other way to add a route: a handler comes with its declaration, and the declaration
//! is what the [guard](crate::guard) enforces. Tests and the API's description are made from it.

use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::App;

/// Who a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Anybody.
    Public,
    /// Anybody who is signed in, in a tenant or as a platform admin.
    SignedIn,
    /// Owners and admins of the tenant.
    TenantAdmin,
    /// Platform admins.
    PlatformAdmin,
}

/// What a route makes of the request's hints about the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRule {
    /// The hints are not looked at: the route is about the process, not about a tenant.
    Ignored,
    /// The hints are resolved; there may be none.
    Optional,
}

/// What keeps a route from being called too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimiterClass {
    /// Nothing: it costs little and proves nothing.
    None,
    /// The throttle inside the verifier of the secret it takes.
    Secret,
    /// The token it takes: 256 random bits under a tag of ours leave nothing to guess.
    Token,
}

/// How a route tells its own forms from others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CsrfClass {
    /// It changes nothing, or takes no cookie.
    NotNeeded,
    /// By a token in the form and the browser's own headers.
    Form,
}

/// What the audit says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditClass {
    /// Nothing: it only reads.
    None,
    /// An act of signing in or out.
    Session,
    /// A change to a person.
    Person,
    /// A change to a tenant.
    Tenant,
    /// A change to the platform itself.
    Platform,
}

/// What a route makes of an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdempotencyClass {
    /// Nothing: it makes nothing, or making it again is harmless.
    None,
    /// The answer is kept, and given again to the same request under the same key.
    Kept,
    /// The key is written down with the work, so that whoever asks again gets the same work.
    WithWork,
}

/// What carries a route's answers, and so its errors and its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// JSON, with a bearer token.
    Api,
    /// HTML, with a cookie.
    Page,
    /// For machines, about the process.
    Infrastructure,
    /// For a proxy that asks whether to let a request through, with either credential. It knows
    /// yes and no: each refusal is a 401, whatever is wrong, since proxies make a fault of their own
    /// of other answers (nginx's `auth_request` answers 500 to its client).
    ForwardAuth,
}

/// An HTTP method we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Changes.
    Patch,
    /// Puts something in the place of what was there.
    Put,
    /// Removes.
    Delete,
}

impl Verb {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A function that gives the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What the API's description says about a route.
#[derive(Clone, Copy)]
pub struct Doc {
    /// One line on what it does.
    pub summary: &'static str,
    /// What its query may hold, beside hints about the tenant.
    pub query: Option<SchemaOf>,
    /// The body it takes.
    pub request: Option<SchemaOf>,
    /// The media type of that body.
    pub request_type: &'static str,
    /// What is said about that body, where its type does not say it.
    pub request_about: Option<&'static str>,
    /// The status and body it answers with.
    pub response: (u16, Option<SchemaOf>),
    /// The codes it can refuse with, beside those of every route.
    pub refusals: &'static [&'static str],
}

impl Doc {
    /// A description with a status and no bodies.
    pub const fn new(summary: &'static str, status: u16) -> Self {
        Self {
            summary,
            query: None,
            request: None,
            request_type: "application/json",
            request_about: None,
            response: (status, None),
            refusals: &[],
        }
    }

    /// With these query parameters: a struct's fields.
    #[must_use]
    pub fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    /// With this request body.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.request = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// With a body that has one of these on each line.
    #[must_use]
    pub fn takes_lines<T: JsonSchema>(mut self) -> Self {
        self.request_type = "application/x-ndjson";
        self.takes::<T>()
    }

    /// With an image as its body, of which this is said.
    #[must_use]
    pub fn takes_image(mut self, about: &'static str) -> Self {
        self.request_type = "image/*";
        self.request_about = Some(about);
        self.request = Some(|_| json_schema!({ "type": "string", "format": "binary" }));
        self
    }

    /// With this answer.
    #[must_use]
    pub fn gives<T: JsonSchema>(mut self) -> Self {
        self.response.1 = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// With these codes.
    #[must_use]
    pub const fn refuses(mut self, codes: &'static [&'static str]) -> Self {
        self.refusals = codes;
        self
    }
}

/// A route's declaration.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path, with `{parameters}`.
    pub path: &'static str,
    /// What carries its answers.
    pub surface: Surface,
    /// Who it is for.
    pub audience: Audience,
    /// What it makes of hints about the tenant.
    pub tenant: TenantRule,
    /// What keeps it from being called too often.
    pub limiter: LimiterClass,
    /// How it tells its own forms.
    pub csrf: CsrfClass,
    /// What the audit says about it.
    pub audit: AuditClass,
    /// What an entry of the audit calls the act: a thing and what is done to it, as
    /// `tenant.create`; empty where there is none.
    pub action: &'static str,
    /// What it makes of an `Idempotency-Key`.
    pub idempotency: IdempotencyClass,
    /// Whether somebody who must change the password may call it.
    pub before_password_change: bool,
    /// Whether its form may come with a file.
    pub takes_file: bool,
    /// What the API's description says.
    pub doc: Option<Doc>,
}

impl Route {
    const fn new(verb: Verb, path: &'static str, surface: Surface, audience: Audience) -> Self {
        Self {
            verb,
            path,
            surface,
            audience,
            tenant: TenantRule::Optional,
            limiter: LimiterClass::None,
            csrf: CsrfClass::NotNeeded,
            audit: AuditClass::None,
            action: "",
            idempotency: IdempotencyClass::None,
            before_password_change: false,
            takes_file: false,
            doc: None,
        }
    }

    /// A route of the API.
    pub const fn api(verb: Verb, path: &'static str, audience: Audience, doc: Doc) -> Self {
        let mut route = Self::new(verb, path, Surface::Api, audience);
        route.doc = Some(doc);
        route
    }

    /// A page.
    pub const fn page(path: &'static str, audience: Audience) -> Self {
        Self::new(Verb::Get, path, Surface::Page, audience)
    }

    /// A form that a page sends.
    pub const fn form(path: &'static str, audience: Audience) -> Self {
        let mut route = Self::new(Verb::Post, path, Surface::Page, audience);
        route.csrf = CsrfClass::Form;
        route
    }

    /// A route for machines, about the process.
    pub const fn infrastructure(path: &'static str, summary: &'static str) -> Self {
        let mut route = Self::new(Verb::Get, path, Surface::Infrastructure, Audience::Public);
        route.tenant = TenantRule::Ignored;
        route.doc = Some(Doc::new(summary, 200));
        route
    }

    /// Limited by the throttle of the secret it takes.
    #[must_use]
    pub const fn takes_secret(mut self) -> Self {
        self.limiter = LimiterClass::Secret;
        self
    }

    /// Takes a token that can't be guessed.
    #[must_use]
    pub const fn takes_token(mut self) -> Self {
        self.limiter = LimiterClass::Token;
        self
    }

    /// Noted in the audit under this name, as `tenant.create` ([`tenantry_core::audit::Action`]).
    /// The guard writes the entry; a handler only adds what the guard can't know, by an `Audited`
    /// in its answer.
    #[must_use]
    pub const fn audited(mut self, class: AuditClass, action: &'static str) -> Self {
        self.audit = class;
        self.action = action;
        self
    }

    /// Done once under one `Idempotency-Key`, and answered alike. Every create is; the guard sees to
    /// it.
    #[must_use]
    pub const fn once_by_key(mut self) -> Self {
        self.idempotency = IdempotencyClass::Kept;
        self
    }

    /// Done once under one `Idempotency-Key`, which the use case writes down with its work.
    #[must_use]
    pub const fn once_with_its_work(mut self) -> Self {
        self.idempotency = IdempotencyClass::WithWork;
        self
    }

    /// Also for somebody who must change the password first.
    #[must_use]
    pub const fn before_password_change(mut self) -> Self {
        self.before_password_change = true;
        self
    }

    /// Its form may come with a file, as `multipart/form-data` ([`crate::upload`]).
    #[must_use]
    pub const fn with_file(mut self) -> Self {
        self.takes_file = true;
        self
    }

    /// Resolves hints about the tenant, or not.
    #[must_use]
    pub const fn tenant(mut self, rule: TenantRule) -> Self {
        self.tenant = rule;
        self
    }
}

/// Routes with their handlers.
#[derive(Default)]
pub struct Routes {
    list: Vec<(Route, MethodRouter<App>)>,
}

impl Routes {
    /// Adds a route.
    #[must_use]
    pub fn add(mut self, route: Route, handler: MethodRouter<App>) -> Self {
        self.list.push((route, handler));
        self
    }

    /// Adds another list's routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        self
    }

    /// The declarations.
    pub fn declarations(&self) -> impl Iterator<Item = &Route> {
        self.list.iter().map(|(route, _)| route)
    }

    pub(crate) fn into_list(self) -> Vec<(Route, MethodRouter<App>)> {
        self.list
    }
}
