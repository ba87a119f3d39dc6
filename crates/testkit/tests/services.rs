//! The services that other tests rely on do what they promise, the real ones each time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use tenantry_testkit::services::{
    Browser, BrowserOptions, Locator, SmtpServer, fresh_database, postgres,
};

async fn database_exists(name: &str) -> Result<bool> {
    let mut connection = PgConnection::connect(&postgres()).await?;
    let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut connection)
        .await?;
    Ok(found.is_some())
}

#[tokio::test]
async fn a_fresh_database_is_empty_and_gone_when_dropped() -> Result<()> {
    let database = fresh_database().await?;
    let name = database.name().to_owned();
    // Left open on purpose: a connection must not keep the database alive.
    let mut connection = PgConnection::connect(database.url()).await?;
    let (current, tables): (String, i64) = sqlx::query_as(
        "SELECT current_database()::text, \
         (SELECT count(*) FROM pg_tables WHERE schemaname = 'public')",
    )
    .fetch_one(&mut connection)
    .await?;
    assert_eq!((current, tables), (name.clone(), 0));
    drop(database);
    assert!(!database_exists(&name).await?);
    Ok(())
}

#[tokio::test]
async fn a_fresh_database_can_be_closed_and_has_a_name_of_its_own() -> Result<()> {
    let (one, other) = (fresh_database().await?, fresh_database().await?);
    assert_ne!(one.name(), other.name());
    let name = one.name().to_owned();
    one.close().await?;
    assert!(!database_exists(&name).await?);
    assert!(database_exists(other.name()).await?);
    other.close().await
}

#[tokio::test]
async fn the_cluster_asks_for_the_password() -> Result<()> {
    let mut url = url::Url::parse(&postgres())?;
    ensure_set(url.set_password(Some("wrong")))?;
    let refused = PgConnection::connect(url.as_str()).await;
    let refused = refused.err().context("a wrong password was let in")?;
    let code = refused
        .as_database_error()
        .and_then(|error| error.code().map(String::from));
    assert_eq!(code.as_deref(), Some("28P01"));
    Ok(())
}

fn ensure_set(outcome: Result<(), ()>) -> Result<()> {
    outcome.ok().context("the URL takes no password")
}

/// Delivers a message by hand, so that no mail library of ours is trusted.
fn deliver(port: u16, to: &str, message: &str) -> Result<()> {
    let mut writer = TcpStream::connect(("127.0.0.1", port))?;
    let mut reader = BufReader::new(writer.try_clone()?);
    let mut expect = |code: &str| -> Result<()> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        anyhow::ensure!(line.starts_with(code), "the server said {line:?}");
        Ok(())
    };
    expect("220")?;
    let recipient = format!("RCPT TO:<{to}>");
    for (command, code) in [
        ("HELO a.example", "250"),
        ("MAIL FROM:<t@a.example>", "250"),
        (&recipient, "250"),
    ] {
        write!(writer, "{command}\r\n")?;
        expect(code)?;
    }
    write!(writer, "DATA\r\n")?;
    expect("354")?;
    write!(writer, "{message}\r\n.\r\n")?;
    expect("250")
}

#[tokio::test]
async fn delivered_mails_are_told_of_decoded() -> Result<()> {
    let mut server = SmtpServer::start().await?;
    let message = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\
        \r\nYour code: 012345.\r\nhttp://acme.localhost:8000/reset-password/abcdefghijklmnop=\r\nqrstuv\r\n";
    deliver(
        server.port(),
        "one@a.example",
        "Subject: first\r\n\r\nnothing\r\n",
    )?;
    deliver(server.port(), "two@a.example", message)?;
    let mail = server.next_to("two@a.example").await?;
    assert_eq!(mail.sender, "t@a.example");
    assert_eq!(mail.subject, "Grüße");
    assert_eq!(mail.codes(), ["012345"]);
    assert_eq!(
        mail.links(),
        ["http://acme.localhost:8000/reset-password/abcdefghijklmnopqrstuv"]
    );
    assert!(std::fs::read_to_string(&mail.file)?.contains("quoted-printable"));
    assert_eq!(std::fs::read_dir(server.maildir().join("new"))?.count(), 2);
    assert!(server.take()?.is_empty());
    Ok(())
}

/// Serves one page that shows what the browser tells of itself.
fn serve_page() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    Ok(port)
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let mut head = Vec::new();
    let mut reader = BufReader::new(stream.try_clone()?).take(64 * 1024);
    while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head)? > 0 {}
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
            .to_owned()
    };
    let page = format!(
        "<!doctype html><title>sample</title><style>\
         #dark {{ display: none }} @media (prefers-color-scheme: dark) {{ #dark {{ display: block }} }}\
         </style><p id=host>{}</p><p id=language>{}</p><p id=dark>dark</p><p id=script>still</p>\
         <script>document.getElementById('script').textContent = 'ran ' + innerWidth</script>",
        header("host"),
        header("accept-language"),
    );
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len(),
    )?;
    Ok(())
}

async fn text(browser: &Browser, id: &str) -> Result<String> {
    Ok(browser.find(Locator::Id(id)).await?.text().await?)
}

#[tokio::test]
async fn a_browser_reaches_tenant_hosts_and_shows_what_it_is_told_to() -> Result<()> {
    let port = serve_page()?;
    let options = BrowserOptions {
        width: 360,
        height: 640,
        dark: true,
        language: "de".to_owned(),
        scripts: true,
    };
    let browser = Browser::with(&options).await?;
    browser
        .goto(&format!("http://acme.localhost:{port}/"))
        .await?;
    assert_eq!(
        text(&browser, "host").await?,
        format!("acme.localhost:{port}")
    );
    assert!(text(&browser, "language").await?.starts_with("de"));
    assert_eq!(text(&browser, "dark").await?, "dark");
    assert_eq!(text(&browser, "script").await?, "ran 360");
    browser.prefer_dark(false).await?;
    assert_eq!(text(&browser, "dark").await?, "");

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("deep/page.png");
    browser.screenshot_to(&file).await?;
    let image = std::fs::read(&file)?;
    assert_eq!(&image[1..4], b"PNG");
    // The header of a PNG holds width and height as big-endian words.
    assert_eq!(&image[16..24], [0, 0, 1, 104, 0, 0, 2, 128]);
    browser.close().await
}

#[tokio::test]
async fn a_browser_without_scripts_still_reads_pages() -> Result<()> {
    let port = serve_page()?;
    let browser = Browser::with(&BrowserOptions {
        scripts: false,
        ..Default::default()
    })
    .await?;
    browser
        .goto(&format!("http://acme.localhost:{port}/"))
        .await?;
    assert_eq!(text(&browser, "script").await?, "still");
    browser.close().await
}

/// The processes whose command line names this profile.
fn processes_of(profile: &Path) -> Result<usize> {
    let wanted = profile.display().to_string();
    let mut count = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        count += usize::from(String::from_utf8_lossy(&line).contains(&wanted));
    }
    Ok(count)
}

#[tokio::test]
async fn a_dropped_browser_leaves_no_process_and_no_profile() -> Result<()> {
    let browser = Browser::start().await?;
    let profile = browser.profile();
    assert!(processes_of(&profile)? > 0);
    drop(browser);
    assert_eq!(processes_of(&profile)?, 0);
    assert!(!profile.exists());
    Ok(())
}
