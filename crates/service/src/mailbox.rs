//! Mails that were written to files, for the page that shows them where there is no SMTP.

use tenantry_core::{OutboxId, Timestamp};
use tenantry_mail::{Transport, files};

use crate::{Refusal, Service};

/// A mail in the folder, without its content.
#[derive(Debug, Clone)]
pub struct ListedMail {
    /// The id.
    pub id: OutboxId,
    /// When it was written.
    pub at: Timestamp,
    /// Who gets it; empty where the file is damaged.
    pub to: String,
    /// What it is about.
    pub subject: String,
}

/// A mail in the folder.
#[derive(Debug, Clone)]
pub struct StoredMail {
    /// The id.
    pub id: OutboxId,
    /// When it was written.
    pub at: Timestamp,
    /// Who gets it; empty where the file is damaged.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The part in plain text.
    pub text: Option<String>,
    /// The part in HTML.
    pub html: Option<String>,
}

impl Service {
    fn mail_dir(&self) -> Result<&std::path::Path, Refusal> {
        match self.mail() {
            Transport::Files(files) => Ok(files.dir()),
            Transport::Smtp(_) => Err(Refusal::NotFound),
        }
    }

    /// The mails in the folder, the newest first. Where mail leaves by SMTP there is none.
    pub async fn list_mail(&self) -> Result<Vec<ListedMail>, Refusal> {
        let listed = files::list(self.mail_dir()?)
            .await
            .map_err(Refusal::failed("the mail folder can't be read"))?;
        Ok(listed
            .into_iter()
            .map(|mail| {
                let (to, subject) = mail
                    .heading
                    .map(|heading| (heading.to, heading.subject))
                    .unwrap_or_default();
                ListedMail {
                    id: mail.id,
                    at: mail.at,
                    to,
                    subject,
                }
            })
            .collect())
    }

    /// One of them.
    pub async fn find_mail(&self, id: OutboxId) -> Result<StoredMail, Refusal> {
        let mail = files::read(self.mail_dir()?, id)
            .await
            .map_err(Refusal::failed("a mail can't be read"))?;
        let mail = mail.ok_or(Refusal::NotFound)?;
        Ok(match mail.content {
            Some(content) => StoredMail {
                id: mail.id,
                at: mail.at,
                to: content.heading.to,
                subject: content.heading.subject,
                text: Some(content.text),
                html: Some(content.html),
            },
            None => StoredMail {
                id: mail.id,
                at: mail.at,
                to: String::new(),
                subject: String::new(),
                text: Some(mail.raw),
                html: None,
            },
        })
    }
}
