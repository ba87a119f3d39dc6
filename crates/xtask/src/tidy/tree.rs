//! The files of the workspace that are, or would be, committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::shell::Shell;
use crate::tidy::source::Source;

/// One text file.
pub(super) struct File {
    /// Relative to the workspace, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// For Rust files: the text taken apart.
    pub(super) rust: Option<Source>,
    /// Whether all of it is compiled for tests only.
    pub(super) test: bool,
}

impl File {
    /// A file with this content; whether it is a test is seen from its path.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let rust = (extension(path) == "rs").then(|| Source::parse(text));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            rust,
            test: is_test(path),
        }
    }

    pub(super) fn extension(&self) -> &str {
        extension(&self.path)
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// All of them.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// Every path, of binary files too, and every folder above one.
    pub(super) paths: BTreeSet<String>,
}

impl Tree {
    /// Asks git for the files, or walks the folder where there is no git.
    pub(super) fn read(shell: &Shell) -> Result<Self> {
        let listed = shell.output(
            shell
                .command("git")
                .args(["ls-files", "-z", "--cached", "--others"])
                .arg("--exclude-standard"),
        );
        let paths: Vec<String> = match listed {
            Ok(list) => list.split_terminator('\0').map(str::to_owned).collect(),
            Err(_) => walk(shell.root(), "")?,
        };
        let mut contents = Vec::new();
        for path in paths {
            // A file that was deleted but not yet staged is still listed.
            if let Ok(bytes) = fs::read(shell.root().join(&path)) {
                contents.push((path, bytes));
            }
        }
        Ok(Self::from_contents(contents))
    }

    /// A tree with these files.
    pub(super) fn from_contents(contents: Vec<(String, Vec<u8>)>) -> Self {
        let mut paths = BTreeSet::new();
        let mut files = Vec::new();
        for (path, bytes) in contents {
            for (end, _) in path.match_indices('/') {
                paths.insert(path[..end].to_owned());
            }
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File::new(&path, &text));
            }
            paths.insert(path);
        }
        mark_test_modules(&mut files);
        Self { files, paths }
    }

    /// The file at this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// Whether a path alone says that the file is compiled for tests only.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.starts_with("crates/testkit/")
        || path.starts_with("e2e/")
}

/// Marks the files of modules that are declared `#[cfg(test)] mod name;`.
fn mark_test_modules(files: &mut [File]) {
    let mut declared = Vec::new();
    for file in &*files {
        let Some(source) = &file.rust else { continue };
        let folder = match file.path.strip_suffix(".rs") {
            Some(stem) => {
                let (above, name) = stem.rsplit_once('/').unwrap_or(("", stem));
                if matches!(name, "lib" | "main") {
                    above.to_owned()
                } else {
                    stem.to_owned()
                }
            }
            None => continue,
        };
        for name in source.test_modules() {
            declared.push(format!("{folder}/{name}"));
        }
    }
    for file in files {
        file.test |= declared.iter().any(|module| {
            file.path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
}

fn walk(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in
        fs::read_dir(root.join(folder)).with_context(|| format!("{folder} can't be read"))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if matches!(name.as_str(), ".git" | "target" | "data") {
            continue;
        }
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if entry.file_type()?.is_dir() {
            paths.extend(walk(root, &path)?);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_files_are_known() {
        let tree = Tree::from_contents(vec![("docs/guides/a.md".to_owned(), Vec::new())]);
        assert!(tree.paths.contains("docs/guides"));
        assert!(tree.paths.contains("docs"));
        assert!(!tree.paths.contains("guides"));
    }

    #[test]
    fn modules_declared_for_tests_are_tests() {
        let tree = Tree::from_contents(vec![
            (
                "crates/a/src/lib.rs".to_owned(),
                b"#[cfg(test)]\nmod samples;\nmod real;".to_vec(),
            ),
            ("crates/a/src/samples.rs".to_owned(), Vec::new()),
            ("crates/a/src/samples/deep.rs".to_owned(), Vec::new()),
            ("crates/a/src/real.rs".to_owned(), Vec::new()),
        ]);
        let test = |path: &str| tree.file(path).is_some_and(|file| file.test);
        assert!(test("crates/a/src/samples.rs"));
        assert!(test("crates/a/src/samples/deep.rs"));
        assert!(!test("crates/a/src/real.rs"));
    }
}
