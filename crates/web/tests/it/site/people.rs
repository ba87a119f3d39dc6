//! The pages of one's own account and of a tenant's people, as a browser without a script uses them.

use tenantry_core::Role;
use tenantry_testkit::app::{Answer, Call, TestApp, TestTenant};
use tenantry_testkit::service::PASSWORD;

/// A browser that is signed in.
pub(super) struct Browser<'a> {
    app: &'a TestApp,
    host: String,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub(super) async fn open(app: &'a TestApp, tenant: &TestTenant, email: &str) -> Self {
        Self::at(app, &tenant.host, email).await
    }

    pub(super) async fn at(app: &'a TestApp, host: &str, email: &str) -> Self {
        Self {
            app,
            host: host.to_owned(),
            cookie: app.cookie(host, email).await,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let call = self.app.get(path).host(&self.host).cookie(&self.cookie);
        call.send().await
    }

    /// Sends a form with the token of the page that it is on.
    pub(super) async fn send(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(page).await;
        let mut all = vec![("csrf_token", token.as_str())];
        all.extend(fields);
        self.post(action).form(&all).send().await
    }

    /// A form to be filled in.
    pub(super) fn post(&self, action: &str) -> Call {
        self.app.post(action).host(&self.host).cookie(&self.cookie)
    }

    /// The token of the forms on a page.
    pub(super) async fn token(&self, page: &str) -> String {
        let text = self.get(page).await.text();
        let token = text.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
        token.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_owner_runs_the_people_through_pages() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let owner = Browser::open(&app, &acme, &acme.owner).await;
    assert!(
        owner
            .get("/dashboard")
            .await
            .text()
            .contains("href=\"/staff\"")
    );
    let shown = [
        ("email", "sam@acme.example"),
        ("full_name", "Sam Okafor"),
        ("username", ""),
        ("role", "member"),
        ("generate_password", "true"),
    ];
    let created = owner.send("/staff/new", "/staff/new", &shown).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let text = created.text();
    let password = text.split("id=\"generated-password\">").nth(1).unwrap();
    let password = password.split('<').next().unwrap();
    app.try_sign_in(&acme.host, "sam@acme.example", password)
        .await
        .ok(200);
    let again = owner.send("/staff/new", "/staff/new", &shown).await;
    assert_eq!(again.status, 409);
    assert!(again.text().contains("taken already"), "{}", again.text());
    let wrong = [("email", "nowhere"), ("username", "-"), ("role", "member")];
    let wrong = owner.send("/staff/new", "/staff/new", &wrong).await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    let marked = text.matches("aria-invalid=\"true\"").count();
    assert_eq!(marked, 2, "{text}");

    let invited = [("email", "grace@acme.example"), ("role", "admin")];
    let invited = owner.send("/staff/new", "/staff/new", &invited).await;
    assert_eq!(invited.status, 303, "{}", invited.text());
    let grace = invited.location().split('?').next().unwrap().to_owned();
    let page = owner.get(invited.location()).await.text();
    assert!(page.contains("grace@acme.example"), "{page}");
    assert!(owner.get("/staff").await.text().contains("Sam Okafor"));

    let done = owner
        .send(&grace, &format!("{grace}/setup-link"), &[])
        .await;
    assert_eq!(done.location(), format!("{grace}?done=linked"));
    let changed = [
        ("full_name", "Grace"),
        ("username", "grace"),
        ("email", "grace.h@acme.example"),
        ("role", "member"),
    ];
    let done = owner.send(&grace, &grace, &changed).await;
    assert_eq!(done.location(), format!("{grace}?done=saved"));
    for (act, word) in [("disable", "disabled"), ("enable", "enabled")] {
        let done = owner.send(&grace, &format!("{grace}/{act}"), &[]).await;
        assert_eq!(done.location(), format!("{grace}?done={word}"));
    }
    let done = owner.send(&grace, &format!("{grace}/sessions"), &[]).await;
    assert_eq!(done.location(), format!("{grace}?done=sessions"));
    let done = owner.send(&grace, &format!("{grace}/remove"), &[]).await;
    assert_eq!(done.location(), "/staff?done=removed");
    assert_eq!(owner.get(&grace).await.status, 404);

    // The last owner stays, and is told why in the page.
    let me = app.sign_in(&acme.host, &acme.owner).await.body["user"]["id"].clone();
    let own = format!("/staff/{}", me.as_str().unwrap());
    let refused = owner.send(&own, &format!("{own}/remove"), &[]).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused
            .text()
            .contains("One owner who can get in has to stay")
    );
}

