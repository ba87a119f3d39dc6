//! Mail leaves after the answer, once, to the stored address; what can't leave waits or is given up.

use std::time::Duration;

use tenantry_mail::Transport;
use tenantry_mail::smtp::Smtp;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, TestService};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::people::{ADA, advance_until_just_before, id, start};

const WAITING: &str = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL";
const ATTEMPTS: &str = "SELECT attempts FROM outbox";

async fn number(test: &TestService, sql: &str) -> i64 {
    test.control().number(sql).await.unwrap()
}

async fn what_can_not_leave_is_tried_again_and_leaves_once(driver: Driver) {
    let test = start(driver).await;
    // A file where the folder should be.
    std::fs::write(test.mail_dir(), "in the way").unwrap();
    test.invite_tenant("acme", ADA).await.unwrap();
    let mut pause = Duration::from_secs(10);
    for attempt in 1..4 {
        assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
        assert_eq!(number(&test, ATTEMPTS).await, attempt);
        advance_until_just_before(&test, pause);
        assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
        assert_eq!(
            number(&test, ATTEMPTS).await,
            attempt,
            "not before its time"
        );
        test.clock.advance(Duration::from_micros(1));
        pause *= 2;
    }
    std::fs::remove_file(test.mail_dir()).unwrap();
    assert_eq!(test.service.send_due_mail().await.unwrap(), 1);
    assert_eq!(test.mails().await.unwrap().len(), 1);
    test.clock.advance(Duration::from_hours(24));
    assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
    let forgotten = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL AND length(sealed) = 0";
    assert_eq!(
        number(&test, forgotten).await,
        1,
        "its content is forgotten"
    );
}

/// One dialogue of a mail server that has this to say to a recipient.
async fn talk(
    stream: TcpStream,
    verdict: impl Future<Output = &'static str>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut verdict = Some(verdict);
    write.write_all(b"220 mail.example ESMTP\r\n").await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.get(..4) {
            Some("RCPT") => match verdict.take() {
                Some(verdict) => verdict.await,
                None => "503 5.5.1 one recipient is enough",
            },
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// A place where a mail server listens, and the way there.
async fn listen() -> (TcpListener, Transport) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let smtp = Smtp::from_url(&format!("smtp://127.0.0.1:{port}?tls=none")).unwrap();
    (listener, Transport::Smtp(smtp))
}

async fn what_is_refused_for_good_is_given_up(driver: Driver) {
    let (listener, smtp) = listen().await;
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let refused = async { "550 5.1.1 nobody here of that name" };
            tokio::spawn(talk(stream, refused));
        }
    });
    let options = Options::on(driver).with_mail(smtp);
    let test = TestService::start(options).await.unwrap();
    test.invite_tenant("acme", ADA).await.unwrap();
    assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
    assert_eq!(number(&test, WAITING).await, 0);
    let failed = "SELECT COUNT(*) FROM outbox WHERE failed_at IS NOT NULL AND attempts = 1";
    assert_eq!(number(&test, failed).await, 1);
    test.clock.advance(Duration::from_hours(24));
    assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
    assert_eq!(number(&test, ATTEMPTS).await, 1);
    server.abort();

    // Its content stays for a week, and no longer.
    let kept = "SELECT COUNT(*) FROM outbox WHERE length(sealed) > 0";
    test.clock.advance(Duration::from_hours(6 * 24));
    test.service.sweep().await.unwrap();
    assert_eq!(number(&test, kept).await, 1);
    test.clock.advance(Duration::from_micros(1));
    test.service.sweep().await.unwrap();
    assert_eq!(number(&test, kept).await, 0);
    assert_eq!(number(&test, "SELECT COUNT(*) FROM outbox").await, 0);
}

