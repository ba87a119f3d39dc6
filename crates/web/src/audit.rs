//! The audit at the boundary: every route that declares an act leaves an entry, whatever its handler
//! does. The guard calls this; a handler only adds what the guard can't know ([`Audited`]).
//!
//! An entry is begun before the handler and settled by the answer. Signing in and out is written
//! down once it ended: it is frequent, and who it was is known only then. What was refused before
//! anything could happen leaves nothing, but for a secret that did not fit.

use std::convert::Infallible;

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponseParts, Response, ResponseParts};
use serde_json::Value;
use tenantry_core::TenantId;
use tenantry_core::audit::{Action, Actor, Outcome, Source};
use tenantry_core::session::Subject;
use tenantry_service::audit::{About, Act, Begun, Ending};
use tenantry_service::signin::Login;
use tenantry_service::{FieldError, Refusal};

use crate::App;
use crate::context::Ctx;
use crate::i18n::problem::ProblemCode;
use crate::route::{Audience, AuditClass, LimiterClass, Route};

/// What a handler adds to the entry of its act, left behind in its answer: one more part of the
/// tuple it answers with, or [`on`](Self::on) an answer that is made already.
///
/// Needed where the guard can't know: the new thing's id after a create, who it was where nobody is
/// signed in before, a refusal that a page tells in words of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audited {
    actor: Option<Actor>,
    tenant: Option<TenantId>,
    target: Option<String>,
    detail: Option<Value>,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verdict {
    /// As the status says.
    #[default]
    ByStatus,
    /// Refused with this code, whatever the status.
    Refused(&'static str),
    /// Nothing happened that is worth an entry.
    Nothing,
}

impl Audited {
    /// Done to this: the new thing's id.
    pub(crate) fn target(target: impl std::fmt::Display) -> Self {
        Self::default().and_target(target)
    }

    /// Done by this person, who was nobody to the guard.
    pub(crate) fn by(subject: &Subject) -> Self {
        let (actor, tenant) = match subject {
            Subject::User { tenant, user, .. } => (Actor::User(*user), Some(*tenant)),
            Subject::Admin(admin) => (Actor::Admin(*admin), None),
        };
        Self {
            actor: Some(actor),
            tenant,
            ..Self::default()
        }
    }

    /// Done to this tenant.
    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self {
            tenant: Some(tenant),
            ..Self::default()
        }
    }

    /// Refused with this code, where the status does not tell.
    pub(crate) fn refused(code: &'static str) -> Self {
        Self {
            verdict: Verdict::Refused(code),
            ..Self::default()
        }
    }

    /// Refused because of these fields: a secret among them that did not fit is worth an entry, and
    /// what was only written wrongly is not.
    pub(crate) fn of_errors(errors: &[FieldError]) -> Self {
        if errors.iter().any(|error| error.code == "wrong") {
            Self::refused(ProblemCode::InvalidCredentials.as_str())
        } else {
            Self::default()
        }
    }

    /// Nothing happened that is worth an entry.
    pub(crate) fn nothing() -> Self {
        Self {
            verdict: Verdict::Nothing,
            ..Self::default()
        }
    }

    /// And done to this.
    #[must_use]
    pub(crate) fn and_target(mut self, target: impl std::fmt::Display) -> Self {
        let target = target.to_string();
        self.target = (!target.is_empty()).then_some(target);
        self
    }

    /// And by this person.
    #[must_use]
    pub(crate) fn and_by(mut self, subject: &Subject) -> Self {
        let other = Self::by(subject);
        (self.actor, self.tenant) = (other.actor, other.tenant);
        self
    }

    /// With more to tell: a JSON object. Never a secret, nobody's address.
    #[must_use]
    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Left behind in an answer.
    #[must_use]
    pub(crate) fn on(mut self, mut response: Response) -> Response {
        // A refusal may have been told already, by whoever turned it into the answer.
        let before = response.extensions_mut().remove::<Self>();
        if self.verdict == Verdict::ByStatus
            && let Some(before) = before
        {
            self.verdict = before.verdict;
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponseParts for Audited {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// What stands for the name or address that somebody typed to sign in.
pub(crate) fn typed(app: &App, login: &Login) -> String {
    app.service.pseudonym(&match login {
        Login::Email(email) => email.key(),
        Login::Username(username) => username.key(),
    })
}

/// What a request's path names: never its token.
#[derive(Debug, Default)]
pub(crate) struct Named {
    tenant: Option<String>,
    target: Option<String>,
}

impl Named {
    /// What the path of an audited route names.
    pub(crate) async fn of(route: &Route, request: &mut Request) -> Self {
        if route.audit == AuditClass::None {
            return Self::default();
        }
        // A path that is not text is refused by the guard.
        let Ok(params) = request.extract_parts::<RawPathParams>().await else {
            return Self::default();
        };
        let (mut tenant, mut rest) = (None, Vec::new());
        for (name, value) in &params {
            match name {
                "token" => {}
                "tenant" | "slug" => tenant = Some(value.to_owned()),
                _ => rest.push(value),
            }
        }
        Self {
            tenant,
            target: (!rest.is_empty()).then(|| rest.join("/")),
        }
    }

    fn about(&self, route: &Route, ctx: &Ctx) -> About {
        let named = self.tenant.clone();
        let of_platform = route.audience == Audience::PlatformAdmin;
        if let Some(name) = named.filter(|_| of_platform) {
            return About::Named(name);
        }
        let person = ctx.principal.as_ref().map(|principal| &principal.person);
        let tenant = person.and_then(|person| person.tenant());
        let tenant = tenant.map(|tenant| tenant.id).or(ctx.tenant.id());
        tenant.map_or(About::Nothing, About::Tenant)
    }
}

/// An act whose entry is to be settled.
pub(crate) struct Pending {
    route: Route,
    entry: Entry,
}

enum Entry {
    Begun(Box<Begun>),
    AtEnd(Box<Act>),
}

/// Begins the entry of a request that was let through; `None` where the route declares no act.
pub(crate) async fn begin(
    app: &App,
    route: &Route,
    ctx: &Ctx,
    named: Named,
) -> Result<Option<Pending>, Refusal> {
    if route.audit == AuditClass::None {
        return Ok(None);
    }
    let act = act(route, ctx, named)?;
    let entry = if route.audit == AuditClass::Session {
        Entry::AtEnd(Box::new(act))
    } else {
        Entry::Begun(Box::new(app.service.begin_act(act).await?))
    };
    let route = *route;
    Ok(Some(Pending { route, entry }))
}

/// Notes that somebody who is signed in was not allowed to do what a route does.
pub(crate) async fn forbidden(app: &App, route: &Route, ctx: &Ctx, named: Named) {
    if route.audit == AuditClass::None || ctx.principal.is_none() {
        return;
    }
    let Ok(act) = act(route, ctx, named) else {
        return;
    };
    let code = ProblemCode::Forbidden.as_str().to_owned();
    let ending = Ending::plain(Outcome::Refused, Some(code));
    app.metrics.audited(ending.outcome);
    app.service.note_act(act, ending).await;
}

fn act(route: &Route, ctx: &Ctx, named: Named) -> Result<Act, Refusal> {
    let action = Action::named(route.action)
        .map_err(Refusal::failed("a route has no name that fits the audit"))?;
    let subject = ctx.principal.as_ref().map(|one| &one.session.subject);
    Ok(Act {
        action,
        actor: subject
            .and_then(|subject| Audited::by(subject).actor)
            .unwrap_or(Actor::Nobody),
        about: named.about(route, ctx),
        target: named.target,
        source: Source {
            ip: ctx.client_ip,
            user_agent: ctx.user_agent.clone(),
            request_id: Some(ctx.request_id.to_string()),
        },
        detail: None,
    })
}

impl Pending {
    /// Settles the entry by the answer, or takes it back where nothing happened.
    pub(crate) async fn settle(self, app: &App, response: &mut Response) {
        let left = response.extensions_mut().remove::<Audited>();
        let left = left.unwrap_or_default();
        let code = response.extensions().get::<ProblemCode>().copied();
        let ended = ended(&self.route, left.verdict, response.status(), code);
        let ending = ended.map(|(outcome, code)| Ending {
            outcome,
            code: code.map(str::to_owned),
            actor: left.actor,
            tenant: left.tenant,
            target: left.target,
            detail: left.detail,
        });
        if let Some(ending) = &ending {
            app.metrics.audited(ending.outcome);
        }
        match (self.entry, ending) {
            (Entry::Begun(begun), Some(ending)) => app.service.settle_act(*begun, ending).await,
            (Entry::Begun(begun), None) => app.service.withdraw_act(*begun).await,
            (Entry::AtEnd(act), Some(ending)) => app.service.note_act(*act, ending).await,
            (Entry::AtEnd(_), None) => {}
        }
    }
}

/// How an act ended, by its answer; `None` where nothing happened.
fn ended(
    route: &Route,
    verdict: Verdict,
    status: StatusCode,
    code: Option<ProblemCode>,
) -> Option<(Outcome, Option<&'static str>)> {
    match verdict {
        Verdict::Nothing => return None,
        Verdict::Refused(code) => return Some((Outcome::Refused, Some(code))),
        Verdict::ByStatus => {}
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Some((Outcome::Done, None));
    }
    // A page that tells in words of its own leaves the status alone.
    let code = code.or(match status {
        StatusCode::BAD_REQUEST => Some(ProblemCode::TokenInvalid),
        StatusCode::UNAUTHORIZED => Some(ProblemCode::InvalidCredentials),
        StatusCode::FORBIDDEN => Some(ProblemCode::Forbidden),
        StatusCode::CONFLICT => Some(ProblemCode::Conflict),
        _ => None,
    });
    let word = code.map(ProblemCode::as_str);
    if status.is_server_error() {
        // Where an act was begun, nobody can say how far it came.
        let happened =
            route.audit != AuditClass::Session || status != StatusCode::SERVICE_UNAVAILABLE;
        return happened.then_some((Outcome::Failed, word));
    }
    let kept = match word {
        // Secrets that can be guessed, each try of which is counted and limited. What is no token of
        // ours was guessed by nobody, and would let a stranger fill the table.
        Some("invalid_credentials" | "otp_invalid" | "token_invalid") => {
            route.limiter == LimiterClass::Secret
        }
        _ => matches!(status, StatusCode::FORBIDDEN | StatusCode::CONFLICT),
    };
    kept.then_some((Outcome::Refused, word))
}

#[cfg(test)]
mod tests;
