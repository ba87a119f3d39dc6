//! Who appears in the generated tests: people of every role, and credentials that stopped counting
//! in every way there is.

use std::time::Duration;

use serde_json::json;
use tenantry_core::Role;
use tenantry_service::sessions::Credential;
use tenantry_testkit::app::{AccessToken, Call, SignIn, TestApp, TestTenant};
use tenantry_web::route::{Audience, Route, Surface, Verb};

use crate::shape::nobodys_id;

/// What a request shows to prove who sends it, for programs and for browsers.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    pub(super) bearer: Option<String>,
    pub(super) cookie: Option<String>,
}

/// Where a request says it is going.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) header: Option<String>,
    pub(super) query: Option<String>,
}

impl Place {
    pub(super) fn at(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            header: None,
            query: None,
        }
    }

    pub(super) fn nowhere() -> Self {
        Self::at("localhost")
    }

    pub(super) fn header(value: &str) -> Self {
        Self {
            header: Some(value.to_owned()),
            ..Self::nowhere()
        }
    }

    pub(super) fn query(value: &str) -> Self {
        Self {
            query: Some(value.to_owned()),
            ..Self::nowhere()
        }
    }

    /// The tenant in every way it can be named.
    pub(super) fn all_of(tenant: &TestTenant) -> Vec<Self> {
        vec![
            Self::at(&tenant.host),
            Self::header(&tenant.id),
            Self::header(&tenant.slug),
            Self::query(&tenant.id),
            Self::query(&tenant.slug),
        ]
    }
}

/// The path of a route with parameters that name nothing.
pub(super) fn path(route: &Route) -> String {
    let parts: Vec<String> = route
        .path
        .split('/')
        .map(|part| match part {
            "{tenant}" | "{slug}" => "nobody-here".to_owned(),
            part if part.starts_with('{') => nobodys_id(),
            part => part.to_owned(),
        })
        .collect();
    parts.join("/")
}

/// A call of a route that names nothing and carries nothing.
pub(super) fn ask(app: &TestApp, route: &Route, place: &Place, shown: &Credentials) -> Call {
    let mut path = path(route);
    if let Some(query) = &place.query {
        path.push_str("?tenant_id=");
        path.push_str(query);
    }
    let mut call = app.call(route.verb.as_str(), &path).host(&place.host);
    if let Some(header) = &place.header {
        call = call.header("x-tenant-id", header);
    }
    if let Some(bearer) = &shown.bearer {
        call = call.bearer(bearer);
    }
    if let Some(cookie) = &shown.cookie {
        call = call.cookie(cookie);
    }
    call
}

/// Signs somebody in, for programs and for browsers.
pub(super) async fn signed_in(app: &TestApp, host: &str, email: &str) -> Credentials {
    Credentials {
        bearer: Some(app.sign_in(host, email).await.access),
        cookie: Some(app.cookie(host, email).await),
    }
}

/// What the forms of a session's pages hold.
pub(super) async fn csrf_token(app: &TestApp, cookie: &str) -> String {
    let credential = Credential::Cookie(cookie);
    let principal = app.service().authenticate(credential, None).await.unwrap();
    let binding = format!("session:{}", principal.session.id);
    app.service().csrf().token(binding.as_bytes())
}

/// Whether a route does something about the very session that asks.
pub(super) fn ends_sessions(route: &Route) -> bool {
    route.verb != Verb::Get && matches!(route.audience, Audience::Public | Audience::SignedIn)
}

/// People of every role.
pub(super) struct People {
    pub(super) tenant: TestTenant,
    pub(super) other: TestTenant,
}

pub(super) const ROLES: [(&str, Role); 4] = [
    ("member@acme.example", Role::Member),
    ("admin@acme.example", Role::Admin),
    ("owner@acme.example", Role::Owner),
    ("root@platform.example", Role::PlatformAdmin),
];

