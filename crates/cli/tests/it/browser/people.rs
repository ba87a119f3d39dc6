//! Who comes to have a tenant, and whom its owner brings in, through the real pages.

use anyhow::{Context as _, Result, ensure};
use tenantry_testkit::services::{Browser, Locator};

use super::{
    FIRST, House, SECOND, arrives, fill, follow_mail, set_up, sign_in, sign_out, submit, text,
};
use crate::acts;

async fn click(browser: &Browser, css: &str) -> Result<()> {
    text(browser, css).await?;
    browser.find(Locator::Css(css)).await?.click().await?;
    Ok(())
}

#[tokio::test]
async fn somebody_asks_for_a_tenant_and_gets_in() -> Result<()> {
    let house = House::open_with("[tenants]\nsignup = \"apply\"\n")?;
    acts::make_admin(&house.install)?;
    let browser = Browser::start().await?;
    browser.goto(&house.at("", "/signup")).await?;
    for (name, value) in [
        ("name", "Uml Verlag"),
        ("slug", "uml"),
        ("email", super::OWNER),
        ("full_name", "Ada Lovelace"),
    ] {
        fill(&browser, name, value).await?;
    }
    submit(&browser).await?;
    ensure!(text(&browser, "main").await?.contains(super::OWNER));
    follow_mail(&browser, &house, &house.at("", "/signup/")).await?;
    submit(&browser).await?;
    // The tenant is not there before somebody said yes.
    text(&browser, "h1").await?;
    browser.goto(&house.at("uml", "/login")).await?;
    ensure!(browser.find(Locator::Css("#password")).await.is_err());

    sign_in(&browser, &house, "", acts::ADMIN, crate::PASSWORD).await?;
    arrives(&browser, &house.at("", "/dashboard")).await?;
    browser.goto(&house.at("", "/admin/applications")).await?;
    ensure!(text(&browser, "table").await?.contains("Uml Verlag"));
    click(&browser, "details.more summary").await?;
    click(&browser, "form[action$='/approve'] button").await?;
    text(&browser, ".alert.good").await?;
    sign_out(&browser, &house, "").await?;

    set_up(&browser, &house, "uml", FIRST).await?;
    sign_in(&browser, &house, "uml", super::OWNER, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    let page = text(&browser, "main").await?;
    ensure!(page.contains("Uml Verlag") && page.contains("TEN00001"));
    browser.close().await
}

#[tokio::test]
async fn an_owner_brings_somebody_in_and_paints_the_pages() -> Result<()> {
    const SAM: &str = "sam@example.org";
    let house = House::open()?;
    house.make_tenant_with_password("Uml", "uml", FIRST)?;
    let browser = Browser::start().await?;
    sign_in(&browser, &house, "uml", super::OWNER, FIRST).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;

    click(&browser, ".sections a[href='/staff']").await?;
    click(&browser, "a[href='/staff/new']").await?;
    fill(&browser, "email", SAM).await?;
    fill(&browser, "full_name", "Sam Okafor").await?;
    click(&browser, "label[for=way-generated]").await?;
    submit(&browser).await?;
    let password = text(&browser, "#generated-password").await?;

    // A logo, chosen as a person chooses a file, and a colour.
    click(&browser, ".sections a[href='/settings']").await?;
    text(&browser, "#logo").await?;
    let logo = house.install.data().join("logo.png");
    std::fs::write(
        &logo,
        include_bytes!("../../../../web/examples/page_gallery/logo.png"),
    )?;
    let path = logo.to_str().context("a path in UTF-8")?;
    browser
        .find(Locator::Css("#logo"))
        .await?
        .send_keys(path)
        .await?;
    click(&browser, "form[action='/settings/logo'] button").await?;
    arrives(&browser, &house.at("uml", "/settings?done=logo")).await?;
    fill(&browser, "colour", "#ffff00").await?;
    click(&browser, "form[action='/settings'] button.main").await?;
    arrives(&browser, &house.at("uml", "/settings?done=colour")).await?;
    let shown = "return [document.querySelector('.plate img').naturalWidth, \
                 getComputedStyle(document.querySelector('button.main')).backgroundColor]";
    let shown = browser.execute(shown, vec![]).await?;
    ensure!(
        shown == serde_json::json!([240, "rgb(255, 255, 0)"]),
        "{shown}"
    );
    sign_out(&browser, &house, "uml").await?;

    sign_in(&browser, &house, "uml", SAM, &password).await?;
    arrives(&browser, &house.at("uml", "/account/password")).await?;
    // No way around it.
    browser.goto(&house.at("uml", "/dashboard")).await?;
    arrives(&browser, &house.at("uml", "/account/password")).await?;
    fill(&browser, "current_password", &password).await?;
    fill(&browser, "new_password", SECOND).await?;
    submit(&browser).await?;
    arrives(&browser, &house.at("uml", "/dashboard")).await?;
    ensure!(text(&browser, "main").await?.contains("Sam Okafor"));
    browser.close().await
}
