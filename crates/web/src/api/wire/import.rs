//! What came of an import.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_service::import::{Imported, LineError};

/// What came of bringing people along.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ImportedBody {
    /// People who are in the tenant now.
    pub imported: u64,
    /// Lines whose address was there before.
    pub skipped: u64,
    /// Lines that nobody was made from because something is wrong with them.
    pub failed: u64,
    /// What is wrong with them, the first thousand.
    pub errors: Vec<LineErrorBody>,
}

/// What is wrong with one line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineErrorBody {
    /// The line, from 1.
    pub line: u64,
    /// A fixed word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl From<Imported> for ImportedBody {
    fn from(imported: Imported) -> Self {
        let error = |error: LineError| LineErrorBody {
            line: error.line,
            code: error.code.to_owned(),
            message: error.message,
        };
        Self {
            imported: imported.imported,
            skipped: imported.skipped,
            failed: imported.failed,
            errors: imported.errors.into_iter().map(error).collect(),
        }
    }
}
