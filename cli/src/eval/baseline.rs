//! A baseline: a report kept as JSON, and what fell or rose since.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};

use super::{
    metrics::{Scores, lower_is_better},
    summary::{Report, VERSION},
};

/// What differs between two reports by more than the tolerance.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Figures that became worse, and those that are no longer measured.
    pub(crate) fell: Vec<String>,
    /// Figures that became better.
    pub(crate) rose: Vec<String>,
    /// Figures compared.
    pub(crate) compared: usize,
}

/// Reads a report written before.
///
/// # Errors
/// A file that cannot be read or is of another version.
pub(crate) fn read(file: &Path) -> Result<Report> {
    let name = || file.display().to_string();
    let json = fs::read_to_string(file).with_context(name)?;
    let version = serde_json::from_str::<serde_json::Value>(&json).with_context(name)?["version"]
        .as_u64()
        .unwrap_or(0);
    if version != u64::from(VERSION) {
        bail!(
            "{}: report of version {version}, expected {VERSION}: write it again with --json",
            file.display()
        );
    }
    serde_json::from_str(&json).with_context(name)
}

/// Compares `now` with `before`, metric by metric, on the collections of `before`.
///
/// # Errors
/// Reports of different splits or stages, or without a common collection, say nothing of each other.
pub(crate) fn compare(before: &Report, now: &Report, tolerance: f64) -> Result<Comparison> {
    let kind = |report: &Report| format!("split {}, stage {}", report.split, report.stage);
    if kind(before) != kind(now) {
        bail!("the baseline is of {}, this run of {}", kind(before), kind(now));
    }
    let (before, now) = (figures(before), figures(now));
    let mut comparison = Comparison::default();
    for (collection, figures) in &before {
        let Some(others) = now.get(collection) else { continue };
        for (metric, old) in figures {
            comparison.compared += 1;
            let name = format!("{collection} {metric}");
            let Some(new) = others.get(metric) else {
                comparison.fell.push(format!("{name}: {old:.3}, no longer measured"));
                continue;
            };
            let gain = if lower_is_better(metric) { old - new } else { new - old };
            let line = format!("{name}: {old:.3} → {new:.3}");
            // Six decimals are kept, so a difference of just the tolerance must not fail.
            if gain < -tolerance - 1e-9 {
                comparison.fell.push(line);
            } else if gain > tolerance + 1e-9 {
                comparison.rose.push(line);
            }
        }
    }
    if comparison.compared == 0 {
        bail!("the baseline has no collection of this run");
    }
    Ok(comparison)
}

fn figures(report: &Report) -> BTreeMap<&str, Scores> {
    let collections = report.collections.iter();
    collections.map(|summary| (summary.name.as_str(), summary.means())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{bootstrap::Estimate, summary::Summary};

    fn report(figures: &[(&str, f64)]) -> Report {
        let estimate = |&(name, mean): &(&str, f64)| {
            (name.to_owned(), Estimate { mean, low: mean, high: mean, cases: 1 })
        };
        let all = figures.iter().map(estimate).collect();
        let summary = Summary { name: "sample".to_owned(), all, ..Summary::default() };
        Report { version: VERSION, collections: vec![summary], ..Report::default() }
    }

    #[test]
    fn what_fell_and_what_rose_is_named() {
        let before = report(&[("mrr", 0.5), ("facts", 0.5), ("brier", 0.2), ("content", 1.0)]);
        let now = report(&[("mrr", 0.49), ("facts", 0.6), ("brier", 0.3)]);
        let comparison = compare(&before, &now, 0.01).unwrap();
        let expected = ["sample brier: 0.200 → 0.300", "sample content: 1.000, no longer measured"];
        assert_eq!(comparison.fell, expected);
        assert_eq!(comparison.rose, ["sample facts: 0.500 → 0.600"]);
        assert_eq!(comparison.compared, 4);
        assert_eq!(compare(&before, &now, 0.001).unwrap().fell.len(), 3);
    }

    #[test]
    fn only_like_is_compared_with_like() {
        let before = report(&[("mrr", 0.5)]);
        let dev = Report { split: "dev".to_owned(), ..before.clone() };
        assert!(compare(&before, &dev, 0.01).is_err());
        let empty = Report { collections: Vec::new(), ..before.clone() };
        assert!(compare(&before, &empty, 0.01).is_err());
    }

    #[test]
    fn a_report_is_read_back_and_another_version_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("baseline.json");
        let report = report(&[("mrr", 0.1 + 0.2)]);
        fs::write(&file, serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(read(&file).unwrap(), report);
        fs::write(&file, "{\"version\": 99}").unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains("version 99, expected 1"), "{error}");
    }
}
