//! How a command ends.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use tenantry_service::Refusal;
use tenantry_web::problem::Failure;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Exit {
    /// Wrong use: 2.
    Usage(String),
    /// Refused or failed: 3, with the contract's code.
    Refused {
        /// The code.
        code: String,
        /// The sentence.
        message: String,
    },
    /// Interrupted: 130.
    Interrupted,
}

/// Something wrong was found: 1.
pub(crate) const FOUND: ExitCode = ExitCode::FAILURE;

impl Exit {
    /// A failure while doing `what`.
    pub(crate) fn failed(what: &str, why: impl Display) -> Self {
        Self::Refused {
            code: "failed".to_owned(),
            message: format!("{what}: {why}"),
        }
    }

    /// A refusal by this command itself.
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::Refused {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// Why, for where it is one of several answers.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Usage(message) | Self::Refused { message, .. } => message,
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    /// Says why, in one line on stderr, and gives the code.
    pub(crate) fn report(self, json: bool) -> ExitCode {
        let (number, code, message) = match self {
            Self::Usage(message) => (2, "usage".to_owned(), message),
            Self::Refused { code, message } => (3, code, message),
            Self::Interrupted => (130, "interrupted".to_owned(), "interrupted".to_owned()),
        };
        let message = message.replace('\n', " ");
        let line = if json {
            serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
        } else {
            format!("error: {message}")
        };
        // Whoever hung up on stderr still gets the code.
        let _ = writeln!(std::io::stderr(), "{line}");
        ExitCode::from(number)
    }
}

impl From<Refusal> for Exit {
    fn from(refusal: Refusal) -> Self {
        // An operator at the command line may see the cause.
        let message = match &refusal {
            Refusal::Validation(errors) => errors
                .iter()
                .map(|error| format!("{}: {}", error.field, error.message))
                .collect::<Vec<_>>()
                .join("; "),
            other => tenantry_service::refusal::Chain(other).to_string(),
        };
        let code = match refusal {
            // Told here in full, so it need not stand in the log beside.
            Refusal::Failed { .. } => "internal_error",
            refusal => Failure::from(refusal).code(),
        };
        Self::refused(code, message)
    }
}
