//! What came of an application's people.

use serde::{Deserialize, Serialize};
use tenantry_core::TenantId;

/// The most notes kept; the counts go on.
const NOTES: usize = 1000;

/// What came of the people in a database that was adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// People who are in the tenant now.
    pub imported: u64,
    /// Of these, how many sign in with the password they had.
    pub passwords_kept: u64,
    /// Of these, how many had a password whose hash is of a kind that can't be compared.
    pub passwords_dropped: u64,
    /// Rows that nobody was made from.
    pub left_out: u64,
    /// The rows that are not as they were, the first thousand.
    pub notes: Vec<ImportNote>,
}

/// Something about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// Which row it was, from 1.
    pub row: u64,
    /// The address in it, as it stands there.
    pub email: Option<String>,
    /// Whether nobody was made from it.
    pub left_out: bool,
    /// Why, or what is other than it was.
    pub reason: String,
}

impl ImportReport {
    /// Nobody was made from a row.
    pub(crate) fn leave_out(&mut self, row: u64, email: Option<&str>, reason: &str) {
        self.left_out += 1;
        self.note(row, email, true, reason);
    }

    /// Somebody was, but not with all that was in it.
    pub(crate) fn remark(&mut self, row: u64, email: &str, reason: &str) {
        self.note(row, Some(email), false, reason);
    }

    fn note(&mut self, row: u64, email: Option<&str>, left_out: bool, reason: &str) {
        if self.notes.len() < NOTES {
            self.notes.push(ImportNote {
                row,
                email: email.map(str::to_owned),
                left_out,
                reason: reason.to_owned(),
            });
        }
    }
}

/// What a report is bound to, so that it opens for this tenant alone.
pub(crate) fn report_context(tenant: TenantId) -> Vec<u8> {
    format!("adoption:{tenant}").into_bytes()
}
