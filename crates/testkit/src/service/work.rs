//! What goes on in the background, done when the test says so.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tenantry_service::mailbox::StoredMail;

use super::{LEASE, TestService, setup_token};

impl TestService {
    /// The mails that were sent, the newest first, after sending those that are due.
    pub async fn mails(&self) -> Result<Vec<StoredMail>> {
        self.service.send_due_mail().await?;
        let mut mails = Vec::new();
        for listed in self.service.list_mail().await? {
            mails.push(self.service.find_mail(listed.id).await?);
        }
        Ok(mails)
    }

    /// The token of the newest setup link that was mailed to this address.
    pub async fn setup_token_from_mail(&self, address: &str) -> Result<String> {
        self.mails()
            .await?
            .iter()
            .filter(|mail| mail.to == address)
            .find_map(setup_token)
            .with_context(|| format!("no setup link was mailed to {address}"))
    }

    /// What a background worker does once.
    pub async fn tick(&self) -> Result<()> {
        self.service.run_due_workflows().await?;
        self.service.send_due_mail().await?;
        Ok(())
    }

    /// Does something while the clock goes as the machine's does.
    pub async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        const STEP: Duration = Duration::from_millis(10);
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(STEP, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.clock.advance(STEP),
            };
        }
    }

    /// Moves the clock and works until no workflow moves any more.
    pub async fn settle(&self) -> Result<()> {
        for _ in 0..64 {
            self.tick().await?;
            let moving = "SELECT COUNT(*) FROM workflows WHERE state IN ('running', 'undoing')";
            if self.control().number(moving).await? == 0 {
                return self.tick().await;
            }
            self.clock.advance(LEASE);
        }
        bail!("a workflow comes to no end")
    }
}
