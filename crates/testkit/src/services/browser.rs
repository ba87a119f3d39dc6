//! Chromium, driven as a person would drive it.

use std::fmt::Debug;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::dialogue::Dialogue;
use super::environment;
use super::profile::Profile;

/// How a browser starts.
#[derive(Clone, Debug)]
pub struct BrowserOptions {
    /// The width of the page in CSS pixels; a phone's 360 works too.
    pub width: u32,
    /// The height of the page in CSS pixels.
    pub height: u32,
    /// Whether the person prefers dark pages.
    pub dark: bool,
    /// The language the person prefers, as in `Accept-Language`.
    pub language: String,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 800,
            dark: false,
            language: "en".to_owned(),
            scripts: true,
        }
    }
}

/// A headless browser with a fresh profile, in which every name under `.localhost` is this
/// machine. It is used through the methods of fantoccini's [`Client`], and ends when dropped.
pub struct Browser {
    client: Client,
    // In this order: the driver ends before the browser, or it would report a crash.
    _driver: Dialogue,
    profile: Profile,
}

impl Browser {
    /// Starts a browser with the default options.
    pub async fn start() -> Result<Self> {
        Self::with(&BrowserOptions::default()).await
    }

    /// Starts a browser.
    pub async fn with(options: &BrowserOptions) -> Result<Self> {
        let chromedriver = environment("TENANTRY_TEST_CHROMEDRIVER");
        let chromedriver = chromedriver.unwrap_or_else(|| "/usr/bin/chromedriver".to_owned());
        let profile = Profile::fresh()?;
        let mut command = Command::new(chromedriver);
        command.arg("--port=0").env("TMPDIR", profile.temporary());
        let mut driver = Dialogue::start(&mut command)
            .context("this test needs chromedriver; `cargo xtask test` installs it")?;
        let port = driver.port_after("started successfully on port ").await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(options, &profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium can't be started")?;
        let browser = Self {
            client,
            _driver: driver,
            profile,
        };
        browser.resize(options.width, options.height).await?;
        browser.prefer_dark(options.dark).await?;
        if !options.scripts {
            let value = json!({ "value": true });
            browser
                .command("Emulation.setScriptExecutionDisabled", value)
                .await?;
        }
        Ok(browser)
    }

    /// Gives the page this size in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        // The window itself can't be made narrower than about 500 pixels.
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await
            .map(drop)
    }

    /// Sets whether the person prefers dark pages, which a page sees at once.
    pub async fn prefer_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.command("Emulation.setEmulatedMedia", media)
            .await
            .map(drop)
    }

    /// Writes what is seen of the page as a PNG file, and makes the folders above it.
    pub async fn screenshot_to(&self, file: &Path) -> Result<()> {
        let image = self.client.screenshot().await?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, image).with_context(|| file.display().to_string())
    }

    /// The folder of the browser's profile.
    pub fn profile(&self) -> PathBuf {
        self.profile.path()
    }

    /// Ends the browser and waits for it.
    pub async fn close(self) -> Result<()> {
        self.client.clone().close().await?;
        Ok(())
    }

    /// A command of the Chrome `DevTools` Protocol, for what `WebDriver` has no word for.
    pub async fn command(&self, method: &str, parameters: Value) -> Result<Value> {
        let command = DevTools {
            method: method.to_owned(),
            parameters,
        };
        self.client
            .issue_cmd(command)
            .await
            .with_context(|| format!("{method} failed"))
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

fn capabilities(options: &BrowserOptions, profile: &Path) -> serde_json::Map<String, Value> {
    let mut arguments: Vec<String> = [
        "--headless=new",
        // Chromium's own sandbox refuses to run as root, as which containers run their tests.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP *.localhost 127.0.0.1",
        // Chromium ends when the pipe to its driver breaks, so it never outlives the driver.
        "--remote-debugging-pipe",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--accept-lang={}", options.language));
    arguments.push(format!(
        "--window-size={},{}",
        options.width, options.height
    ));
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let mut chrome = json!({ "args": arguments });
    if let Some(binary) = environment("TENANTRY_TEST_CHROMIUM") {
        chrome["binary"] = json!(binary);
    }
    let mut capabilities = serde_json::Map::new();
    capabilities.insert("goog:chromeOptions".to_owned(), chrome);
    capabilities
}

/// chromedriver's way to pass on a command of the `DevTools` protocol.
#[derive(Debug)]
struct DevTools {
    method: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.method, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}
