//! Mails over a real SMTP server, friendly and otherwise.

use mail_parser::MessageParser;
use serde_json::json;
use tenantry_core::Locale;
use tenantry_mail::smtp::Smtp;
use tenantry_mail::{Cause, Envelope, SendError, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

use crate::server::{Server, self_signed};
use crate::{LINK, envelope};

fn transport(url: &str) -> Transport {
    Transport::Smtp(Smtp::from_url(url).unwrap())
}

/// A transport to 127.0.0.1, with what stands before the host and after the port.
fn local(before: &str, port: u16, after: &str) -> Transport {
    transport(&format!("smtp://{before}127.0.0.1:{port}{after}"))
}

fn ada() -> Envelope {
    envelope(1, "ada@example.org", Locale::En)
}

#[tokio::test]
async fn delivers_mails_whole_in_every_language() {
    let server = Server::start();
    let smtp = local("", server.port, "");
    for (number, locale) in (1..).zip(Locale::ALL) {
        smtp.send(&envelope(number, "ada@example.org", *locale))
            .await
            .unwrap();
    }
    let taken = server.taken();
    assert_eq!(taken.len(), Locale::ALL.len());
    for ((number, locale), taken) in (1..).zip(Locale::ALL).zip(taken) {
        let sent = envelope(number, "ada@example.org", *locale);
        let words = sent.render().unwrap();
        assert_eq!(taken.from, "mail@tenantry.example");
        assert_eq!(taken.to, ["ada@example.org"]);
        assert!(taken.content.is_ascii());
        let mail = MessageParser::default().parse(&taken.content).unwrap();
        let decoded =
            |words: Option<std::borrow::Cow<'_, str>>| words.unwrap().replace("\r\n", "\n");
        assert_eq!(mail.subject(), Some(words.subject.as_str()));
        assert_eq!(decoded(mail.body_text(0)), words.text);
        assert_eq!(decoded(mail.body_html(0)), words.html);
        assert!(words.text.lines().any(|line| line == LINK));
        assert_eq!(
            format!("<{}>", mail.message_id().unwrap()),
            sent.message_id()
        );
    }
}

#[tokio::test]
async fn mails_one_after_the_other_share_a_connection() {
    let server = Server::start();
    let smtp = local("", server.port, "");
    smtp.check().await.unwrap();
    for number in 1..=3 {
        smtp.send(&envelope(number, "ada@example.org", Locale::En))
            .await
            .unwrap();
    }
    let connections: Vec<_> = server
        .taken()
        .iter()
        .map(|taken| taken.connection)
        .collect();
    assert_eq!(connections, [1, 1, 1]);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let server = Server::with(&json!({ "refuse": { "NOOP": "421 4.4.2 idle for too long" } }));
    let smtp = local("", server.port, "");
    for number in 1..=2 {
        let mail = envelope(number, "ada@example.org", Locale::En);
        smtp.send(&mail).await.unwrap();
    }
    let connections: Vec<_> = server
        .taken()
        .iter()
        .map(|taken| taken.connection)
        .collect();
    assert_eq!(connections, [1, 2]);
}

#[tokio::test]
async fn the_code_decides_whether_to_try_again() {
    for (command, reply, retry) in [
        ("MAIL", "451 4.3.0 later", true),
        ("RCPT", "450 4.2.1 greylisted, error 550 follows", true),
        ("DATA", "421 4.3.2 closing down", true),
        ("MAIL", "530 5.7.0 authentication required", true),
        ("RCPT", "550 5.1.1 no such user, try 450 later", false),
        ("MAIL", "553 5.1.8 bad sender", false),
        ("DATA", "554 5.7.1 looks like spam", false),
    ] {
        let server = Server::with(&json!({ "refuse": { command: reply } }));
        let smtp = local("", server.port, "");
        let error = smtp.send(&ada()).await.unwrap_err();
        assert_eq!(error.is_retry(), retry, "{reply}");
        let code = reply[..3].parse().ok();
        assert_eq!(error.cause().code(), code, "{reply}");
        assert!(server.taken().is_empty());
    }
}

#[tokio::test]
async fn a_refused_mail_does_not_harm_the_next() {
    let server = Server::with(&json!({ "refuse_address": "eve@example.org" }));
    let smtp = local("", server.port, "");
    let eve = envelope(1, "eve@example.org", Locale::En);
    assert!(matches!(
        smtp.send(&eve).await,
        Err(SendError::Permanent(_))
    ));
    smtp.send(&ada()).await.unwrap();
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["ada@example.org"]);
}

