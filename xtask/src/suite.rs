//! The whole test suite: native tests, documentation tests, browser tests.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::build;
use crate::helpers::{BROWSER_TESTS, Helpers};
use crate::shell::{Task, find_program, headline};
use crate::workspace::{Workspace, build_flags};

/// Builds everything and runs every test; with `filters`, the native tests they choose and no
/// others.
///
/// # Errors
///
/// When a build or a test fails. A failing part does not keep the next one from running.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<()> {
    build::everything(workspace)?;
    let helpers = Helpers::prepare(workspace)?;
    let mut parts = vec![native(workspace, &helpers, filters)?];
    if filters.is_empty() {
        parts.push(documentation(workspace, &helpers)?);
        parts.extend(browser(workspace, &helpers)?);
    }
    headline("test", "summary");
    for part in &parts {
        let verdict = if part.passed { "ok" } else { "FAILED" };
        println!("    {:<14} {}  {verdict}", part.name, part.counts.shown());
    }
    for skipped in &helpers.skipped {
        println!("    SKIP {skipped}");
    }
    let failed: Vec<_> = parts.iter().filter(|part| !part.passed).map(|part| part.name).collect();
    if !failed.is_empty() {
        bail!("tests failed: {}", failed.join(", "));
    }
    Ok(())
}

/// How one part of the suite ended.
struct Part {
    name: &'static str,
    passed: bool,
    counts: Counts,
}

fn native(workspace: &Workspace, helpers: &Helpers, filters: &[String]) -> Result<Part> {
    let nextest = find_program("cargo-nextest").is_some();
    headline("test", if nextest { "native tests" } else { "native tests, without nextest" });
    let args: &[&str] = if nextest {
        &["nextest", "run", "--no-fail-fast"]
    } else {
        &["test", "--no-fail-fast", "--lib", "--bins", "--tests"]
    };
    let task = workspace.cargo(args).args(build_flags()).args(filters);
    let (status, said) = helpers.export(task).watch()?;
    let counts = if nextest { Counts::of_nextest(&said) } else { Counts::of_cargo(&said) };
    Ok(Part { name: "native", passed: status.success(), counts })
}

fn documentation(workspace: &Workspace, helpers: &Helpers) -> Result<Part> {
    headline("test", "documentation tests");
    let task = workspace.cargo(&["test", "--doc", "--no-fail-fast"]).args(build_flags());
    let (status, said) = helpers.export(task).watch()?;
    let counts = Counts::of_cargo(&said);
    Ok(Part { name: "documentation", passed: status.success(), counts })
}

fn browser(workspace: &Workspace, helpers: &Helpers) -> Result<Option<Part>> {
    // Tests that need a browser skip themselves where there is none; the others need only Node.
    let Some(node) = &helpers.node else {
        return Ok(None);
    };
    let files = browser_tests(workspace);
    if files.is_empty() {
        return Ok(None);
    }
    headline("test", "browser tests");
    let task = Task::new(node)
        .args(["--test", "--test-reporter=tap"])
        .args(files)
        .folder(workspace.root());
    let (status, said) = helpers.export(task).watch()?;
    Ok(Some(Part { name: "browser", passed: status.success(), counts: Counts::of_tap(&said) }))
}

/// The test files; the shell's `*` is expanded here, since Node 20 does not.
fn browser_tests(workspace: &Workspace) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(workspace.path(BROWSER_TESTS));
    let mut files: Vec<_> = folder
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    files
}

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    /// Reads nextest's summary: `Summary [ 0.1s] 7 tests run: 5 passed (1 slow), 2 failed, 1 skipped`.
    fn of_nextest(said: &str) -> Self {
        let summary = said.lines().rev().find(|line| line.trim_start().starts_with("Summary ["));
        let counts = summary.and_then(|line| line.split_once("run:")).map_or("", |halves| halves.1);
        let named = |names: &[&str]| {
            let words: Vec<_> =
                counts.split([' ', ',', '(', ')']).filter(|w| !w.is_empty()).collect();
            words
                .windows(2)
                .filter(|pair| names.contains(&pair[1]))
                .filter_map(|pair| pair[0].parse::<u64>().ok())
                .sum()
        };
        Self {
            passed: named(&["passed"]),
            failed: named(&["failed", "timed"]),
            skipped: named(&["skipped"]),
        }
    }

    /// Adds up cargo's lines: `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn of_cargo(said: &str) -> Self {
        let mut counts = Self::default();
        for line in said.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            let line = line.split_once(". ").map_or(line, |halves| halves.1);
            for count in line.split(';') {
                match count.trim().split_once(' ') {
                    Some((number, "passed")) => counts.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => counts.failed += number.parse().unwrap_or(0),
                    Some((number, "ignored")) => counts.skipped += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        }
        counts
    }

    /// Reads the last lines of TAP as Node writes it: `# pass 5`, `# fail 0`, `# skipped 1`.
    fn of_tap(said: &str) -> Self {
        let number = |name: &str| {
            let mut lines = said.lines().rev();
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
        };
        Self {
            passed: number("# pass "),
            failed: number("# fail ") + number("# cancelled "),
            skipped: number("# skipped ") + number("# todo "),
        }
    }

    fn shown(self) -> String {
        format!("{:>5} passed {:>3} failed {:>3} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn nextest_summary_is_read() {
        let said = "  PASS x\n     Summary [   0.012s] 3 tests run: 3 passed, 0 skipped\n";
        assert_eq!(Counts::of_nextest(said), counts(3, 0, 0));
        let said =
            "Summary [ 9s] 9/12 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(Counts::of_nextest(said), counts(6, 3, 4));
        assert_eq!(Counts::of_nextest("error: no such test"), counts(0, 0, 0));
    }

    #[test]
    fn cargo_results_are_added_up() {
        let said = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(Counts::of_cargo(said), counts(6, 2, 1));
    }

    #[test]
    fn tap_totals_are_read() {
        let said =
            "ok 1 - page\n# tests 4\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n";
        assert_eq!(Counts::of_tap(said), counts(2, 1, 1));
    }
}
