//! Each route under each credential: what is no credential, what is somebody else's, what was good
//! once, and what is good.

use std::time::Duration;

use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::Options;
use tenantry_web::route::{Audience, CsrfClass, Route, Surface, TenantRule};

use super::cast::{
    self, ACCESS_TOKEN, Credentials, People, Place, ROLES, ask, csrf_token, ends_sessions, is_for,
    refused_as, signed_in, takes_back,
};
use super::{name, routes};

/// Routes for somebody in particular.
fn guarded() -> impl Iterator<Item = Route> {
    let routes = routes().into_iter();
    routes.filter(|route| route.audience != Audience::Public)
}

/// A route for anybody answers a bad credential as it answers none.
async fn ignores(app: &TestApp, route: &Route, place: &Place, shown: &Credentials, case: &str) {
    let without = ask(app, route, place, &Credentials::default()).send().await;
    let with = ask(app, route, place, shown).send().await;
    let seen = (with.status, with.code(), with.header("location"));
    let expected = (without.status, without.code(), without.header("location"));
    assert_eq!(seen, expected, "{}: {case}", name(route));
}

#[tokio::test]
async fn what_is_no_credential_is_refused_everywhere() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let good = app.sign_in(&people.tenant.host, &people.tenant.owner).await;
    for (case, shown) in cast::garbage(&app, &good).await {
        for place in [Place::nowhere(), Place::at(&people.tenant.host)] {
            for route in guarded() {
                let answer = ask(&app, &route, &place, &shown).send().await;
                refused_as(&route, &answer, "authentication_required", case);
                let is_page = route.surface == Surface::Page;
                assert_eq!(takes_back(&answer), is_page, "{}: {case}", name(&route));
            }
            for route in routes() {
                if route.audience == Audience::Public {
                    ignores(&app, &route, &place, &shown, case).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn another_tenants_credential_is_refused_as_garbage_is() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let owner = signed_in(&app, &people.other.host, &people.other.owner).await;
    let admin = signed_in(&app, "localhost", ROLES[3].0).await;
    for (case, shown) in [("another tenant's", owner), ("the platform's", admin)] {
        for place in Place::all_of(&people.tenant) {
            let case = format!("{case} at {place:?}");
            for route in guarded() {
                let answer = ask(&app, &route, &place, &shown).send().await;
                refused_as(&route, &answer, "authentication_required", &case);
                // It goes on where it is good.
                assert!(!takes_back(&answer), "{}: {case}", name(&route));
                let garbage = Credentials {
                    bearer: Some("garbage".to_owned()),
                    cookie: Some("garbage".to_owned()),
                };
                let garbage = ask(&app, &route, &place, &garbage).send().await;
                assert_eq!(
                    answer.header("location"),
                    garbage.header("location"),
                    "{case}"
                );
            }
            for route in routes() {
                if route.audience == Audience::Public {
                    ignores(&app, &route, &place, &shown, &case).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn each_role_is_let_in_where_it_belongs_and_nowhere_else() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    for (email, role) in ROLES {
        let home = people.home(role).to_owned();
        let mut shown = signed_in(&app, &home, email).await;
        for route in guarded() {
            for place in [Place::nowhere(), Place::at(&home)] {
                if ends_sessions(&route) {
                    shown = signed_in(&app, &home, email).await;
                }
                let case = format!("a {role} at {place:?}");
                let mut call = ask(&app, &route, &place, &shown);
                if route.csrf == CsrfClass::Form {
                    let token = csrf_token(&app, shown.cookie.as_deref().unwrap_or_default()).await;
                    call = call.form(&[("csrf_token", &token)]);
                }
                let answer = call.send().await;
                if !is_for(&route, role) {
                    refused_as(&route, &answer, "forbidden", &case);
                    continue;
                }
                let case = format!("{}: {case}: {}", name(&route), answer.text());
                assert!(!matches!(answer.status, 401 | 403), "{case}");
                let location = answer.header("location").unwrap_or_default();
                assert!(
                    !location.starts_with("/login?return_to"),
                    "{case} {location}"
                );
            }
            if ends_sessions(&route) {
                shown = signed_in(&app, &home, email).await;
            }
        }
    }
}

async fn ends_everywhere(app: TestApp) {
    for ended in cast::ended(&app).await {
        let mut places = vec![(Place::nowhere(), "session_stale")];
        for own in Place::all_of(&ended.tenant) {
            let code = match ended.why {
                "purged" => "tenant_not_found",
                // The address is a new tenant's now, and the id nobody's.
                "made again after a purge" if names_id(&own, &ended.tenant.id) => {
                    "tenant_not_found"
                }
                _ => "session_stale",
            };
            places.push((own, code));
        }
        for (place, code) in places {
            let case = format!("{} at {place:?}", ended.why);
            for route in routes() {
                if route.tenant == TenantRule::Ignored {
                    continue;
                }
                if route.audience != Audience::Public || code == "tenant_not_found" {
                    let answer = ask(&app, &route, &place, &ended.shown).send().await;
                    refused_as(&route, &answer, code, &case);
                } else {
                    ignores(&app, &route, &place, &ended.shown, &case).await;
                }
            }
        }
    }
}

fn names_id(place: &Place, id: &str) -> bool {
    [&place.header, &place.query]
        .into_iter()
        .flatten()
        .any(|named| named == id)
}

#[tokio::test]
async fn what_ended_before_its_time_is_stale_everywhere() {
    ends_everywhere(TestApp::start().await).await;
}

#[tokio::test]
async fn what_ended_before_its_time_is_stale_everywhere_with_postgres() {
    let options = Options::postgres().without_rate_limits();
    ends_everywhere(AppOptions::over(options).start().await).await;
}

#[tokio::test]
async fn a_stale_credential_at_another_tenant_is_garbage() {
    let app = TestApp::start().await;
    let other = app.tenant("globex").await;
    for ended in cast::ended(&app).await {
        for route in guarded() {
            let answer = ask(&app, &route, &Place::at(&other.host), &ended.shown)
                .send()
                .await;
            // Of a tenant that is no more there is nothing to hide.
            let is_gone = matches!(ended.why, "purged" | "made again after a purge");
            let code = if is_gone {
                "session_stale"
            } else {
                "authentication_required"
            };
            refused_as(&route, &answer, code, ended.why);
        }
    }
}

#[tokio::test]
async fn an_access_token_lives_ten_minutes_and_a_cookie_as_long_as_its_session() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let shown = signed_in(&app, &people.tenant.host, &people.tenant.owner).await;
    app.clock()
        .advance(ACCESS_TOKEN.saturating_sub(Duration::from_secs(1)));
    let still = app
        .get("/api/v1/auth/me")
        .bearer(shown.bearer.as_deref().unwrap_or_default());
    still.send().await.ok(200);
    app.clock().advance(Duration::from_secs(1));
    for route in guarded() {
        if route.surface == Surface::Page {
            continue;
        }
        let bearer = Credentials {
            cookie: None,
            ..shown.clone()
        };
        let answer = ask(&app, &route, &Place::nowhere(), &bearer).send().await;
        refused_as(
            &route,
            &answer,
            "authentication_required",
            "ten minutes later",
        );
    }
    // An owner's session ends after an hour without use.
    app.clock().advance(Duration::from_hours(1));
    for route in guarded() {
        if route.surface == Surface::Page {
            let answer = ask(&app, &route, &Place::nowhere(), &shown).send().await;
            refused_as(&route, &answer, "session_stale", "an hour later");
        }
    }
}

#[tokio::test]
async fn whoever_must_change_the_password_can_do_little_else() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let (owner, admin) = ("second@acme.example", ROLES[3].0);
    app.person(&people.tenant, owner, tenantry_core::Role::Owner, true)
        .await;
    app.must_change(admin).await;
    for (email, home) in [(owner, people.tenant.host.as_str()), (admin, "localhost")] {
        let mut shown = signed_in(&app, home, email).await;
        let role = if email == owner {
            ROLES[2].1
        } else {
            ROLES[3].1
        };
        for route in guarded() {
            if !is_for(&route, role) {
                continue;
            }
            let mut call = ask(&app, &route, &Place::nowhere(), &shown);
            if route.csrf == CsrfClass::Form {
                let token = csrf_token(&app, shown.cookie.as_deref().unwrap_or_default()).await;
                call = call.form(&[("csrf_token", &token)]);
            }
            let answer = call.send().await;
            if route.before_password_change {
                assert!(!matches!(answer.status, 401 | 403), "{}", name(&route));
            } else {
                refused_as(&route, &answer, "password_change_required", email);
            }
            if ends_sessions(&route) {
                shown = signed_in(&app, home, email).await;
            }
        }
    }
}

#[tokio::test]
async fn hints_that_differ_or_name_nothing_are_refused_before_anything_else() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let own = signed_in(&app, &people.tenant.host, &people.tenant.owner).await;
    let nobody = Credentials::default();
    let both = |host: &str, header: &str| Place {
        header: Some(header.to_owned()),
        ..Place::at(host)
    };
    for (place, code) in [
        (
            both(&people.tenant.host, &people.other.id),
            "tenant_conflict",
        ),
        (
            both(&people.tenant.host, &people.other.slug),
            "tenant_conflict",
        ),
        (both(&people.tenant.host, "nobody-here"), "tenant_not_found"),
        (Place::at("nobody-here.localhost"), "tenant_not_found"),
        (Place::at("elsewhere.example"), "tenant_not_found"),
        (Place::header("../acme"), "tenant_not_found"),
        (Place::query("ACME"), "tenant_not_found"),
        (Place::query(""), "tenant_not_found"),
    ] {
        for shown in [&own, &nobody] {
            for route in routes() {
                let answer = ask(&app, &route, &place, shown).send().await;
                if route.tenant == TenantRule::Ignored {
                    assert!(answer.status < 400, "{}", name(&route));
                } else {
                    refused_as(&route, &answer, code, &format!("{place:?}"));
                }
            }
        }
    }
}