#[tokio::test]
async fn nobody_listening_is_worth_another_try() {
    // Bound without listening, so that no other test gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let smtp = local("", port, "");
    let error = smtp.send(&ada()).await.unwrap_err();
    assert!(
        matches!(error, SendError::Retry(Cause::Connection(_))),
        "{error:?}"
    );
    assert!(smtp.check().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = local("", silent.local_addr().unwrap().port(), "");
    let error = smtp.send(&ada()).await.unwrap_err();
    assert!(
        matches!(error, SendError::Retry(Cause::Timeout)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_cut_off_dialogue_is_not_continued_by_the_next_mail() {
    // The first connection answers nothing to RCPT; its sender is cancelled there. The second must
    // be a new one, else its commands would be answered by what was meant for the first.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = local("", listener.local_addr().unwrap().port(), "");
    let sending = tokio::spawn({
        let smtp = smtp.clone();
        async move { smtp.send(&ada()).await }
    });
    let (mut first, _) = listener.accept().await.unwrap();
    first.write_all(b"220 ready\r\n").await.unwrap();
    let mut heard = String::new();
    while !heard.contains("RCPT TO") {
        let mut buffer = [0; 512];
        let count = first.read(&mut buffer).await.unwrap();
        heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        if !heard.contains("RCPT TO") {
            first.write_all(b"250 ok\r\n").await.unwrap();
        }
    }
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    let checking = tokio::spawn(async move { smtp.check().await });
    let (mut second, _) = listener.accept().await.unwrap();
    for answer in ["220 ready\r\n", "250 ok\r\n", "250 ok\r\n"] {
        second.write_all(answer.as_bytes()).await.unwrap();
    }
    checking.await.unwrap().unwrap();
}

#[tokio::test]
async fn check_reports_what_the_server_says() {
    let server = Server::with(&json!({ "refuse": { "NOOP": "421 closing" } }));
    let cause = local("", server.port, "").check().await.unwrap_err();
    assert_eq!(cause.code(), Some(421));
}

#[tokio::test]
async fn encrypts_where_the_server_offers_it() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(dir.path());
    let server = Server::with(&json!({ "certificate": certificate, "key": key }));
    for (after, encrypted) in [
        ("", true),
        ("?tls=opportunistic", true),
        ("?tls=none", false),
    ] {
        local("", server.port, after).send(&ada()).await.unwrap();
        assert_eq!(
            server.taken().last().unwrap().encrypted,
            encrypted,
            "{after}"
        );
    }
}

#[tokio::test]
async fn required_encryption_is_neither_skipped_nor_faked() {
    let bare = Server::start();
    let error = local("", bare.port, "?tls=required")
        .send(&ada())
        .await
        .unwrap_err();
    assert!(
        matches!(error, SendError::Retry(Cause::NotEncrypted)),
        "{error:?}"
    );

    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(dir.path());
    let unproven =
        Server::with(&json!({ "certificate": certificate, "key": key, "password": "pw" }));
    for (before, after) in [("", "?tls=required"), ("ada:pw@", "")] {
        let error = local(before, unproven.port, after)
            .send(&ada())
            .await
            .unwrap_err();
        assert!(
            matches!(error, SendError::Retry(Cause::Connection(_))),
            "{error:?}"
        );
    }
    assert!(bare.taken().is_empty() && unproven.taken().is_empty());
}

#[tokio::test]
async fn signs_in_and_blames_the_settings_not_the_mail() {
    let server = Server::with(&json!({ "password": "p/w" }));
    local("ada:p%2Fw@", server.port, "")
        .send(&ada())
        .await
        .unwrap();
    assert_eq!(server.taken()[0].user.as_deref(), Some("ada"));
    for before in ["ada:wrong@", ""] {
        let error = local(before, server.port, "")
            .send(&ada())
            .await
            .unwrap_err();
        assert!(error.is_retry(), "{error:?}");
    }
    let cause = local("ada:wrong@", server.port, "")
        .check()
        .await
        .unwrap_err();
    assert_eq!(cause.code(), Some(535));
}

#[tokio::test]
async fn an_address_outside_ascii_needs_a_server_that_takes_it() {
    let jorg = envelope(1, "jörg@example.org", Locale::De);
    let old = Server::start();
    let error = local("", old.port, "").send(&jorg).await.unwrap_err();
    assert!(
        matches!(error, SendError::Permanent(Cause::AddressNotAscii)),
        "{error:?}"
    );
    let modern = Server::with(&json!({ "utf8": true }));
    local("", modern.port, "").send(&jorg).await.unwrap();
    let taken = modern.taken();
    assert_eq!(taken[0].to, ["jörg@example.org"]);
    assert!(taken[0].options.contains(&"SMTPUTF8".to_owned()));
}
