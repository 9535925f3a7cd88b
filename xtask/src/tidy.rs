//! Rules of this repository that no compiler checks.
//!
//! Every rule is a pure function from text to findings; this file collects what they read and lists
//! what they found as `file:line: message`.

mod data;
mod floors;
mod links;
mod sources;
mod text;
mod walls;

use std::fmt;

use anyhow::{Result, bail};

use crate::shell::{Task, headline};
use crate::workspace::Workspace;

/// One broken rule.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks every rule and lists what it found.
///
/// # Errors
///
/// When a rule is broken, or a program that a rule asks cannot be run.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    headline("tidy", "checking");
    let mut findings = walls::check(workspace)?;
    findings.extend(data::check(workspace));
    findings.extend(floors::check(workspace));
    for file in &tracked_files(workspace)? {
        findings.extend(check_file(workspace, file));
    }
    findings.extend(unformatted(workspace)?);
    findings.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("rules broken in {} places", findings.len());
    }
    headline("tidy", "nothing found");
    Ok(())
}

/// Every file that git has or would take: what is ignored is nobody's business.
fn tracked_files(workspace: &Workspace) -> Result<Vec<String>> {
    let listed = Task::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .folder(workspace.root())
        .quiet()
        .remedy("run this in a git checkout")
        .read()?;
    let mut files: Vec<_> = listed
        .split('\0')
        .filter(|file| !file.is_empty() && workspace.path(file).is_file())
        .map(str::to_owned)
        .collect();
    // A file in conflict is listed once for every side.
    files.sort();
    files.dedup();
    Ok(files)
}

fn check_file(workspace: &Workspace, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = workspace.path(file);
    if let Ok(metadata) = path.metadata() {
        findings.extend(data::check_size(file, metadata.len()));
    }
    // A binary file has no lines to look at.
    let Ok(content) = std::fs::read_to_string(&path) else {
        return findings;
    };
    findings.extend(text::check(file, &content));
    if file.ends_with(".rs") {
        findings.extend(sources::check(file, &content));
    }
    if file.ends_with(".md") {
        let exists = |target: &str| workspace.path(target).exists();
        findings.extend(links::check(file, &content, exists));
    }
    findings
}

fn unformatted(workspace: &Workspace) -> Result<Vec<Finding>> {
    let task = workspace.cargo(&["fmt", "--all", "--", "--check"]).quiet();
    let (status, said) = task.ask()?;
    let findings = differences(&said, &format!("{}/", workspace.root().display()));
    if !status.success() && findings.is_empty() {
        bail!("`cargo fmt --all -- --check` ended with {status}");
    }
    Ok(findings)
}

/// Reads rustfmt's `Diff in <path>:<line>:`: one finding a file, at its first place.
fn differences(said: &str, root: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let places = said.lines().filter_map(|line| line.strip_prefix("Diff in "));
    for (path, line) in places.filter_map(|place| place.trim_end_matches(':').rsplit_once(':')) {
        let file = path.strip_prefix(root).unwrap_or(path);
        if findings.last().is_none_or(|last| last.file != file) {
            let line = line.parse().unwrap_or(1);
            findings.push(Finding::new(file, line, "not formatted: run `cargo fmt --all`"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_is_written_for_editors() {
        assert_eq!(Finding::new("core/src/lib.rs", 7, "no").to_string(), "core/src/lib.rs:7: no");
    }

    #[test]
    fn rustfmt_differences_become_findings() {
        let said = "Diff in /r/cli/src/main.rs:1:\n-fn  main\nDiff in /r/cli/src/main.rs:9:\n\
                    Diff in /r/a.rs:20:\n";
        let places: Vec<_> = differences(said, "/r/").iter().map(ToString::to_string).collect();
        assert_eq!(
            places,
            [
                "cli/src/main.rs:1: not formatted: run `cargo fmt --all`",
                "a.rs:20: not formatted: run `cargo fmt --all`"
            ]
        );
    }
}
