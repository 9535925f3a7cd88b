//! Floors: what each collection must reach, kept in a file beside the cases; they only rise.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    metrics::{self, MRR, NDCG, RECALL, Scores},
    summary::Report,
};

/// What has floors: whatever can only gain when more is found and rightly answered. Citations are
/// not among it, since they are judged on the cases that were answered, easy ones first.
const METRICS: [&str; 7] =
    [RECALL, NDCG, MRR, metrics::CONTENT, metrics::FACTS, metrics::REFUSALS, metrics::PASSED];

/// A floor is set this far below what was measured, or two cases where they weigh more: any change
/// of the ranking turns a case or two of a small collection, for better or worse.
const MARGIN: f64 = 0.02;
const CASES: f64 = 2.0;

/// The floors of every split and collection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Floors(BTreeMap<String, BTreeMap<String, Collection>>);

/// The floors of one collection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Collection {
    /// Cases that they hold for: other cases make other figures.
    cases: usize,
    /// How far below what was measured they are.
    #[serde(default)]
    margin: f64,
    floors: Scores,
}

impl Floors {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that cannot be read, or is not one of floors.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let json = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&json).with_context(|| file.display().to_string())
    }

    /// Whether there are floors of the split.
    pub(crate) fn has(&self, split: &str) -> bool {
        self.0.contains_key(split)
    }

    /// Floors of the report's split that it misses; those of collections that were not measured
    /// are left out.
    pub(crate) fn missed(&self, report: &Report) -> Vec<String> {
        let mut missed = Vec::new();
        for summary in &report.collections {
            let Some(floors) = self.0.get(&report.split).and_then(|it| it.get(&summary.name))
            else {
                continue;
            };
            let name = &summary.name;
            if floors.cases != summary.cases {
                missed.push(format!(
                    "{name}: {} cases, the floors are of {}: raise them anew",
                    summary.cases, floors.cases
                ));
                continue;
            }
            let measured = summary.means();
            for (metric, floor) in &floors.floors {
                match measured.get(metric) {
                    Some(value) if value >= floor => {}
                    Some(value) => {
                        missed.push(format!(
                            "{name} {metric}: {value:.3} below the floor {floor:.3}"
                        ));
                    }
                    None => missed.push(format!("{name} {metric}: not measured, floor {floor:.3}")),
                }
            }
        }
        missed
    }

    /// Raises the floors of the report's split to just below what was measured, and lowers none,
    /// save where the number of cases or the margin changed. Returns what rose.
    pub(crate) fn raise(&mut self, report: &Report) -> Vec<String> {
        let mut raised = Vec::new();
        let split = self.0.entry(report.split.clone()).or_default();
        for summary in &report.collections {
            let own = split.entry(summary.name.clone()).or_default();
            let margin = margin(summary.cases);
            if (own.cases, own.margin) != (summary.cases, margin) {
                *own = Collection { cases: summary.cases, margin, floors: Scores::new() };
            }
            let measured = summary.means();
            for metric in METRICS {
                let Some(value) = measured.get(metric) else { continue };
                let floor = ((value - margin).max(0.0) * 1e3).floor() / 1e3;
                let old = own.floors.get(metric).copied();
                if old.is_none_or(|old| floor > old) {
                    let old = old.map_or_else(|| "none".to_owned(), |old| format!("{old:.3}"));
                    raised.push(format!("{} {metric}: {old} → {floor:.3}", summary.name));
                    own.floors.insert(metric.to_owned(), floor);
                }
            }
        }
        raised
    }

    /// The file's content.
    ///
    /// # Errors
    /// None in practice: every member can be written as JSON.
    pub(crate) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

/// The margin of a collection of so many cases, in thousandths.
fn margin(cases: usize) -> f64 {
    (MARGIN.max(CASES / cases.max(1) as f64) * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{bootstrap::Estimate, summary::Summary};

    fn report(cases: usize, mrr: f64) -> Report {
        let estimate = Estimate { mean: mrr, low: mrr, high: mrr, cases };
        let all = [(MRR.to_owned(), estimate)].into();
        let summary = Summary { name: "sample".to_owned(), cases, all, ..Summary::default() };
        let collections = vec![summary];
        Report { split: "dev".to_owned(), collections, ..Report::default() }
    }

    #[test]
    fn floors_rise_and_never_fall() {
        let mut floors = Floors::default();
        assert_eq!(floors.raise(&report(200, 0.8)), ["sample mrr: none → 0.780"]);
        assert!(floors.raise(&report(200, 0.7)).is_empty());
        assert_eq!(floors.raise(&report(200, 0.9)), ["sample mrr: 0.780 → 0.880"]);
        assert!(floors.missed(&report(200, 0.88)).is_empty());
        assert_eq!(floors.missed(&report(200, 0.87)), ["sample mrr: 0.870 below the floor 0.880"]);
        let test = Report { split: "test".to_owned(), ..report(200, 0.1) };
        assert!(floors.missed(&test).is_empty());
        assert_eq!(floors.raise(&report(20, 0.8)), ["sample mrr: none → 0.700"]);
    }

    #[test]
    fn other_cases_need_other_floors() {
        let mut floors = Floors::default();
        floors.raise(&report(9, 0.8));
        assert!(floors.missed(&report(8, 0.9))[0].contains("8 cases, the floors are of 9"));
        assert_eq!(floors.raise(&report(8, 0.5)), ["sample mrr: none → 0.250"]);
        let json = floors.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Floors>(&json).unwrap(), floors);
    }
}
