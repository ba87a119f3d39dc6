//! The path of a new user through the real pages, in Chromium.

mod people;
mod stale;

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tenantry_testkit::process::{Installation, Running};
use tenantry_testkit::services::{Browser, BrowserOptions, Locator};

use crate::acts;
use crate::http::Ask;

const OWNER: &str = "owner@example.org";
const FIRST: &str = "correct horse battery staple";
const SECOND: &str = "a quite different passphrase";

/// A server whose own links lead back to it, and a way to its hosts.
struct House {
    install: Installation,
    port: u16,
    server: Running,
}

impl House {
    fn open() -> Result<Self> {
        Self::open_with("")
    }

    /// With such settings in a file.
    fn open_with(settings: &str) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut install = Installation::fresh(env!("CARGO_BIN_EXE_tenantry"))?;
        install
            .set("TENANTRY_BIND", format!("127.0.0.1:{port}"))
            .set("TENANTRY_PUBLIC_URL", format!("http://localhost:{port}"));
        if !settings.is_empty() {
            install.configure(settings)?;
        }
        let server = install.serve()?;
        Ok(Self {
            install,
            port,
            server,
        })
    }

    fn at(&self, slug: &str, path: &str) -> String {
        let host = if slug.is_empty() {
            "localhost".to_owned()
        } else {
            format!("{slug}.localhost")
        };
        format!("http://{host}:{}{path}", self.port)
    }

    fn run(&self, args: &[&str], input: &str) -> Result<serde_json::Value> {
        let all = args.iter().copied().chain(["--json"]);
        let ended = self.install.run_with_input(all, input)?;
        ensure!(ended.code == Some(0), "{args:?}: {}", ended.stderr);
        Ok(serde_json::from_str(&ended.stdout)?)
    }

    fn make_tenant(&self, name: &str, slug: &str) -> Result<()> {
        self.run(
            &[
                "tenant",
                "create",
                name,
                "--slug",
                slug,
                "--owner-email",
                OWNER,
            ],
            "",
        )
        .map(drop)
    }

    fn make_tenant_with_password(&self, name: &str, slug: &str, password: &str) -> Result<()> {
        let args = [
            "tenant",
            "create",
            name,
            "--slug",
            slug,
            "--owner-email",
            OWNER,
            "--owner-password-stdin",
        ];
        self.run(&args, &format!("{password}\n")).map(drop)
    }
}

async fn text(browser: &Browser, css: &str) -> Result<String> {
    let element = browser
        .wait()
        .at_most(Duration::from_secs(20))
        .for_element(Locator::Css(css))
        .await;
    let url = browser.current_url().await?;
    Ok(element
        .with_context(|| format!("no {css} at {url}"))?
        .text()
        .await?)
}

async fn fill(browser: &Browser, name: &str, value: &str) -> Result<()> {
    let css = format!("input[name={name}]");
    let field = browser
        .wait()
        .at_most(Duration::from_secs(20))
        .for_element(Locator::Css(&css))
        .await?;
    field.clear().await?;
    field.send_keys(value).await?;
    Ok(())
}

