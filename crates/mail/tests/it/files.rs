//! Mails as files: written once, listed, read back, whatever lies beside them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tenantry_core::{Locale, OutboxId};
use tenantry_mail::files::{self, Files};
use tenantry_mail::{Cause, Transport};

use crate::{LINK, MADE_AT, envelope};

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn writes_a_mail_once_however_often_it_is_sent() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data/mail");
    let transport = Transport::Files(Files::new(&dir));
    let mail = envelope(1, "ada@example.org", Locale::De);
    for _ in 0..2 {
        transport.send(&mail).await.unwrap();
    }
    let name = format!("1795185000123-{}.eml", mail.id);
    assert_eq!(names(&dir), [name.as_str()]);
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join(&name)), 0o600);
    let raw = std::fs::read_to_string(dir.join(&name)).unwrap();
    assert!(
        raw.lines().any(|line| line == LINK),
        "whole without decoding: {raw}"
    );
}

#[tokio::test]
async fn lists_the_newest_first_and_reads_them_whole() {
    let root = tempfile::tempdir().unwrap();
    let transport = Transport::Files(Files::new(root.path()));
    for (number, to, locale) in [
        (1, "ada@example.org", Locale::En),
        (2, "jörg@example.org", Locale::De),
    ] {
        transport.send(&envelope(number, to, locale)).await.unwrap();
    }
    let listed = files::list(root.path()).await.unwrap();
    let to: Vec<_> = listed
        .iter()
        .map(|mail| mail.heading.clone().unwrap().to)
        .collect();
    assert_eq!(to, ["jörg@example.org", "ada@example.org"]);
    assert_eq!(listed[0].at, MADE_AT);

    let sent = envelope(2, "jörg@example.org", Locale::De);
    let words = sent.render().unwrap();
    let stored = files::read(root.path(), sent.id).await.unwrap().unwrap();
    let content = stored.content.unwrap();
    assert_eq!(content.heading, listed[0].heading.clone().unwrap());
    assert_eq!(content.heading.subject, words.subject);
    assert_eq!(content.text, words.text);
    assert_eq!(content.html, words.html);
    assert!(stored.raw.contains(&sent.message_id()));
}

#[tokio::test]
async fn damaged_files_are_listed_and_foreign_ones_are_not() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let transport = Transport::Files(Files::new(dir));
    let good = envelope(1, "ada@example.org", Locale::En);
    transport.send(&good).await.unwrap();
    let whole = std::fs::read(dir.join(&names(dir)[0])).unwrap();

    let mut damaged = Vec::new();
    for (number, content) in [
        (2, &b""[..]),
        (3, b"\xff\xfe\0\0 no mail"),
        (4, &whole[..whole.len() / 3]),
        (5, &whole),
    ] {
        let id = envelope(number, "ada@example.org", Locale::En).id;
        std::fs::write(dir.join(format!("1795185000123-{id}.eml")), content).unwrap();
        damaged.push(id);
    }
    let folder = envelope(6, "ada@example.org", Locale::En).id;
    std::fs::create_dir(dir.join(format!("1795185000123-{folder}.eml"))).unwrap();
    damaged.push(folder);
    for foreign in [
        "notes.txt".to_owned(),
        "x.eml".to_owned(),
        format!("1-{}.eml", good.id),
        format!(".1795185000123-{}.eml.1.0", good.id),
    ] {
        std::fs::write(dir.join(foreign), &whole).unwrap();
    }

    let listed = files::list(dir).await.unwrap();
    let unreadable: Vec<OutboxId> = listed
        .iter()
        .filter(|mail| mail.heading.is_none())
        .map(|mail| mail.id)
        .rev()
        .collect();
    assert_eq!(unreadable, damaged);
    assert_eq!(listed.len(), damaged.len() + 1);
    for id in &damaged[..4] {
        let stored = files::read(dir, *id).await.unwrap().unwrap();
        assert!(stored.content.is_none());
    }
    assert!(files::read(dir, folder).await.unwrap().is_none());
}

#[tokio::test]
async fn an_unknown_id_and_a_missing_folder_hold_no_mail() {
    let root = tempfile::tempdir().unwrap();
    let id = envelope(1, "ada@example.org", Locale::En).id;
    assert!(files::read(root.path(), id).await.unwrap().is_none());
    let missing = root.path().join("none");
    assert!(files::list(&missing).await.unwrap().is_empty());
    assert!(files::read(&missing, id).await.unwrap().is_none());
}

#[tokio::test]
async fn check_makes_the_folder_and_leaves_nothing_in_it() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("mail");
    Transport::Files(Files::new(&dir)).check().await.unwrap();
    assert!(names(&dir).is_empty());
}

#[tokio::test]
async fn a_folder_that_is_none_is_worth_another_try() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("mail");
    std::fs::write(&file, "").unwrap();
    let transport = Transport::Files(Files::new(&file));
    let mail = envelope(1, "ada@example.org", Locale::En);
    let error = transport.send(&mail).await.unwrap_err();
    assert!(
        error.is_retry() && matches!(error.cause(), Cause::Folder(_)),
        "{error:?}"
    );
    assert!(transport.check().await.is_err());
}
