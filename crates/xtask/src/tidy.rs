//! The rules of the tree that no compiler checks.
//!
//! Each rule is a function from what it looks at to its findings, and has a test with a small bad
//! sample, so that a rule which has stopped to find anything is noticed. Reading files and asking
//! git and cargo happens here and in [`tree`] alone.

mod code;
mod layers;
mod links;
mod migrations;
mod paths;
mod promises;
mod source;
mod tree;

use std::fmt;

use anyhow::{Context, Result, bail};

use crate::shell::Shell;
use crate::tidy::tree::Tree;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// Relative to the workspace.
    path: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Checks every rule and prints each finding; an error if there is any.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let tree = Tree::read(shell)?;
    let metadata = shell
        .output(&mut shell.cargo(["metadata", "--no-deps", "--format-version", "1"]))
        .context("the layers can't be read")?;
    let packages = layers::packages(&serde_json::from_str(&metadata)?)?;

    let mut findings = layers::check(&packages);
    for file in &tree.files {
        findings.extend(paths::check(file));
        findings.extend(code::check(file));
        findings.extend(links::check(file, &tree));
    }
    findings.extend(promises::check(&tree));
    findings.extend(migrations::check(&migrations::changes(shell)));

    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("{count} findings in {} files read", tree.files.len()),
    }
}