/// Sends the page's form, and waits until another page has taken its place: what is looked for next
/// may be on both.
async fn submit(browser: &Browser) -> Result<()> {
    let page = browser.find(Locator::Css("html")).await?;
    browser
        .find(Locator::Css("main button.main"))
        .await?
        .click()
        .await?;
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while page.tag_name().await.is_ok() {
        ensure!(
            std::time::Instant::now() < until,
            "the form leads to no page"
        );
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Waits until the address is this; pages answer by leading on.
async fn arrives(browser: &Browser, url: &str) -> Result<()> {
    let until = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let now = browser.current_url().await?.to_string();
        if now == url {
            return Ok(());
        }
        if std::time::Instant::now() > until {
            bail!(
                "expected {url}, is at {now}: {}",
                text(browser, "main").await?
            );
        }
        tokio::task::yield_now().await;
    }
}

async fn sign_in(
    browser: &Browser,
    house: &House,
    slug: &str,
    login: &str,
    password: &str,
) -> Result<()> {
    browser.goto(&house.at(slug, "/login")).await?;
    fill(browser, "email", login).await?;
    fill(browser, "password", password).await?;
    submit(browser).await
}

async fn sign_out(browser: &Browser, house: &House, slug: &str) -> Result<()> {
    browser
        .find(Locator::Css("form[action='/logout'] button"))
        .await?
        .click()
        .await?;
    arrives(browser, &house.at(slug, "/login?reason=signed_out")).await
}

/// Opens the link in the newest mail that leads to an address that begins so.
async fn follow_mail(browser: &Browser, house: &House, begins: &str) -> Result<()> {
    let link = format!("a[href^='{begins}']");
    let until = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        browser.goto(&house.at("", "/dev/mail")).await?;
        for place in 0..browser.find_all(Locator::Css(".mails a")).await?.len() {
            browser.goto(&house.at("", "/dev/mail")).await?;
            let mails = browser.find_all(Locator::Css(".mails a")).await?;
            mails[place].click().await?;
            text(browser, "h1").await?;
            if let Ok(element) = browser.find(Locator::Css(&link)).await {
                let href = element.attr("href").await?.context("a link")?;
                browser.goto(&href).await?;
                text(browser, "main").await?;
                return Ok(());
            }
        }
        ensure!(
            std::time::Instant::now() < until,
            "no mail leads to {begins}"
        );
    }
}

/// Follows the newest setup link at a tenant, and sets a password there.
async fn set_up(browser: &Browser, house: &House, slug: &str, password: &str) -> Result<()> {
    follow_mail(browser, house, &house.at(slug, "/setup/password/")).await?;
    ensure!(browser.source().await?.contains(OWNER));
    fill(browser, "password", "too short").await?;
    submit(browser).await?;
    ensure!(text(browser, ".field-error").await?.contains("15"));
    fill(browser, "password", password).await?;
    submit(browser).await?;
    arrives(browser, &house.at(slug, "/login?reason=password_set")).await
}

/// Opens a tenant to registration, as a platform admin does.
fn open_registration(house: &House, slug: &str, verify_email: bool) -> Result<()> {
    let server = house.server.address()?;
    let admin = acts::token(server, None, acts::ADMIN)?;
    let change = serde_json::json!({ "registration": "open", "verify_email": verify_email });
    let changed = Ask::patch(&format!("/api/v1/tenants/{slug}"))
        .bearer(&admin)
        .json(&change)
        .send(server)?;
    ensure!(changed.status == 200, "{changed:?}");
    Ok(())
}

async fn register(browser: &Browser, username: &str, email: &str, password: &str) -> Result<()> {
    for (name, value) in [
        ("full_name", "Grace Hopper"),
        ("username", username),
        ("email", email),
        ("password", password),
    ] {
        fill(browser, name, value).await?;
    }
    submit(browser).await
}

