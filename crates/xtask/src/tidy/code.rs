//! Rules about single source files: how they open, how long they are, what they may not hold.

use crate::tidy::Finding;
use crate::tidy::source::{Source, declared_module};
use crate::tidy::tree::File;

/// The most lines a file may have outside its tests.
const LONGEST: usize = 600;

/// What is written by hand and therefore kept short.
const WRITTEN: [&str; 7] = ["css", "html", "js", "py", "rs", "sh", "sql"];

/// Names that say nothing about what a module owns.
const DRAWERS: [&str; 8] = [
    "util", "utils", "helper", "helpers", "manager", "managers", "misc", "common",
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = all_columns(file);
    findings.extend(length(file));
    if let Some(source) = &file.rust {
        findings.extend(opening(file));
        findings.extend(names(file, source));
        findings.extend(unwraps(file, source));
    }
    findings
}

/// Crate roots and modules say at once what they own. The tests of a module that lie beside it
/// need not: what they are about, the module has said.
fn opening(file: &File) -> Option<Finding> {
    if file.path.ends_with("/tests.rs") {
        return None;
    }
    let first = file
        .text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    (!first.is_some_and(|line| line.starts_with("//!"))).then(|| {
        Finding::new(
            &file.path,
            1,
            "opens without `//!` (what it owns, refuses, who calls it)",
        )
    })
}

fn length(file: &File) -> Option<Finding> {
    if file.test || !WRITTEN.contains(&file.extension()) || file.path.contains("/migrations/") {
        return None;
    }
    let lines = match &file.rust {
        Some(source) => source.product(&file.text).count(),
        None => file.text.lines().count(),
    };
    (lines > LONGEST).then(|| {
        let message = format!("{lines} lines outside tests; {LONGEST} is the most, split it");
        Finding::new(&file.path, 0, message)
    })
}

fn names(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    if stem.ends_with("/mod") {
        findings.push(Finding::new(
            &file.path,
            0,
            "is named mod.rs; write foo.rs beside foo/",
        ));
    }
    if let Some(name) = stem.split('/').find(|part| DRAWERS.contains(part)) {
        findings.push(Finding::new(&file.path, 0, drawer(name)));
    }
    for (index, line) in source.code.lines().enumerate() {
        if let Some((name, false)) = declared_module(line)
            && DRAWERS.contains(&name)
        {
            findings.push(Finding::new(&file.path, index + 1, drawer(name)));
        }
    }
    findings
}

fn drawer(name: &str) -> String {
    format!("`{name}` says nothing; name the module after what it owns")
}

fn unwraps(file: &File, source: &Source) -> Vec<Finding> {
    if file.test {
        return Vec::new();
    }
    source
        .product(&source.code)
        .filter(|(_, line)| line.contains(".unwrap()"))
        .map(|(line, _)| {
            Finding::new(
                &file.path,
                line,
                "`.unwrap()` outside tests; return an error",
            )
        })
        .collect()
}

/// A query lists its columns: what is added to a table later must not reach an answer by itself.
fn all_columns(file: &File) -> Vec<Finding> {
    if file.test {
        return Vec::new();
    }
    let lines: Vec<(usize, &str)> = match &file.rust {
        Some(source) => source.product(&source.literals).collect(),
        None if file.extension() == "sql" => file
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .collect(),
        None => return Vec::new(),
    };
    lines
        .into_iter()
        .filter(|(_, line)| selects_all(line))
        .map(|(line, _)| Finding::new(&file.path, line, "selects `*`; list the columns"))
        .collect()
}

fn selects_all(line: &str) -> bool {
    let line = line.to_ascii_uppercase();
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).any(|pair| {
        matches!(
            pair[0].trim_start_matches('('),
            "SELECT" | "RETURNING" | "DISTINCT"
        ) && (pair[1].starts_with('*') || pair[1].contains(".*"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&File::new(path, text))
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    fn has(found: &[String], part: &str) -> bool {
        found.iter().any(|finding| finding.contains(part))
    }

    #[test]
    fn a_sound_file_has_no_findings() {
        let text = "//! Owns a.\n\nfn f() -> &'static str { \"SELECT id, count(*) FROM a\" }\n";
        assert_eq!(findings("crates/a/src/a.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_module_without_an_opening_is_found() {
        assert!(has(
            &findings("crates/a/src/a.rs", "use b;\n"),
            "a.rs:1: opens without"
        ));
        assert!(findings("crates/a/src/a.rs", "#![no_std]\n//! Owns a.\n").is_empty());
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let long = format!("//! a\n{}", "f();\n".repeat(600));
        assert!(has(&findings("crates/a/src/a.rs", &long), "601 lines"));
        assert!(findings("crates/store/migrations/a.sql", &"x;\n".repeat(700)).is_empty());
        let tests = format!(
            "//! a\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "f();\n".repeat(700)
        );
        assert!(findings("crates/a/src/a.rs", &tests).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert!(has(&findings("crates/a/src/b/mod.rs", "//! b\n"), "mod.rs"));
        assert!(has(
            &findings("crates/a/src/utils.rs", "//! b\n"),
            "`utils`"
        ));
        assert!(has(
            &findings("crates/a/src/b.rs", "//! b\nmod helper {}\n"),
            "b.rs:2: `helper`"
        ));
    }

    #[test]
    fn an_unwrap_is_found_outside_tests_only() {
        let text = "//! a\nfn f() { g().unwrap(); }\n#[cfg(test)]\nmod tests { fn t() { g().unwrap(); } }\n";
        assert_eq!(findings("crates/a/src/a.rs", text).len(), 1);
        assert!(has(
            &findings("crates/a/src/a.rs", text),
            "a.rs:2: `.unwrap()`"
        ));
        assert!(findings("crates/a/tests/a.rs", text).is_empty());
        assert!(findings("crates/a/src/a.rs", "//! never `.unwrap()`\n").is_empty());
    }

    #[test]
    fn a_query_for_all_columns_is_found() {
        let text = "//! a\nconst Q: &str = \"select  * FROM a\";\nconst R: &str = \"DELETE FROM a RETURNING a.*\";\n";
        let found = findings("crates/a/src/a.rs", text);
        assert!(
            has(&found, "a.rs:2: selects") && has(&found, "a.rs:3: selects"),
            "{found:?}"
        );
        assert!(has(
            &findings("x/a.sql", "INSERT INTO b SELECT * FROM a;\n"),
            "a.sql:1"
        ));
    }
}
