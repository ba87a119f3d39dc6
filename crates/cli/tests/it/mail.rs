//! Mail over a crash: none is lost, and one that may have arrived comes again as the same one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tenantry_testkit::process::Installation;
use tenantry_testkit::services::SmtpServer;

use crate::acts::{self, ADMIN};
use crate::crash::free_mail;
use crate::http::Ask;
use crate::installation;

const ADA: &str = "ada@example.com";

/// Where a mail server falls silent.
#[derive(Clone, Copy, PartialEq)]
enum Silence {
    /// Before it says hello.
    Greeting,
    /// When the mail is announced.
    Data,
    /// When it has the whole mail, and has not said that it keeps it.
    Receipt,
}

/// Takes one connection as a mail server (RFC 5321) and falls silent; what it was sent of the mail,
/// and the connection, which stays open.
fn listen_until(listener: &TcpListener, silence: Silence) -> Result<(String, TcpStream)> {
    let (stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(crate::PATIENCE))?;
    let mut mail = String::new();
    if silence == Silence::Greeting {
        return Ok((mail, stream));
    }
    let mut answers = stream.try_clone()?;
    answers.write_all(b"220 mail.example ESMTP\r\n")?;
    let mut in_mail = false;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if in_mail {
            if line == "." {
                break;
            }
            mail.push_str(&line);
            mail.push('\n');
            continue;
        }
        if line == "DATA" {
            if silence == Silence::Data {
                break;
            }
            in_mail = true;
            answers.write_all(b"354 go on\r\n")?;
        } else {
            answers.write_all(b"250 fine\r\n")?;
        }
    }
    Ok((mail, stream))
}

fn message_id(mail: &str) -> Option<&str> {
    mail.lines()
        .find_map(|line| line.strip_prefix("Message-ID: "))
}

/// Kills the server while it hands a mail over; what the mail server had got of it by then.
fn killed_while_sending(installation: &mut Installation, silence: Silence) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    installation.set(
        "TENANTRY_SMTP_URL",
        format!("smtp://{}", listener.local_addr()?),
    );
    let server = installation.serve()?;
    let admin = acts::token(server.address()?, None, ADMIN)?;
    let body = json!({ "name": "Acme", "slug": "acme", "owner": { "email": ADA } });
    let made = Ask::post("/api/v1/tenants")
        .bearer(&admin)
        .json(&body)
        .send(server.address()?)?;
    ensure!(made.status == 201, "{made:?}");
    let (mail, _connection) = listen_until(&listener, silence)?;
    server.kill()?;
    Ok(mail)
}

async fn arrives_after_all(silence: Silence) -> Result<()> {
    let mut installation = installation()?;
    acts::make_admin(&installation)?;
    let before = killed_while_sending(&mut installation, silence)?;
    // The row is the dead process's for some minutes yet. Nothing else is changed about it.
    ensure!(free_mail(&installation)? == 1, "the mail is lost");

    let mut smtp = SmtpServer::start().await?;
    installation.set("TENANTRY_SMTP_URL", smtp.url());
    let server = installation.serve()?;
    let delivered = smtp.next_to(ADA).await?;
    let link = *delivered.links().first().context("no link")?;
    let set = acts::set_password(server.address()?, Some("acme"), &acts::setup_token(link)?)?;
    ensure!(set.status == 303, "{set:?}");
    acts::token(server.address()?, Some("acme"), ADA)?;
    ensure!(smtp.take()?.is_empty(), "it came twice");
    ensure!(free_mail(&installation)? == 0, "it would come again");
    if silence == Silence::Receipt {
        let whole = std::fs::read_to_string(&delivered.file)?;
        let (first, second) = (message_id(&before), message_id(&whole));
        ensure!(
            first.is_some() && first == second,
            "{first:?} came again as {second:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_is_not_lost_when_the_mail_server_never_greeted() -> Result<()> {
    arrives_after_all(Silence::Greeting).await
}

#[tokio::test]
async fn a_mail_is_not_lost_when_it_was_only_announced() -> Result<()> {
    arrives_after_all(Silence::Data).await
}

#[tokio::test]
async fn a_mail_that_may_have_arrived_comes_again_as_the_same_one() -> Result<()> {
    arrives_after_all(Silence::Receipt).await
}