#[tokio::test]
async fn a_new_user_registers_and_lands_on_the_dashboard() -> Result<()> {
    const GRACE: &str = "grace@example.org";
    let house = House::open()?;
    acts::make_admin(&house.install)?;
    house.make_tenant_with_password("Uml", "uml", FIRST)?;
    house.make_tenant_with_password("Test One", "test1", FIRST)?;
    open_registration(&house, "uml", false)?;
    open_registration(&house, "test1", true)?;
    let browser = Browser::start().await?;

    browser.goto(&house.at("uml", "/login")).await?;
    browser
        .find(Locator::Css("a[href='/register']"))
        .await?
        .click()
        .await?;
    arrives(&browser, &house.at("uml", "/register")).await?;
    register(&browser, "a b", "grace@", "too short").await?;
    for field in ["username", "email", "password"] {
        let beside = format!("#{field}-error");
        ensure!(!text(&browser, &beside).await?.is_empty(), "{field}");
    }
    register(&browser, "owner2", OWNER, FIRST).await?;
    ensure!(text(&browser, "#email-error").await?.contains("taken"));
    register(&browser, "grace", GRACE, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    ensure!(text(&browser, "main").await?.contains("Grace Hopper"));

    // The same name elsewhere, where the address is to be proven first.
    browser.goto(&house.at("test1", "/register")).await?;
    register(&browser, "grace", GRACE, SECOND).await?;
    ensure!(text(&browser, "main").await?.contains(GRACE));
    follow_mail(&browser, &house, &house.at("test1", "/verify-email/")).await?;
    submit(&browser).await?;
    arrives(&browser, &house.at("test1", "/login?reason=registered")).await?;
    sign_in(&browser, &house, "test1", "grace", SECOND).await?;
    arrives(&browser, &house.at("test1", "/dashboard")).await?;
    sign_out(&browser, &house, "test1").await?;

    // And a forgotten password, by link and by code.
    browser.goto(&house.at("test1", "/forgot-password")).await?;
    fill(&browser, "email", GRACE).await?;
    submit(&browser).await?;
    follow_mail(&browser, &house, &house.at("test1", "/reset-password/")).await?;
    fill(&browser, "password", FIRST).await?;
    submit(&browser).await?;
    arrives(&browser, &house.at("test1", "/login?reason=password_set")).await?;
    sign_in(&browser, &house, "test1", GRACE, FIRST).await?;
    arrives(&browser, &house.at("test1", "/dashboard")).await?;
    browser.close().await
}

#[tokio::test]
async fn a_new_user_walks_the_whole_path() -> Result<()> {
    let house = House::open()?;
    let browser = Browser::start().await?;

    let admin = house.run(&["admin", "create", "--email", "root@example.org"], "")?;
    browser
        .goto(admin["setup_link"].as_str().context("a setup link")?)
        .await?;
    fill(&browser, "password", FIRST).await?;
    submit(&browser).await?;
    arrives(&browser, &house.at("", "/login?reason=password_set")).await?;
    sign_in(&browser, &house, "", "root@example.org", FIRST).await?;
    arrives(&browser, &house.at("", "/dashboard")).await?;

    house.make_tenant("Uml", "uml")?;
    house.make_tenant("Test One", "test1")?;
    browser.goto(&house.at("", "/admin/tenants")).await?;
    ensure!(text(&browser, "table").await?.contains("Test One"));
    browser
        .find(Locator::LinkText("Uml"))
        .await?
        .click()
        .await?;
    ensure!(text(&browser, "h1").await?.contains("Uml"));
    browser.goto(&house.at("", "/dashboard")).await?;
    sign_out(&browser, &house, "").await?;

    // The same address is two people with two passwords.
    set_up(&browser, &house, "uml", FIRST).await?;
    set_up(&browser, &house, "test1", SECOND).await?;
    sign_in(&browser, &house, "uml", OWNER, SECOND).await?;
    ensure!(text(&browser, "[role=alert]").await?.contains("password"));
    sign_in(&browser, &house, "uml", OWNER, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    ensure!(text(&browser, "main").await?.contains("TEN00001"));
    sign_in(&browser, &house, "test1", OWNER, SECOND).await?;
    arrives(&browser, &house.at("test1", "/dashboard")).await?;

    // Suspended beside the running server: the session ends kindly and without a loop.
    house.run(&["tenant", "suspend", "uml"], "")?;
    browser.goto(&house.at("uml", "/dashboard")).await?;
    arrives(&browser, &house.at("uml", "/login?reason=session_ended")).await?;
    browser.goto(&house.at("uml", "/login")).await?;
    ensure!(
        browser
            .find(Locator::Css("input[name=password]"))
            .await
            .is_err(),
        "nobody gets in"
    );
    house.run(&["tenant", "resume", "uml"], "")?;
    sign_in(&browser, &house, "uml", OWNER, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    sign_out(&browser, &house, "uml").await?;
    browser.close().await
}

#[tokio::test]
async fn one_password_in_several_tenants_leads_to_a_choice() -> Result<()> {
    let house = House::open()?;
    house.make_tenant_with_password("Uml", "uml", FIRST)?;
    house.make_tenant_with_password("Test One", "test1", FIRST)?;
    house.make_tenant_with_password("Other", "other", SECOND)?;
    let browser = Browser::start().await?;
    sign_in(&browser, &house, "", OWNER, FIRST).await?;
    let offered = text(&browser, ".bells").await?;
    ensure!(
        offered.contains("Uml") && offered.contains("Test One") && !offered.contains("Other"),
        "{offered}"
    );
    browser
        .find(Locator::XPath("//button[contains(., 'Test One')]"))
        .await?
        .click()
        .await?;
    arrives(&browser, &house.at("", "/dashboard")).await?;
    ensure!(text(&browser, "main").await?.contains("Test One"));
    browser.close().await
}

#[tokio::test]
async fn a_phone_in_german_without_scripts_and_with_keys_only() -> Result<()> {
    let house = House::open()?;
    house.make_tenant_with_password("Wählergemeinschaft Süd", "waehler-sued", FIRST)?;
    let options = BrowserOptions {
        width: 360,
        height: 740,
        language: "de".to_owned(),
        scripts: false,
        ..BrowserOptions::default()
    };
    let browser = Browser::with(&options).await?;
    browser
        .goto(&house.at("waehler-sued", "/dashboard"))
        .await?;
    arrives(
        &browser,
        &house.at("waehler-sued", "/login?return_to=/dashboard"),
    )
    .await?;
    ensure!(text(&browser, "h1").await? == "Anmelden");
    ensure!(browser.find(Locator::Css("html[lang=de]")).await.is_ok());
    ensure!(
        !browser
            .find(Locator::Css("button.reveal"))
            .await?
            .is_displayed()
            .await?,
        "needs a script"
    );
    // The first field has the focus.
    browser.active_element().await?.send_keys(OWNER).await?;
    browser
        .active_element()
        .await?
        .send_keys("\u{e004}")
        .await?;
    browser
        .active_element()
        .await?
        .send_keys(&format!("{FIRST}\u{e007}"))
        .await?;
    arrives(&browser, &house.at("waehler-sued", "/dashboard")).await?;
    ensure!(
        text(&browser, "main")
            .await?
            .contains("Wählergemeinschaft Süd")
    );
    browser.close().await
}

#[tokio::test]
async fn no_page_is_wider_than_the_screen() -> Result<()> {
    let house = House::open()?;
    house.make_tenant_with_password("Uml", "uml", FIRST)?;
    house.run(
        &[
            "admin",
            "create",
            "--email",
            "root@example.org",
            "--password-stdin",
        ],
        &format!("{FIRST}\n"),
    )?;
    let browser = Browser::with(&BrowserOptions {
        width: 320,
        height: 700,
        ..BrowserOptions::default()
    })
    .await?;
    let fits = |path: String| {
        let browser = &browser;
        async move {
            browser.goto(&path).await?;
            let over = browser
                .execute("return document.documentElement.scrollWidth - document.documentElement.clientWidth", vec![])
                .await?;
            ensure!(over.as_i64() == Some(0), "{path} is {over} px too wide");
            Ok(())
        }
    };
    for path in [
        "/",
        "/login",
        "/docs",
        "/dev/mail",
        "/nothing-here",
        "/setup/password/x",
    ] {
        fits(house.at("", path)).await?;
    }
    fits(house.at("uml", "/login")).await?;
    sign_in(&browser, &house, "", "root@example.org", FIRST).await?;
    arrives(&browser, &house.at("", "/dashboard")).await?;
    for path in [
        "/dashboard",
        "/account/password",
        "/admin/tenants",
        "/admin/tenants/uml",
        "/admin/audit",
    ] {
        fits(house.at("", path)).await?;
    }
    sign_in(&browser, &house, "uml", OWNER, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    for path in [
        "/staff",
        "/staff/new",
        "/staff/devices",
        "/settings",
        "/account",
    ] {
        fits(house.at("uml", path)).await?;
    }
    browser.close().await
}
