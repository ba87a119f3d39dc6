//! A migration that has landed is never edited: databases out there have run it as it was.

use crate::shell::Shell;
use crate::tidy::Finding;

const FOLDER: &str = "crates/store/migrations";

/// What git says has changed below the migrations since the last commit; nothing without git.
pub(super) fn changes(shell: &Shell) -> String {
    let mut diff = shell.command("git");
    diff.args([
        "diff",
        "--name-status",
        "--no-renames",
        "HEAD",
        "--",
        FOLDER,
    ]);
    shell.output(&mut diff).unwrap_or_else(|error| {
        eprintln!("migrations are not compared with the last commit: {error:#}");
        String::new()
    })
}

/// Reads the output of `git diff --name-status`.
pub(super) fn check(changes: &str) -> Vec<Finding> {
    changes
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(status, _)| *status != "A")
        .map(|(_, path)| {
            Finding::new(
                path,
                0,
                "a committed migration was changed; add a new one instead",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_deleted_migration_is_found_and_a_new_one_is_not() {
        let found = check("M\tm/0001_a.sql\nA\tm/0003_c.sql\nD\tm/0002_b.sql\n");
        let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["m/0001_a.sql", "m/0002_b.sql"]);
    }
}
