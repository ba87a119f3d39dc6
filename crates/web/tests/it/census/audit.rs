//! Each route and what it leaves in the audit: one entry for what was done or refused to somebody
//! known, none for what was refused before anything could happen, none for looking.

use std::collections::HashSet;

use tenantry_core::audit::{Action, Actor, Entry, Outcome};
use tenantry_core::session::Subject;
use tenantry_core::{AuditId, TenantId};
use tenantry_service::audit::AuditQuery;
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::{Call, TestApp};
use tenantry_web::route::{Audience, AuditClass, CsrfClass, LimiterClass, Route};

use super::cast::{Credentials, People, Place, ROLES, ask, csrf_token, is_for, signed_in};
use super::{name, routes};

/// Entries of the audit, to see which are new.
pub(crate) struct Watch(HashSet<AuditId>);

async fn all(app: &TestApp) -> Vec<Entry> {
    let query = AuditQuery::default();
    let listed = app.service().list_audit(&query, None, 10_000);
    let listed = listed.await.unwrap().into_iter();
    listed.map(|view| view.entry).collect()
}

impl Watch {
    pub(crate) async fn begin(app: &TestApp) -> Self {
        Self(all(app).await.iter().map(|entry| entry.id).collect())
    }

    /// What came since it was asked the last time.
    pub(crate) async fn fresh(&mut self, app: &TestApp) -> Vec<Entry> {
        let entries = all(app).await.into_iter();
        entries.filter(|entry| self.0.insert(entry.id)).collect()
    }

    /// The one entry that came since.
    #[track_caller]
    pub(crate) fn only(mut fresh: Vec<Entry>, case: &str) -> Entry {
        let entry = fresh.pop().unwrap_or_else(|| panic!("{case} left nothing"));
        assert!(fresh.is_empty(), "{case} left more than one: {fresh:?}");
        entry
    }
}

/// Who a credential belongs to.
async fn actor(app: &TestApp, shown: &Credentials) -> (Actor, Option<TenantId>) {
    let Some(cookie) = shown.cookie.as_deref() else {
        return (Actor::Nobody, None);
    };
    let credential = Credential::Cookie(cookie);
    let principal = app.service().authenticate(credential, None).await.unwrap();
    match principal.session.subject {
        Subject::User { tenant, user, .. } => (Actor::User(user), Some(tenant)),
        Subject::Admin(admin) => (Actor::Admin(admin), None),
    }
}

/// A call of a route by somebody it is for, or by nobody where it is for anybody.
async fn call(app: &TestApp, people: &People, route: &Route) -> (Call, Credentials) {
    let fitting = ROLES.into_iter().find(|(_, role)| is_for(route, *role));
    let (email, role) = fitting.unwrap();
    let home = people.home(role).to_owned();
    let shown = if route.audience == Audience::Public {
        Credentials::default()
    } else {
        signed_in(app, &home, email).await
    };
    let mut call = ask(app, route, &Place::at(&home), &shown);
    if route.csrf != CsrfClass::Form {
        return (call, shown);
    }
    let token = if let Some(cookie) = shown.cookie.as_deref() {
        csrf_token(app, cookie).await
    } else {
        let nonce = "AAAAAAAAAAAAAAAAAAAAAA";
        call = call.header("cookie", &format!("tenantry_csrf={nonce}"));
        let binding = format!("nonce:{nonce}");
        app.service().csrf().token(binding.as_bytes())
    };
    (call.form(&[("csrf_token", &token)]), shown)
}

#[test]
fn every_audited_route_says_what_it_does() {
    for route in routes() {
        if route.audit == AuditClass::None {
            assert_eq!(route.action, "", "{}", name(&route));
        } else {
            let action = Action::named(route.action);
            assert!(action.is_ok(), "{}: {:?}", name(&route), route.action);
        }
    }
}

#[tokio::test]
async fn what_is_done_leaves_one_entry_and_what_is_not_leaves_none() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let mut watch = Watch::begin(&app).await;
    for route in routes() {
        let (call, shown) = call(&app, &people, &route).await;
        let (who, tenant) = actor(&app, &shown).await;
        watch.fresh(&app).await;
        let answer = call.send().await;
        let case = format!("{}: {} {}", name(&route), answer.status, answer.text());
        let fresh = watch.fresh(&app).await;
        if route.audit == AuditClass::None {
            assert!(fresh.is_empty(), "{case}: {fresh:?}");
            continue;
        }
        let expected = match answer.status {
            // Nobody is signed out where nobody was signed in.
            303 if name(&route) == "POST /logout" => None,
            200..=399 => Some(Outcome::Done),
            403 | 409 => Some(Outcome::Refused),
            // A token that is none of ours, where each try is counted.
            400 if route.limiter == LimiterClass::Secret && answer.code().is_none() => {
                Some(Outcome::Refused)
            }
            400 | 404 | 422 => None,
            other => panic!("{other}: {case}"),
        };
        let Some(expected) = expected else {
            assert!(fresh.is_empty(), "{case}: {fresh:?}");
            continue;
        };
        let entry = Watch::only(fresh, &case);
        assert_eq!(entry.action.as_str(), route.action, "{case}");
        assert_eq!(entry.outcome, Some(expected), "{case}");
        assert_eq!(entry.actor, who, "{case}");
        if tenant.is_some() {
            assert_eq!(entry.tenant, tenant, "{case}");
        }
        let request = answer.header("x-request-id").map(str::to_owned);
        assert_eq!(entry.source.request_id, request, "{case}");
        assert!(entry.source.ip.is_some(), "{case}");
    }
}

#[tokio::test]
async fn whoever_is_not_allowed_is_noted() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let (email, role) = ROLES[0];
    let home = people.home(role).to_owned();
    let shown = signed_in(&app, &home, email).await;
    let (who, _) = actor(&app, &shown).await;
    let mut watch = Watch::begin(&app).await;
    let mut seen = 0;
    for route in routes() {
        if is_for(&route, role) {
            continue;
        }
        let answer = ask(&app, &route, &Place::at(&home), &shown).send().await;
        assert_eq!(answer.status, 403, "{}", name(&route));
        let fresh = watch.fresh(&app).await;
        if route.audit == AuditClass::None {
            assert!(fresh.is_empty(), "{}: {fresh:?}", name(&route));
            continue;
        }
        seen += 1;
        let entry = Watch::only(fresh, &name(&route));
        assert_eq!(entry.action.as_str(), route.action);
        assert_eq!(entry.actor, who, "{}", name(&route));
        let ended = (entry.outcome, entry.code.as_deref());
        assert_eq!(ended, (Some(Outcome::Refused), Some("forbidden")));
    }
    assert!(seen > 10, "{seen}");
}
