//! No file names a folder of the machine it was written on.

use crate::tidy::Finding;
use crate::tidy::tree::File;

/// Folders that exist on one machine only. Written in parts, or this file would be a finding.
const FOLDERS: [&str; 4] = [
    concat!("/wo", "rk"),
    concat!("/ro", "ot"),
    concat!("/ho", "me"),
    concat!("/Us", "ers"),
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(folder) = FOLDERS.into_iter().find(|folder| names(line, folder)) {
            let message = format!("names the machine's own folder {folder}/");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

/// Whether the folder begins an absolute path in this line: neither part of a longer path or
/// address, nor of a longer word.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let below = line[at + folder.len()..].strip_prefix('/');
        let continues = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/');
        !before.is_some_and(continues)
            && below.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_machine_is_found() {
        let text = format!("fine\nlet a = \"{}/main/x\";\n", FOLDERS[0]);
        let found = check(&File::new("a.rs", &text));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn addresses_and_longer_words_are_no_paths_of_the_machine() {
        for fine in [
            "GET /api/v1/workflows/x",
            "cd ./work/x",
            "https://a.example/home/x",
            "/home",
        ] {
            assert!(check(&File::new("a.md", fine)).is_empty(), "{fine}");
        }
    }
}