#[tokio::test]
async fn a_member_has_an_account_and_no_people() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.person(&acme, "mia@acme.example", Role::Member, false)
        .await;
    let mia = Browser::open(&app, &acme, "mia@acme.example").await;
    assert_eq!(mia.get("/staff").await.status, 403);
    assert!(
        !mia.get("/dashboard")
            .await
            .text()
            .contains("href=\"/staff\"")
    );
    let fields = [
        ("full_name", "Mia"),
        ("username", "mia"),
        ("email", "mia@acme.example"),
    ];
    let saved = mia.send("/account", "/account", &fields).await;
    assert_eq!(saved.location(), "/account?done=saved");
    let page = mia.get("/account?done=saved").await.text();
    assert!(page.contains("value=\"Mia\"") && page.contains("are saved"));
    let taken = [
        ("full_name", "Mia"),
        ("username", "owner"),
        ("email", "mia@acme.example"),
    ];
    let taken = mia.send("/account", "/account", &taken).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text().contains("taken already"));
    let moved = [
        ("full_name", "Mia"),
        ("username", "mia"),
        ("email", "mia@new.example"),
    ];
    let pending = mia.send("/account", "/account", &moved).await;
    assert_eq!(pending.status, 200);
    assert!(pending.text().contains("on its way to mia@new.example"));

    // Followed in the same browser, the link keeps it signed in.
    let mails = app.inner().mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == "mia@new.example");
    let text = mail.unwrap().text.clone().unwrap();
    let token = text.split("/verify-email/").nth(1).unwrap();
    let path = format!("/verify-email/{}", token.split_whitespace().next().unwrap());
    let done = mia.send(&path, &path, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/account?done=address")
    );
    assert!(mia.get("/account").await.text().contains("mia@new.example"));
    let gone = mia.get(&path).await;
    assert_eq!(gone.status, 400);
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_and_all_at_once() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let here = Browser::open(&app, &acme, &acme.owner).await;
    let there = Browser::open(&app, &acme, &acme.owner).await;
    let api = app.sign_in(&acme.host, &acme.owner).await;
    let page = here.get("/account/sessions").await.text();
    assert_eq!(page.matches("class=\"session\"").count(), 3, "{page}");
    let action = page.split("action=\"/account/sessions/").nth(1).unwrap();
    let action = format!("/account/sessions/{}", action.split('"').next().unwrap());
    let ended = here.send("/account/sessions", &action, &[]).await;
    assert_eq!(ended.location(), "/account/sessions?done=ended");
    let others = here
        .send("/account/sessions", "/account/sessions/end-others", &[])
        .await;
    assert_eq!(others.location(), "/account/sessions?done=others");
    assert_eq!(here.get("/dashboard").await.status, 200);
    assert_eq!(
        there.get("/dashboard").await.location(),
        "/login?reason=session_ended"
    );
    let stale = app.get("/api/v1/auth/me").bearer(&api.access);
    stale.send().await.problem(401, "session_stale");
    // Another person's session is none.
    let globex = app.tenant("globex").await;
    let strangers = app.sign_in(&globex.host, &globex.owner).await;
    let list = app.get("/api/v1/auth/sessions").bearer(&strangers.access);
    let id = list.send().await.ok(200)["items"][0]["id"].clone();
    let action = format!("/account/sessions/{}/end", id.as_str().unwrap());
    let refused = here.send("/account/sessions", &action, &[]).await;
    assert_eq!(refused.status, 404);
    app.try_sign_in(&acme.host, &acme.owner, PASSWORD)
        .await
        .ok(200);
}

#[tokio::test]
async fn an_owner_enrols_devices_and_sets_pins_through_pages() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.person(&acme, "sam@acme.example", Role::Member, false)
        .await;
    let owner = Browser::open(&app, &acme, &acme.owner).await;
    let page = "/staff/devices";
    let wrong = owner.send(page, page, &[("name", " ")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(wrong.text().contains("id=\"name-error\""));
    let enrolled = owner.send(page, page, &[("name", "Till <1>")]).await;
    assert_eq!(enrolled.status, 201, "{}", enrolled.text());
    let text = enrolled.text();
    let token = text.split("id=\"device-token\">").nth(1).unwrap();
    let token = token.split('<').next().unwrap().to_owned();
    let listed = owner.get(page).await.text();
    assert!(listed.contains("Till &#60;1&#62;") && !listed.contains(&token));

    let people = owner.get("/staff").await.text();
    let (before, _) = people.split_once("sam</a>").unwrap();
    let sam = before.rsplit("href=\"").next().unwrap();
    let sam = sam.split('"').next().unwrap().to_owned();
    let pin = format!("{sam}/pin");
    for bad in ["12345", "111111", "123456", "121212", "abcdef"] {
        let refused = owner.send(&sam, &pin, &[("pin", bad)]).await;
        assert_eq!(refused.status, 422, "{bad}: {}", refused.text());
        assert!(refused.text().contains("id=\"pin-error\""), "{bad}");
    }
    let set = owner.send(&sam, &pin, &[("pin", "739146")]).await;
    assert_eq!(set.location(), format!("{sam}?done=pin"));
    let page_of = owner.get(set.location()).await.text();
    assert!(page_of.contains("A PIN is set."), "{page_of}");
    assert!(!page_of.contains("739146"));
    let sign_in = async || {
        let body = serde_json::json!({
            "email": "sam@acme.example", "pin": "739146", "device_token": token,
        });
        app.post("/api/v1/auth/login/pin").json(&body).send().await
    };
    sign_in().await.ok(200);
    let gone = owner.send(&sam, &format!("{pin}/remove"), &[]).await;
    assert_eq!(gone.location(), format!("{sam}?done=pin_removed"));
    sign_in().await.problem(401, "invalid_credentials");
    owner.send(&sam, &pin, &[("pin", "739146")]).await;
    sign_in().await.ok(200);

    let listed = owner.get(page).await.text();
    let (before, _) = listed.split_once("/remove\"").unwrap();
    let device = before.rsplit("action=\"").next().unwrap();
    let gone = owner.send(page, &format!("{device}/remove"), &[]).await;
    assert_eq!(gone.location(), "/staff/devices?done=removed");
    assert!(owner.get(page).await.text().contains("No device yet."));
    sign_in().await.problem(401, "invalid_credentials");
    // Nobody below runs them.
    let member = Browser::open(&app, &acme, "sam@acme.example").await;
    for path in [page, "/settings"] {
        assert_eq!(member.get(path).await.status, 403, "{path}");
    }
    let own = member.get("/dashboard").await.text();
    assert!(!own.contains("/staff/devices") && !own.contains("/settings"));
}
