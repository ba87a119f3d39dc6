//! Each form: sent by a page of ours it is taken, sent by anything else it is not.

use tenantry_testkit::app::TestApp;
use tenantry_web::route::{Audience, CsrfClass, LimiterClass, Route, Surface, Verb};

use super::cast::{Credentials, People, Place, ROLES, ask, csrf_token, is_for, path, signed_in};
use super::{name, routes};

fn forms() -> impl Iterator<Item = Route> {
    let routes = routes().into_iter();
    routes.filter(|route| route.csrf == CsrfClass::Form)
}

/// Somebody whom a form is for, signed in as a browser; nobody where it is for anybody.
async fn sender(app: &TestApp, people: &People, route: &Route) -> (Place, Credentials, String) {
    if route.audience == Audience::Public {
        let nonce = "AAAAAAAAAAAAAAAAAAAAAA";
        let token = app
            .service()
            .csrf()
            .token(format!("nonce:{nonce}").as_bytes());
        return (
            Place::at(&people.tenant.host),
            Credentials::default(),
            token,
        );
    }
    let (email, role) = ROLES
        .into_iter()
        .rev()
        .find(|(_, role)| is_for(route, *role))
        .unwrap();
    let home = people.home(role).to_owned();
    let shown = signed_in(app, &home, email).await;
    let token = csrf_token(app, shown.cookie.as_deref().unwrap_or_default()).await;
    (Place::at(&home), shown, token)
}

#[tokio::test]
async fn a_form_is_taken_from_its_own_page_alone() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let foreign = app.cookie(&people.other.host, &people.other.owner).await;
    let foreign = csrf_token(&app, &foreign).await;
    let port = app.address().port();
    for route in forms() {
        let (place, shown, token) = sender(&app, &people, &route).await;
        let own = format!("http://{}:{port}", place.host);
        let sibling = format!("http://{}:{port}", people.other.host);
        let other_port = format!("http://{}:{}", place.host, port - 1);
        let call = || {
            let mut call = ask(&app, &route, &place, &shown);
            if shown.cookie.is_none() {
                call = call.header("cookie", "tenantry_csrf=AAAAAAAAAAAAAAAAAAAAAA");
            }
            call
        };
        let token = token.as_str();
        let refused = [
            call(),
            call().form(&[]),
            call().form(&[("csrf_token", "")]),
            call().form(&[("csrf_token", &foreign)]),
            call().form(&[("csrf_token", &token[..42])]),
            call().form(&[("csrf_token", token), ("csrf_token", token)]),
            call()
                .header("origin", &sibling)
                .form(&[("csrf_token", token)]),
            call()
                .header("origin", &other_port)
                .form(&[("csrf_token", token)]),
            call()
                .header("origin", "null")
                .header("sec-fetch-site", "cross-site")
                .form(&[("csrf_token", token)]),
            call()
                .header("origin", "https://evil.example")
                .form(&[("csrf_token", token)]),
            call()
                .header("sec-fetch-site", "cross-site")
                .form(&[("csrf_token", token)]),
            call()
                .header("sec-fetch-site", "same-site")
                .form(&[("csrf_token", token)]),
        ];
        for (number, call) in refused.into_iter().enumerate() {
            let answer = call.send().await;
            let case = format!("{} number {number}", name(&route));
            assert_eq!(answer.status, 403, "{case}: {}", answer.text());
            assert!(
                answer
                    .header("content-type")
                    .is_some_and(|kind| kind.starts_with("text/html"))
            );
        }
        // Also nobody's forms need the nonce that went out with the page.
        let without = ask(&app, &route, &place, &Credentials::default());
        let answer = without.form(&[("csrf_token", token)]).send().await;
        let expected = if route.audience == Audience::Public {
            403
        } else {
            303
        };
        assert_eq!(answer.status, expected, "{} without a nonce", name(&route));

        // A browser that sends no referrer says `null` about its own origin too.
        for origin in [own.as_str(), "null"] {
            let (place, shown, token) = sender(&app, &people, &route).await;
            let mut call = ask(&app, &route, &place, &shown);
            if shown.cookie.is_none() {
                call = call.header("cookie", "tenantry_csrf=AAAAAAAAAAAAAAAAAAAAAA");
            }
            let call = call.header("origin", origin);
            let call = call.header("sec-fetch-site", "same-origin");
            let answer = call.form(&[("csrf_token", &token)]).send().await;
            let case = format!("{} from {origin}: {}", name(&route), answer.text());
            assert!(!matches!(answer.status, 401 | 403), "{case}");
        }
    }
}

#[tokio::test]
async fn a_form_with_an_unknown_or_doubled_field_does_nothing() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    for route in forms() {
        let (place, shown, token) = sender(&app, &people, &route).await;
        let mut call = ask(&app, &route, &place, &shown);
        if shown.cookie.is_none() {
            call = call.header("cookie", "tenantry_csrf=AAAAAAAAAAAAAAAAAAAAAA");
        }
        let fields = [("csrf_token", token.as_str()), ("no_such_field", "1")];
        let answer = call.form(&fields).send().await;
        assert!(answer.status < 500, "{}: {}", name(&route), answer.text());
    }
}

/// Whatever shows a field for a password posts to a route that is limited.
#[tokio::test]
async fn what_asks_for_a_password_is_limited() {
    let app = TestApp::start().await;
    let people = People::make(&app).await;
    let routes = routes();
    let mut found = 0;
    for route in &routes {
        if route.surface != Surface::Page || route.verb != Verb::Get {
            continue;
        }
        let (place, shown, _) = sender(&app, &people, route).await;
        let page = ask(&app, route, &place, &shown).send().await.text();
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            if !form.contains("type=\"password\"") {
                continue;
            }
            found += 1;
            let action = form
                .split("action=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .map_or_else(|| path(route), str::to_owned);
            let target = routes
                .iter()
                .find(|to| to.verb == Verb::Post && (path(to) == action || to.path == action));
            let target = target.unwrap_or_else(|| panic!("{} posts to {action}", name(route)));
            assert_eq!(target.limiter, LimiterClass::Secret, "{}", name(target));
        }
    }
    assert!(found >= 2, "sign-in and change of password at least");
}
