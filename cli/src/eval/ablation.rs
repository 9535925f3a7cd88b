//! The ablation: every stage on the same cases, each beside the one before it.

use serde::{Deserialize, Serialize};

use super::{
    bootstrap::Estimate,
    case::Case,
    measure::Measured,
    metrics::{MRR, NDCG, RECALL, Scores},
    stage::{self, STAGES, Stage},
    summary::{Estimates, estimates},
};

/// What stages are compared by.
pub(crate) const FIGURES: [&str; 3] = [NDCG, MRR, RECALL];

/// Every stage on one collection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Ablation {
    /// In the order of [`STAGES`].
    pub(crate) stages: Vec<StageSummary>,
    /// The plain method with the best nDCG@10.
    pub(crate) best_reference: String,
    /// The default's nDCG@10 less that of the best plain method, paired by case.
    pub(crate) margin: Estimate,
}

/// One stage on one collection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct StageSummary {
    /// Its name.
    pub(crate) name: String,
    /// [`FIGURES`].
    pub(crate) figures: Estimates,
    /// Their differences to the stage before, paired by case; empty for the first.
    pub(crate) change: Estimates,
}

impl Ablation {
    /// Compares the stages; `None` where no case expects passages.
    pub(super) fn of(cases: &[(Case, Measured)]) -> Option<Self> {
        let judged: Vec<&[Scores]> = cases
            .iter()
            .map(|(_, measured)| measured.stages.as_slice())
            .filter(|stages| !stages.is_empty())
            .collect();
        Self::compare(&judged, STAGES, stage::position(stage::DEFAULT)?)
    }

    fn compare(cases: &[&[Scores]], stages: &[Stage], default: usize) -> Option<Self> {
        let mean = |at: usize| cases.iter().map(|case| case[at][NDCG]).sum::<f64>();
        let best = (0..stages.len())
            .filter(|at| stages[*at].is_reference)
            .max_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(b.cmp(a)))?;
        let difference = |one: usize, other: usize, name: &str| -> Option<Estimate> {
            let values = cases.iter().map(|case| case[one][name] - case[other][name]);
            Estimate::of(&values.collect::<Vec<_>>())
        };
        let summary = |(at, stage): (usize, &Stage)| {
            let shown = |case: &&[Scores]| -> Scores {
                FIGURES.iter().map(|name| ((*name).to_owned(), case[at][*name])).collect()
            };
            let shown: Vec<Scores> = cases.iter().map(shown).collect();
            let change =
                |name: &&str| Some(((*name).to_owned(), difference(at, at.checked_sub(1)?, name)?));
            StageSummary {
                name: stage.name.to_owned(),
                figures: estimates(&shown.iter().collect::<Vec<_>>()),
                change: FIGURES.iter().filter_map(change).collect(),
            }
        };
        Some(Self {
            margin: difference(default, best, NDCG)?,
            stages: stages.iter().enumerate().map(summary).collect(),
            best_reference: stages[best].name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &[Stage] = &[
        Stage { name: "a", title: "", is_reference: true, set: |_| {} },
        Stage { name: "b", title: "", is_reference: true, set: |_| {} },
        Stage { name: "c", title: "", is_reference: false, set: |_| {} },
    ];

    fn scores(ndcg: f64) -> Scores {
        [(NDCG, ndcg), (MRR, ndcg / 2.0), (RECALL, 1.0)]
            .map(|(name, it)| (name.to_owned(), it))
            .into()
    }

    #[test]
    fn stages_are_compared_with_the_one_before_and_the_default_with_the_best() {
        let cases = [[0.2, 0.6, 0.5], [0.4, 0.2, 0.7]].map(|case| case.map(scores));
        let cases: Vec<&[Scores]> = cases.iter().map(<[Scores; 3]>::as_slice).collect();
        let ablation = Ablation::compare(&cases, THREE, 2).unwrap();
        assert_eq!(ablation.best_reference, "b");
        // (0.5 - 0.6 + 0.7 - 0.2) / 2
        assert!((ablation.margin.mean - 0.2).abs() < 1e-9);
        assert!((ablation.margin.low + 0.1).abs() < 1e-9, "{:?}", ablation.margin);
        let [first, second, _] = ablation.stages.as_slice() else { panic!("three stages") };
        assert!(first.change.is_empty() && (first.figures[NDCG].mean - 0.3).abs() < 1e-9);
        assert!((second.change[NDCG].mean - 0.1).abs() < 1e-9);
        assert!((second.change[MRR].mean - 0.05).abs() < 1e-9);
        assert_eq!(Ablation::compare(&[], THREE, 2), None);
    }
}