impl People {
    pub(super) async fn make(app: &TestApp) -> Self {
        let tenant = app.tenant("acme").await;
        let other = app.tenant("globex").await;
        app.person(&tenant, ROLES[0].0, Role::Member, false).await;
        app.person(&tenant, ROLES[1].0, Role::Admin, false).await;
        app.platform_admin(ROLES[3].0).await;
        Self { tenant, other }
    }

    /// Where somebody of this role signs in.
    pub(super) fn home(&self, role: Role) -> &str {
        if role == Role::PlatformAdmin {
            "localhost"
        } else {
            &self.tenant.host
        }
    }
}

/// Whether a route is for this role.
pub(super) fn is_for(route: &Route, role: Role) -> bool {
    match route.audience {
        Audience::Public | Audience::SignedIn => true,
        Audience::TenantAdmin => matches!(role, Role::Owner | Role::Admin),
        Audience::PlatformAdmin => role == Role::PlatformAdmin,
    }
}

/// Credentials that never were any.
pub(super) async fn garbage(app: &TestApp, good: &SignIn) -> Vec<(&'static str, Credentials)> {
    let token = AccessToken::parse(&good.access);
    let mut claims = token.claims.clone();
    claims["role"] = json!("platform_admin");
    let cut = good.access[..good.access.len() - 1].to_owned();
    let changed = |text: &str| {
        let last = if text.ends_with('A') { "B" } else { "A" };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let cookie = app.cookie("acme.localhost", "owner@acme.example").await;
    let both = |bearer: String, cookie: String| Credentials {
        bearer: Some(bearer),
        cookie: Some(cookie),
    };
    vec![
        ("nothing", Credentials::default()),
        ("a word", both("garbage".to_owned(), "garbage".to_owned())),
        ("an empty one", both(String::new(), String::new())),
        (
            "one cut short",
            both(cut, cookie[..cookie.len() - 1].to_owned()),
        ),
        (
            "one with a changed bit",
            both(changed(&good.access), changed(&cookie)),
        ),
        (
            "the other's kind",
            both(cookie.clone(), good.access.clone()),
        ),
        (
            "a refresh token",
            both(good.refresh.clone(), good.refresh.clone()),
        ),
        (
            "other claims",
            both(token.forged(&claims), cookie.to_uppercase()),
        ),
        ("no signature", both(token.unsigned(), format!("{cookie}="))),
        (
            "another's key",
            both(token.signed_by_another(None), format!("x{cookie}")),
        ),
        (
            "another's key by its name",
            both(
                token.signed_by_another(Some("theirs")),
                cookie.replace('-', "_"),
            ),
        ),
    ]
}

/// A credential that was good once, and why it is no more.
pub(super) struct Ended {
    pub(super) why: &'static str,
    pub(super) tenant: TestTenant,
    pub(super) shown: Credentials,
}

/// Everything that ends a session before its time.
pub(super) async fn ended(app: &TestApp) -> Vec<Ended> {
    let admin = app.admin().await.access;
    let mut list = Vec::new();
    for (why, slug) in [
        ("suspended", "suspended-one"),
        ("deleted", "deleted-one"),
        ("restored", "restored-one"),
        ("recreated", "recreated-one"),
        ("purged", "purged-one"),
        ("made again after a purge", "phoenix-one"),
        ("sessions cleared", "cleared-one"),
        ("signed out", "left-one"),
        ("signed out everywhere", "left-all"),
        ("password changed", "changed-one"),
    ] {
        let tenant = app.tenant(slug).await;
        let shown = signed_in(app, &tenant.host, &tenant.owner).await;
        end(app, &admin, why, &tenant, &shown).await;
        list.push(Ended { why, tenant, shown });
    }
    list
}

async fn end(app: &TestApp, admin: &str, why: &str, tenant: &TestTenant, shown: &Credentials) {
    let slug = &tenant.slug;
    let one = format!("/api/v1/tenants/{slug}");
    let act = async |method: &str, path: String| {
        let answer = app.call(method, &path).bearer(admin).send().await;
        assert!(answer.status < 300, "{why}: {}", answer.text());
    };
    let delete = format!("{one}?confirm={slug}");
    let own = shown.bearer.clone().unwrap_or_default();
    match why {
        "suspended" => act("POST", format!("{one}/suspend")).await,
        "deleted" => act("DELETE", delete).await,
        "restored" => {
            act("DELETE", delete).await;
            act("POST", format!("{one}/restore")).await;
        }
        "recreated" => {
            let owner =
                json!({ "email": tenant.owner, "password": tenantry_testkit::service::PASSWORD });
            let body = json!({ "confirm": slug, "owner": owner });
            let call = app
                .post(&format!("{one}/recreate"))
                .bearer(admin)
                .json(&body);
            call.send().await.ok(200);
        }
        "purged" => act("DELETE", format!("{delete}&purge=true")).await,
        "made again after a purge" => {
            act("DELETE", format!("{delete}&purge=true")).await;
            app.tenant(slug).await;
        }
        "sessions cleared" => act("DELETE", format!("{one}/sessions")).await,
        "signed out" => {
            let call = app.post("/api/v1/auth/logout").bearer(&own);
            assert!(call.send().await.status < 300);
            let cookie = shown.cookie.clone().unwrap_or_default();
            let credential = Credential::Cookie(&cookie);
            let session = app.service().authenticate(credential, None).await.unwrap();
            app.service()
                .sign_out(&session.session.handle())
                .await
                .unwrap();
        }
        "signed out everywhere" => {
            let call = app.post("/api/v1/auth/logout-all").bearer(&own);
            assert!(call.send().await.status < 300);
        }
        "password changed" => {
            // From a third session: it lives on, these two do not.
            let third = app.sign_in(&tenant.host, &tenant.owner).await;
            let body = json!({
                "current_password": tenantry_testkit::service::PASSWORD,
                "new_password": "another long enough one",
            });
            let call = app.post("/api/v1/auth/me/password").bearer(&third.access);
            call.json(&body).send().await.ok(200);
        }
        other => panic!("nothing ends by {other:?}"),
    }
}

/// What the guard is expected to answer, as a code.
pub(super) fn refused_as(
    route: &Route,
    answer: &tenantry_testkit::app::Answer,
    code: &str,
    case: &str,
) {
    let case = format!("{} {}: {case}", route.verb.as_str(), route.path);
    // A proxy that asks whether to let a request through hears 401 whatever is wrong with it.
    let code = if route.surface == Surface::ForwardAuth && code != "session_stale" {
        "authentication_required"
    } else {
        code
    };
    let status = match code {
        "authentication_required" | "session_stale" => 401,
        "password_change_required" | "forbidden" => 403,
        "tenant_not_found" => 404,
        "tenant_conflict" => 400,
        other => panic!("the guard does not say {other}"),
    };
    if route.surface != Surface::Page {
        let seen = (answer.status, answer.code());
        assert_eq!(seen, (status, Some(code.to_owned())), "{case}");
        answer.problem(status, code);
        return;
    }
    let leads = match code {
        "authentication_required" => Some("/login?return_to=/"),
        "session_stale" => Some("/login?reason=session_ended"),
        "password_change_required" => Some("/account/password"),
        _ => None,
    };
    let Some(leads) = leads else {
        assert_eq!(answer.status, status, "{case}");
        return;
    };
    assert_eq!(answer.status, 303, "{case}");
    assert!(
        answer.location().starts_with(leads),
        "{case}: {}",
        answer.location()
    );
    if code == "session_stale" {
        assert!(takes_back(answer), "{case}: the cookie is not taken back");
    }
}

/// Whether an answer takes the session's cookie back.
pub(super) fn takes_back(answer: &tenantry_testkit::app::Answer) -> bool {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .any(|cookie| cookie.starts_with("tenantry_session=;") && cookie.contains("Max-Age=0"))
}

/// The life of an access token.
pub(super) const ACCESS_TOKEN: Duration = Duration::from_mins(10);
