//! Reading the folder again, for the page that shows mails during development.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use mail_parser::{MessageParser, MimeHeaders as _};
use tenantry_core::{OutboxId, Timestamp};

use super::{blocking, file_name, id_of, made_at};

/// How many mails a listing holds: what somebody looks for is among the newest.
const NEWEST: usize = 200;

/// The largest file that is read. A mail of ours has some ten kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// A line of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The outbox row.
    pub id: OutboxId,
    /// When the row was made.
    pub at: Timestamp,
    /// Recipient and subject; nothing if the file is damaged.
    pub heading: Option<Heading>,
}

/// What a listing tells of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The recipient's address.
    pub to: String,
    /// The subject line.
    pub subject: String,
}

/// A mail read from its file.
#[derive(Clone)]
pub struct StoredMail {
    /// The outbox row.
    pub id: OutboxId,
    /// When the row was made.
    pub at: Timestamp,
    /// The file as it is, with what isn't UTF-8 replaced.
    pub raw: String,
    /// What the file says; nothing if it is damaged.
    pub content: Option<Content>,
}

/// The inside of a mail.
#[derive(Clone)]
pub struct Content {
    /// Recipient and subject.
    pub heading: Heading,
    /// The plain-text part.
    pub text: String,
    /// The HTML part. It is as trustworthy as the names in it were escaped: show it in a frame
    /// without scripts.
    pub html: String,
}

/// The newest 200 mails in `dir`, newest first; none if there is no such folder. Files that aren't
/// ours are left out, ours that can't be read are listed without a heading.
pub async fn list(dir: &Path) -> io::Result<Vec<Listed>> {
    let dir = dir.to_owned();
    blocking(move || {
        let mut ids = Vec::new();
        for entry in entries(&dir)? {
            ids.extend(entry?.file_name().to_str().and_then(id_of));
        }
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.truncate(NEWEST);
        let listed = ids.into_iter().map(|id| Listed {
            id,
            at: made_at(id),
            heading: load(&dir, id)
                .ok()
                .and_then(|raw| parse(id, &raw))
                .map(|content| content.heading),
        });
        Ok(listed.collect())
    })
    .await
}

/// The mail with this id; nothing if there is no such file. The path is made from the id's number,
/// so no text of a request gets into it.
pub async fn read(dir: &Path, id: OutboxId) -> io::Result<Option<StoredMail>> {
    let dir = dir.to_owned();
    blocking(move || {
        let raw = match load(&dir, id) {
            Ok(raw) => raw,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(StoredMail {
            id,
            at: made_at(id),
            content: parse(id, &raw),
            raw: String::from_utf8_lossy(&raw).into_owned(),
        }))
    })
    .await
}

fn entries(dir: &PathBuf) -> io::Result<Box<dyn Iterator<Item = io::Result<std::fs::DirEntry>>>> {
    match std::fs::read_dir(dir) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(error) => Err(error),
    }
}

/// The file's bytes, up to the largest size. Only a plain file counts as one: opening a pipe of
/// that name would wait for ever.
fn load(dir: &Path, id: OutboxId) -> io::Result<Vec<u8>> {
    let path = dir.join(file_name(id));
    if !std::fs::symlink_metadata(&path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut raw = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut raw)?;
    Ok(raw)
}

/// The mail in `raw`, if it is the one with this id and has both its parts.
fn parse(id: OutboxId, raw: &[u8]) -> Option<Content> {
    let mail = MessageParser::default().parse(raw)?;
    let (local, _) = mail.message_id()?.split_once('@')?;
    if local.parse() != Ok(id) {
        return None;
    }
    let part = |subtype: &str| {
        mail.parts.iter().find_map(|part| {
            let kind = part.content_type()?;
            (kind.ctype() == "text" && kind.subtype() == Some(subtype))
                .then(|| part.text_contents())?
                .map(|words| words.replace("\r\n", "\n"))
        })
    };
    Some(Content {
        heading: Heading {
            to: mail.to()?.first()?.address()?.to_owned(),
            subject: mail.subject()?.to_owned(),
        },
        text: part("plain")?,
        html: part("html")?,
    })
}
