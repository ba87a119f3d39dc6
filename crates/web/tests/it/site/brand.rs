//! A tenant's colour and logo through pages, as a browser without a script uses them; and the host
//! that pages show.

use tenantry_testkit::app::{Answer, TestApp};

use super::people::Browser;
use crate::api::tenant::png;

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A form with a file, as Chromium sends it.
fn with_file(token: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"logo.svg\"\r\n\
         Content-Type: image/svg+xml\r\n\r\n"
    )
    .into_bytes();
    body.extend(file);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
    body
}

async fn upload(browser: &Browser<'_>, page: &str, action: &str, file: &[u8]) -> Answer {
    let token = browser.token(page).await;
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let call = browser.post(action).body(&kind, with_file(&token, file));
    call.send().await
}

/// The address of the logo on a page.
fn logo_on(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<span class=\"logo\"><img src=\"")?;
    rest.split('"').next()
}

#[tokio::test]
async fn an_owner_paints_the_pages_of_his_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let owner = Browser::open(&app, &acme, &acme.owner).await;
    let page = owner.get("/settings").await.text();
    assert!(!page.contains("tenant/ffff00.css"), "{page}");
    let set = owner.send("/settings", "/settings", &[("colour", " #ffff00 ")]);
    assert_eq!(set.await.location(), "/settings?done=colour");
    for path in ["/settings?done=colour", "/dashboard"] {
        let page = owner.get(path).await.text();
        assert!(page.contains("/assets/tenant/ffff00.css"), "{path}: {page}");
    }
    let wrong = owner.send("/settings", "/settings", &[("colour", "<b>yellow")]);
    let wrong = wrong.await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("value=\"&#60;b&#62;yellow\""),
        "{}",
        wrong.text()
    );
    assert!(wrong.text().contains("aria-invalid"));

    let set = upload(&owner, "/settings", "/settings/logo", &png(1)).await;
    assert_eq!(set.location(), "/settings?done=logo", "{}", set.text());
    let page = owner.get("/dashboard").await.text();
    let logo = logo_on(&page).unwrap().to_owned();
    let served = app.get(&logo).host(&acme.host).send().await;
    assert_eq!((served.status, served.body), (200, png(1)));
    let photograph = vec![0xff; 3 * 1024 * 1024];
    for bad in [&b""[..], b"<svg/>", &photograph] {
        let refused = upload(&owner, "/settings", "/settings/logo", bad).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let page = refused.text();
        assert!(page.contains("id=\"logo-error\""), "{page}");
        assert_eq!(logo_on(&page), Some(logo.as_str()));
    }
    // A form with a file from elsewhere is one from elsewhere.
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let forged = owner.post("/settings/logo");
    let forged = forged
        .body(&kind, with_file("forged", &png(2)))
        .send()
        .await;
    assert_eq!(forged.status, 403, "{}", forged.text());
    let gone = owner.send("/settings", "/settings/logo/remove", &[]).await;
    assert_eq!(gone.location(), "/settings?done=logo_removed");
    assert_eq!(logo_on(&owner.get("/dashboard").await.text()), None);
    let none = owner
        .send("/settings", "/settings", &[("colour", "")])
        .await;
    assert_eq!(none.location(), "/settings?done=colour");
    let page = owner.get("/settings").await.text();
    assert!(!page.contains("tenant/ffff00.css"), "{page}");
}

#[tokio::test]
async fn a_platform_admin_paints_any_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.platform_admin("root@platform.example").await;
    let root = Browser::at(&app, "localhost", "root@platform.example").await;
    let page = "/admin/tenants/acme";
    let action = "/admin/tenants/acme/brand";
    let set = root.send(page, action, &[("colour", "#7f7f7f")]).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert!(set.text().contains("value=\"#7f7f7f\""), "{}", set.text());
    let wrong = root.send(page, action, &[("colour", "grey")]).await;
    assert_eq!(wrong.status, 422);
    let logo = format!("{action}/logo");
    let set = upload(&root, page, &logo, &png(1)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let shown = app.get("/login").host(&acme.host).send().await.text();
    assert!(shown.contains("tenant/7f7f7f.css") && logo_on(&shown).is_some());
    let refused = upload(&root, page, &logo, b"<svg/>").await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let gone = root.send(page, &format!("{logo}/remove"), &[]).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let shown = app.get("/login").host(&acme.host).send().await.text();
    assert!(logo_on(&shown).is_none());
}

#[tokio::test]
async fn a_page_shows_the_host_that_its_visitor_is_at() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.domain(&acme, "host", "login.acme.example", true).await;
    let port = app.address().port();
    let host_on = |page: String| {
        let (_, rest) = page.split_once("<span class=\"plate-host\">").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let at = async |host: &str| host_on(app.get("/login").host(host).send().await.text());
    let own = format!("login.acme.example:{port}");
    assert_eq!(at("login.acme.example").await, own);
    assert_eq!(at("acme.localhost").await, "acme.localhost:8000");
    // Also where nobody gets in.
    let id = acme.id.parse().unwrap();
    app.service().suspend_tenant(id).await.unwrap();
    assert_eq!(at("login.acme.example").await, own);
    // A name below another name is no host of the tenant's.
    let named = app.get("/login").header("x-tenant-id", "acme");
    assert_eq!(host_on(named.send().await.text()), "acme.localhost:8000");
}
