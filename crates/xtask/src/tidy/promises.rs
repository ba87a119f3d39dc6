//! Every invariant that the architecture promises names a test, and that test exists.
//!
//! A promise is a paragraph or list item of `docs/ARCHITECTURE.md` that holds `Invariant:`. Within
//! it stands `Test: path::name`, with the path of a Rust file and the name of a test in it; more
//! than one may follow, separated by commas.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

const DOCUMENT: &str = "docs/ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(DOCUMENT) else {
        return vec![Finding::new(
            DOCUMENT,
            0,
            "is missing; it states the invariants",
        )];
    };
    let promises = promises(&file.text);
    if promises.is_empty() {
        return vec![Finding::new(DOCUMENT, 0, "states no `Invariant:`")];
    }
    let mut findings = Vec::new();
    for (line, promise) in promises {
        let tests = tests_named(&promise);
        if tests.is_empty() {
            findings.push(Finding::new(
                DOCUMENT,
                line,
                "the invariant names no `Test: path::name`",
            ));
        }
        for test in tests {
            if let Err(message) = exists(tree, &test) {
                findings.push(Finding::new(DOCUMENT, line, message));
            }
        }
    }
    findings
}

/// The promises: the line each begins on (from 1), and its text up to the next promise or the end
/// of its paragraph.
fn promises(text: &str) -> Vec<(usize, String)> {
    let mut promises: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if line.contains("Invariant:") {
            promises.push((index + 1, String::new()));
            open = true;
        } else if line.trim().is_empty() || line.starts_with('#') {
            open = false;
        }
        if let (true, Some((_, promise))) = (open, promises.last_mut()) {
            promise.push_str(line);
            promise.push('\n');
        }
    }
    promises
}

/// The `path::name` that stand after `Test:` or `Tests:`.
fn tests_named(promise: &str) -> Vec<String> {
    let Some((_, list)) = promise
        .split_once("Test:")
        .or_else(|| promise.split_once("Tests:"))
    else {
        return Vec::new();
    };
    list.split([',', ' ', '\n'])
        .map(|word| word.trim_matches(|c: char| matches!(c, '`' | '.' | ';' | '*' | '(' | ')')))
        .filter(|word| word.contains("::"))
        .map(str::to_owned)
        .collect()
}

fn exists(tree: &Tree, test: &str) -> Result<(), String> {
    let (path, name) = test
        .split_once("::")
        .ok_or_else(|| format!("{test} names no test"))?;
    let name = name.rsplit("::").next().unwrap_or(name);
    let source = tree
        .file(path)
        .and_then(|file| file.rust.as_ref())
        .ok_or_else(|| format!("the test {test} lies in a file that is not there"))?;
    let lines: Vec<&str> = source.code.lines().collect();
    let found = lines.iter().enumerate().any(|(index, line)| {
        let words = line.trim_start();
        let words = words.strip_prefix("pub ").unwrap_or(words);
        let words = words.strip_prefix("async ").unwrap_or(words);
        let declares = words
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(['(', '<']));
        declares && is_test(&lines[..index])
    });
    if found || listed(&source.code, name) {
        Ok(())
    } else {
        Err(format!("there is no test {name} in {path}"))
    }
}

/// Macros that make tests of the functions they list.
const MACROS: [&str; 7] = [
    "on_both!",
    "on_each_channel!",
    "on_each_driver!",
    "on_each_isolation!",
    "on_each_session_driver!",
    "everywhere!",
    "killed!",
];

/// Whether one of [`MACROS`] lists this function.
fn listed(code: &str, name: &str) -> bool {
    MACROS.iter().any(|call| {
        code.match_indices(call).any(|(start, _)| {
            let arguments = code[start + call.len()..]
                .split([')', '}'])
                .next()
                .unwrap_or_default();
            arguments
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .any(|word| word == name)
        })
    })
}

/// Whether the attributes that end these lines make the function after them a test.
fn is_test(above: &[&str]) -> bool {
    above
        .iter()
        .rev()
        .take_while(|line| line.trim_start().starts_with('#') || line.trim().is_empty())
        .any(|line| line.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(document: &str) -> Vec<String> {
        let sample = "//! a\n/// Why.\n#[tokio::test(flavor = \"x\")]\n// note\nasync fn holds() {}\nfn helps() {}\n";
        let tree = Tree::from_contents(vec![
            (DOCUMENT.to_owned(), document.as_bytes().to_vec()),
            ("crates/a/tests/a.rs".to_owned(), sample.as_bytes().to_vec()),
        ]);
        check(&tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_promise_with_its_test_is_no_finding() {
        let text =
            "- **Invariant:** a holds\n  in every case. Test: `crates/a/tests/a.rs::holds`.\n";
        assert_eq!(findings(text), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_a_macro_makes_is_one() {
        assert!(listed("fn holds() {}\non_both!(holds, helps);\n", "holds"));
        assert!(listed(
            "killed! {\n    holds: provision by Server;\n}\n",
            "holds"
        ));
        assert!(!listed("fn holds() {}\non_both!(holds_not);\n", "holds"));
    }

    #[test]
    fn a_promise_without_a_test_is_found() {
        let text =
            "Invariant: a.\nInvariant: b. Test: `crates/a/tests/a.rs::holds`\n\nTest: x::y\n";
        assert_eq!(
            findings(text),
            ["docs/ARCHITECTURE.md:1: the invariant names no `Test: path::name`"]
        );
    }

    #[test]
    fn a_test_that_is_not_there_is_found() {
        let text = "Invariant: a. Test: `crates/a/tests/a.rs::helps`, `crates/b.rs::holds`\n";
        let found = findings(text);
        assert!(found[0].contains("no test helps"), "{found:?}");
        assert!(found[1].contains("file that is not there"), "{found:?}");
    }

    #[test]
    fn a_document_without_promises_is_found() {
        assert_eq!(findings("# Architecture\n").len(), 1);
        assert_eq!(check(&Tree::from_contents(Vec::new())).len(), 1);
    }
}
