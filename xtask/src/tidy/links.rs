//! Links in Markdown: a relative one leads somewhere.

use super::Finding;

/// Looks at one Markdown file; `exists` tells whether a path below the repository is there.
pub(super) fn check(file: &str, content: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let folder = file.rsplit_once('/').map_or("", |halves| halves.0);
    let mut findings = Vec::new();
    let mut in_code = false;
    for (index, line) in content.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in targets(line) {
            let Some(path) = resolve(folder, target) else {
                continue;
            };
            if !exists(&path) {
                let message = format!("the link leads nowhere: {target}");
                findings.push(Finding::new(file, index + 1, message));
            }
        }
    }
    findings
}

/// What a line's links `[…](target)` and definitions `[…]: target` name.
fn targets(line: &str) -> Vec<&str> {
    let line_without_code: Vec<_> = line.split('`').step_by(2).collect();
    let mut found = Vec::new();
    for prose in line_without_code {
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        found.extend(inline.map(|halves| halves.0));
    }
    if let Some((label, target)) = line.split_once("]: ")
        && label.starts_with('[')
        && !label.starts_with("[^")
    {
        found.push(target);
    }
    let first_word = |target: &'_ str| target.split_whitespace().next().map_or(0, str::len);
    found
        .into_iter()
        .map(|target| target.trim_start())
        .map(|target| &target[..first_word(target)])
        .map(|target| target.trim_start_matches('<').trim_end_matches('>'))
        .collect()
}

/// The path below the repository that a link means; `None` for addresses and anchors.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let path = target.split(['#', '?']).next()?;
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            // Above the repository is nowhere: the sentinel makes the link a finding.
            if parts.pop().is_none() {
                return Some("..".to_owned() + path);
            }
        } else {
            parts.push(part);
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(file: &str, content: &str) -> Vec<usize> {
        let there = ["README.md", "docs/decisions/0001.md", "docs", "."];
        let findings = check(file, content, |path| there.contains(&path));
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn good_links_pass() {
        let text = "[a](docs/decisions/0001.md#why \"title\") [b](#here) [c](https://x.y/z)\n\
                    [d](./docs/) ![e](README.md)\n[f]: docs \"title\"\n";
        assert_eq!(broken("README.md", text), [0; 0]);
        assert_eq!(
            broken("docs/decisions/0001.md", "[up](../../README.md) [r](/README.md)"),
            [0; 0]
        );
    }

    #[test]
    fn broken_links_are_found() {
        assert_eq!(broken("README.md", "one\n[a](docs/none.md)\n"), [2]);
        assert_eq!(broken("docs/a.md", "[a](README.md) and [b](../../../README.md)"), [1, 1]);
        assert_eq!(broken("README.md", "[label]: none.md"), [1]);
    }

    #[test]
    fn code_is_no_link() {
        assert_eq!(broken("README.md", "```text\n[a](none.md)\n```\n`[b](none.md)`\n"), [0; 0]);
    }
}