/// A sender whose mail server takes longer than the claim lasts: meanwhile another has tried the
/// mail, and what that one found out counts.
async fn a_slow_senders_outcome_does_not_count(driver: Driver) {
    let (listener, smtp) = listen().await;
    let (tell, slow_is_there) = oneshot::channel();
    let (go_on, waits) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        let slow = async move {
            tell.send(()).unwrap();
            waits.await.unwrap();
            "550 5.1.1 nobody here of that name"
        };
        let first = tokio::spawn(talk(first, slow));
        let (second, _) = listener.accept().await.unwrap();
        talk(second, async { "451 4.3.0 come again" })
            .await
            .unwrap();
        first.await.unwrap().unwrap();
    });
    let options = Options::on(driver).with_mail(smtp);
    let test = TestService::start(options).await.unwrap();
    test.invite_tenant("acme", ADA).await.unwrap();
    let service = test.service.clone();
    let slow = tokio::spawn(async move { service.send_due_mail().await.unwrap() });
    slow_is_there.await.unwrap();
    test.clock.advance(Transport::LONGEST_SEND * 2);
    assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
    assert_eq!(number(&test, ATTEMPTS).await, 2);
    go_on.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), 0);
    assert_eq!(number(&test, WAITING).await, 1, "it was not given up");
    let due = "SELECT next_attempt_at FROM outbox WHERE error IS NOT NULL";
    let later = test.clock.now() + Duration::from_secs(20);
    assert_eq!(number(&test, due).await, later.micros());
    server.await.unwrap();
}

async fn a_mail_goes_to_the_stored_address_as_it_was_written(driver: Driver) {
    let test = start(driver).await;
    test.invite_tenant("acme", "Ada.Lovelace@Example.ORG")
        .await
        .unwrap();
    let mails = test.mails().await.unwrap();
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["Ada.Lovelace@Example.ORG"]);
}

/// A process that died between taking a mail and sending it.
async fn a_mail_that_was_taken_and_not_sent_is_sent_later(driver: Driver) {
    let test = start(driver).await;
    test.invite_tenant("acme", ADA).await.unwrap();
    let until = test.clock.now() + Transport::LONGEST_SEND * 2;
    let mut tx = test.service.control().begin().await.unwrap();
    let taken = tx.outbox().claim(test.clock.now(), until).await.unwrap();
    assert!(taken.is_some());
    tx.commit().await.unwrap();
    assert_eq!(test.service.send_due_mail().await.unwrap(), 0);
    test.clock.set(until);
    assert_eq!(test.service.send_due_mail().await.unwrap(), 1);
}

async fn many_senders_send_a_mail_once(driver: Driver) {
    let test = start(driver).await;
    for number in 0..4 {
        let slug = format!("tenant{number}");
        test.invite_tenant(&slug, ADA).await.unwrap();
    }
    let senders: Vec<_> = (0..6)
        .map(|_| {
            let service = test.service.clone();
            tokio::spawn(async move { service.send_due_mail().await.unwrap() })
        })
        .collect();
    let mut sent = 0;
    for sender in senders {
        sent += sender.await.unwrap();
    }
    sent += test.service.send_due_mail().await.unwrap();
    assert_eq!(sent, 4);
    let attempts = "SELECT CAST(SUM(attempts) AS BIGINT) FROM outbox";
    assert_eq!(number(&test, attempts).await, 4);
}

async fn links_of_a_deleted_tenant_are_not_mailed(driver: Driver) {
    let test = start(driver).await;
    let acme = id(&test.invite_tenant("acme", ADA).await.unwrap());
    test.service.delete_tenant(acme, false).await.unwrap();
    assert!(test.mails().await.unwrap().is_empty());
    assert_eq!(number(&test, WAITING).await, 0);
}

on_both!(
    what_can_not_leave_is_tried_again_and_leaves_once,
    what_is_refused_for_good_is_given_up,
    a_slow_senders_outcome_does_not_count,
    a_mail_goes_to_the_stored_address_as_it_was_written,
    a_mail_that_was_taken_and_not_sent_is_sent_later,
    many_senders_send_a_mail_once,
    links_of_a_deleted_tenant_are_not_mailed,
);
