//! Data files: checksums look like checksums, ids are unique, nothing heavy is in git.

use std::collections::HashSet;

use serde_json::Value;

use super::Finding;
use crate::measure::CASES;
use crate::workspace::Workspace;

/// A rule about a file's name and content.
type Rule = fn(&str, &str) -> Vec<Finding>;

/// Looks at the manifest of models and at the evaluation cases.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rules = vec![(MODELS.to_owned(), checksums as Rule), (CASES.to_owned(), case_ids)];
    rules.extend(collections(workspace).into_iter().map(|file| (file, case_ids as Rule)));
    for (file, rule) in rules {
        match std::fs::read_to_string(workspace.path(&file)) {
            Ok(content) => findings.extend(rule(&file, &content)),
            Err(problem) => findings.push(Finding::new(&file, 1, problem.to_string())),
        }
    }
    findings
}

/// The cases of the collections beside the sample.
fn collections(workspace: &Workspace) -> Vec<String> {
    let folders = std::fs::read_dir(workspace.path(COLLECTIONS)).into_iter().flatten().flatten();
    let name = |folder: std::fs::DirEntry| {
        format!("{COLLECTIONS}/{}/cases.json", folder.file_name().to_string_lossy())
    };
    folders.map(name).collect()
}

/// Refuses a file that is too large for a repository that everybody clones.
pub(super) fn check_size(file: &str, bytes: u64) -> Option<Finding> {
    let message = format!("{bytes} bytes, at most {LARGEST}: fetch it by its checksum instead");
    (bytes > LARGEST).then(|| Finding::new(file, 1, message))
}

fn checksums(file: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = false;
    for (index, line) in content.lines().enumerate() {
        let Some(value) = value_of(line, "sha256") else {
            continue;
        };
        found = true;
        let digits = value.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        if value.len() != 64 || !digits {
            let message = format!("sha256 must be 64 lower-case hexadecimal digits: {value}");
            findings.push(Finding::new(file, index + 1, message));
        }
    }
    if !found {
        findings.push(Finding::new(file, 1, "no sha256 in it"));
    }
    findings
}

/// The string after `key =` in a line of TOML, also inside an inline table.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let line = line.split_once('#').map_or(line, |halves| halves.0);
    let (before, after) = line.split_once(key)?;
    if before.chars().last().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        return None;
    }
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let value = value.strip_prefix('"').unwrap_or(value);
    Some(value.split(['"', ',', '}']).next().unwrap_or(value).trim())
}

fn case_ids(file: &str, content: &str) -> Vec<Finding> {
    let value: Value = match serde_json::from_str(content) {
        Ok(value) => value,
        Err(problem) => {
            return vec![Finding::new(file, problem.line(), problem.to_string())];
        }
    };
    // The cases are the file, or its member `cases`.
    let Some(cases) = value.as_array().or_else(|| value["cases"].as_array()) else {
        return vec![Finding::new(file, 1, "no list of cases in it")];
    };
    let mut findings = Vec::new();
    let mut seen = HashSet::new();
    for case in cases {
        match case["id"].as_str() {
            None => findings.push(Finding::new(file, 1, format!("a case has no id: {case}"))),
            Some(id) if !seen.insert(id) => {
                let line = last_line_with(content, id);
                findings.push(Finding::new(file, line, format!("the id is taken: {id}")));
            }
            Some(_) => {}
        }
    }
    findings
}

fn last_line_with(content: &str, id: &str) -> usize {
    let quoted = format!("\"{id}\"");
    let is_id = |line: &str| line.contains("\"id\"") && line.contains(&quoted);
    let lines: Vec<_> = content.lines().collect();
    lines.iter().rposition(|line| is_id(line)).map_or(1, |index| index + 1)
}

/// The manifest of models, below the repository.
const MODELS: &str = "data/models.toml";

/// The folder of the collections that are measured beside the sample.
const COLLECTIONS: &str = "data/eval/collections";

/// The largest file in git, in bytes: the built page and the lock file are well below.
const LARGEST: u64 = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn checksums_are_checked() {
        let good =
            format!("# sha256 = x\nsha256 = \"{SUM}\"\nf = {{ sha256 = \"{SUM}\", b = 1 }}\n");
        assert_eq!(checksums(MODELS, &good), []);
        let short = format!("[a]\nsha256 = \"{}\"\n", &SUM[1..]);
        assert_eq!(lines(&checksums(MODELS, &short)), [2]);
        let upper = format!("sha256 = \"{}\"\n", SUM.to_uppercase());
        assert_eq!(lines(&checksums(MODELS, &upper)), [1]);
        assert_eq!(lines(&checksums(MODELS, "name = \"none\"\n")), [1]);
    }

    #[test]
    fn ids_of_cases_are_unique() {
        assert_eq!(case_ids(CASES, "[{\"id\": \"a\"}, {\"id\": \"b\"}]"), []);
        let twice = "{\"cases\": [\n{\"id\": \"a\"},\n{\"id\": \"a\"}\n]}";
        assert_eq!(lines(&case_ids(CASES, twice)), [3]);
        assert_eq!(lines(&case_ids(CASES, "[{\"question\": \"who?\"}]")), [1]);
        assert_eq!(lines(&case_ids(CASES, "{}")), [1]);
        assert_eq!(lines(&case_ids(CASES, "[\n{\n")), [3]);
    }

    #[test]
    fn large_file_is_refused() {
        assert_eq!(check_size("a.bin", LARGEST), None);
        assert!(check_size("a.bin", LARGEST + 1).is_some());
    }
}
