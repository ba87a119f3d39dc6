//! A browser that is signed in when its tenant is made anew beside the server.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tenantry_testkit::services::{Browser, Cookie, Locator};

use super::{FIRST, House, OWNER, SECOND, arrives, fill, sign_in, submit, text};

/// What a change made by another process may take to be seen.
const PROMISED: Duration = Duration::from_secs(1);

async fn cookies(browser: &Browser) -> Result<Vec<(String, String)>> {
    let cookies = browser.get_all_cookies().await?;
    let named = |cookie: &Cookie<'_>| (cookie.name().to_owned(), cookie.value().to_owned());
    Ok(cookies.iter().map(named).collect())
}

/// Gives the browser a cookie that it had.
async fn has_again(browser: &Browser, name: &str, value: &str) -> Result<()> {
    let cookie = format!("{name}={value}; path=/");
    let script = "document.cookie = arguments[0]";
    browser.execute(script, vec![cookie.into()]).await?;
    Ok(())
}

#[tokio::test]
async fn a_recreated_tenant_leads_to_the_sign_in_page_and_in_again() -> Result<()> {
    let house = House::open()?;
    house.make_tenant_with_password("Uml", "uml", FIRST)?;
    let browser = Browser::start().await?;
    let dashboard = house.at("uml", "/dashboard");
    sign_in(&browser, &house, "uml", OWNER, FIRST).await?;
    arrives(&browser, &dashboard).await?;
    // Known from memory by now.
    browser.refresh().await?;
    browser.refresh().await?;
    let session = cookies(&browser).await?;
    let session = session.iter().find(|(name, _)| name == "tenantry_session");
    let (name, stale) = session.cloned().unwrap_or_default();
    ensure!(!stale.is_empty());

    let args = ["tenant", "recreate", "uml", "--force"];
    house.run(&args, "")?;
    let since = Instant::now();
    let ended = house.at("uml", "/login?reason=session_ended");
    loop {
        let asked = since.elapsed();
        browser.refresh().await?;
        if browser.current_url().await?.as_str() == ended {
            break;
        }
        ensure!(asked < PROMISED, "signed in {asked:?} after the change");
    }
    let told = text(&browser, "main").await?;
    ensure!(told.to_lowercase().contains("sign in again"), "{told}");
    let left = cookies(&browser).await?;
    ensure!(
        left.iter().all(|(name, _)| name != "tenantry_session"),
        "{left:?}"
    );
    // It stays there, and the sign-in page shows itself whatever cookie comes with it.
    browser.refresh().await?;
    ensure!(browser.current_url().await?.as_str() == ended);
    has_again(&browser, &name, &stale).await?;
    browser.goto(&house.at("uml", "/login")).await?;
    ensure!(browser.current_url().await?.as_str() == house.at("uml", "/login"));
    ensure!(
        browser
            .find(Locator::Css("input[name=password]"))
            .await
            .is_ok()
    );
    // It took the cookie back. Shown to a page for somebody, it leads there once more, and not in a
    // circle.
    has_again(&browser, &name, &stale).await?;
    browser.goto(&dashboard).await?;
    ensure!(browser.current_url().await?.as_str() == ended);

    // The owner sets a password by the link that was mailed, and is in.
    super::set_up(&browser, &house, "uml", SECOND).await?;
    fill(&browser, "email", OWNER).await?;
    fill(&browser, "password", SECOND).await?;
    submit(&browser).await?;
    arrives(&browser, &dashboard).await?;
    browser.close().await
}
