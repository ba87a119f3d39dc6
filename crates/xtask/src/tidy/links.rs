//! Relative links in Markdown lead somewhere.

use crate::tidy::Finding;
use crate::tidy::tree::{File, Tree};

pub(super) fn check(file: &File, tree: &Tree) -> Vec<Finding> {
    if file.extension() != "md" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(line) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let there = resolve(&file.path, path)
                .is_some_and(|path| path.is_empty() || tree.paths.contains(&path));
            if !there {
                let message = format!("links to {target}, which is not there");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` and of `[name]: target` in a line, outside code.
fn targets(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect();
    let mut targets = Vec::new();
    for (at, _) in prose.match_indices("](") {
        let rest = &prose[at + 2..];
        let end = rest.find([')', ' ']).unwrap_or(rest.len());
        targets.push(rest[..end].trim_matches(['<', '>']).to_owned());
    }
    if let Some((_, target)) = prose
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
    {
        targets.extend(target.split_whitespace().next().map(str::to_owned));
    }
    targets
}

/// The path that a link in a file means, or nothing where it leaves the tree.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from
            .rsplit_once('/')
            .map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let tree = Tree::from_contents(vec![
            ("docs/a.md".to_owned(), text.as_bytes().to_vec()),
            ("docs/guides/b.md".to_owned(), Vec::new()),
            ("README.md".to_owned(), Vec::new()),
        ]);
        let file = tree.file("docs/a.md").unwrap();
        check(file, &tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_no_finding() {
        let text = "[b](guides/b.md#part) [r](../README.md) [g](guides/) [w](https://a.example/x)\n\
                    [h](#here) `[x](gone.md)`\n```\n[y](gone.md)\n```\n[n]: guides/b.md \"title\"\n";
        assert_eq!(findings(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_found_with_their_lines() {
        let found = findings("fine\n[b](guides/c.md)\n[up](../../x.md)\n[n]: gone.md\n");
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(
            found[0],
            "docs/a.md:2: links to guides/c.md, which is not there"
        );
    }
}
