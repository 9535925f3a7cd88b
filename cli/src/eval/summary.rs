//! A summary of runs: the figures that every kind of report shows, and that are kept as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    ablation::Ablation,
    bootstrap::{Estimate, rounded},
    case::Case,
    grounding::Grounding,
    measure::Measured,
    metrics::{self, Scores},
    run::Run,
    stage::{STAGES, Stage},
};

/// Version of the JSON; another one is refused as a baseline.
pub(crate) const VERSION: u32 = 1;

/// Means by the metric's name.
pub(crate) type Estimates = BTreeMap<String, Estimate>;

/// Everything that was measured.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Report {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// The cases measured: `dev`, `test` or `all`.
    pub(crate) split: String,
    /// The stage whose passages were judged.
    pub(crate) stage: String,
    /// The encoder; absent where the lexical leg searched alone.
    pub(crate) model: Option<String>,
    /// One summary a collection.
    pub(crate) collections: Vec<Summary>,
    /// Means over the collections, each counting once, by metric.
    pub(crate) mean: Scores,
    /// The same of the ablation's figures, by stage and metric.
    pub(crate) mean_stages: Vec<(String, Scores)>,
    /// Mean of [`Ablation::margin`] over the collections; absent without judged passages.
    pub(crate) mean_margin: Option<f64>,
    /// The confidence over the cases of all collections; absent where none tells right from wrong.
    pub(crate) grounding: Option<Grounding>,
}

/// What was measured on one collection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The collection's name.
    pub(crate) name: String,
    /// Cases measured.
    pub(crate) cases: usize,
    /// What the search had to do without.
    pub(crate) degraded: Vec<String>,
    /// Figures over all cases.
    pub(crate) all: Estimates,
    /// Figures by category.
    pub(crate) categories: BTreeMap<String, Estimates>,
    /// The stages compared; absent where no case expects passages.
    pub(crate) ablation: Option<Ablation>,
    /// The confidence; absent where no case says whether it can be answered.
    pub(crate) grounding: Option<Grounding>,
    /// Cases that did not pass.
    pub(crate) failures: Vec<Failed>,
}

/// A case that did not pass.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Failed {
    /// Its name.
    pub(crate) id: String,
    /// Its category.
    pub(crate) category: String,
    /// The question.
    pub(crate) query: String,
    /// Sections that should have been found.
    pub(crate) expected: Vec<String>,
    /// What the answer should have said.
    pub(crate) facts: Vec<String>,
    /// The passages that were found.
    pub(crate) found: Vec<String>,
    /// Whether to decline, where the case says.
    pub(crate) refuse: Option<bool>,
    /// Whether the answer was declined.
    pub(crate) refused: Option<bool>,
    /// The answer.
    pub(crate) answer: Option<String>,
    /// The case's own figures.
    pub(crate) scores: Scores,
}

impl Report {
    /// Sums runs up.
    pub(crate) fn of(runs: &[Run], split: &str, stage: &Stage, model: Option<&str>) -> Self {
        let collections: Vec<Summary> = runs.iter().map(Summary::of).collect();
        let all = collections.iter().map(Summary::means);
        let ablations: Vec<&Ablation> =
            collections.iter().filter_map(|summary| summary.ablation.as_ref()).collect();
        let of_stage = |at: usize| {
            let figures = ablations.iter().map(|ablation| means(&ablation.stages[at].figures));
            (STAGES[at].name.to_owned(), mean(figures))
        };
        let margins: f64 = ablations.iter().map(|ablation| ablation.margin.mean).sum();
        Self {
            version: VERSION,
            split: split.to_owned(),
            stage: stage.name.to_owned(),
            model: model.map(str::to_owned),
            mean: mean(all),
            mean_stages: (0..STAGES.len()).map(of_stage).collect(),
            mean_margin: (!ablations.is_empty()).then(|| rounded(margins / ablations.len() as f64)),
            grounding: Grounding::of(runs.iter().flat_map(|run| &run.cases)),
            collections,
        }
    }
}

impl Summary {
    /// The figures over all cases, without their intervals.
    pub(crate) fn means(&self) -> Scores {
        means(&self.all)
    }

    fn of(run: &Run) -> Self {
        let mut categories: BTreeMap<&str, Vec<&Scores>> = BTreeMap::new();
        for (case, measured) in &run.cases {
            categories.entry(case.category.as_str()).or_default().push(&measured.scores);
        }
        let all: Vec<&Scores> = run.cases.iter().map(|(_, measured)| &measured.scores).collect();
        let degraded: BTreeSet<&str> =
            run.cases.iter().flat_map(|(_, measured)| measured.degraded.iter().copied()).collect();
        let failures = run.cases.iter().filter(|(_, measured)| {
            measured.scores.get(metrics::PASSED).is_some_and(|passed| !metrics::is_whole(*passed))
        });
        Self {
            name: run.name.clone(),
            cases: run.cases.len(),
            degraded: degraded.into_iter().map(str::to_owned).collect(),
            all: estimates(&all),
            categories: categories
                .into_iter()
                .map(|(name, scores)| (name.to_owned(), estimates(&scores)))
                .collect(),
            ablation: Ablation::of(&run.cases),
            grounding: Grounding::of(&run.cases),
            failures: failures.map(|(case, measured)| Failed::of(case, measured)).collect(),
        }
    }
}

impl Failed {
    fn of(case: &Case, measured: &Measured) -> Self {
        let places = case.relevant.iter().map(|relevant| relevant.place.id().to_owned());
        let scores = measured.scores.iter().map(|(name, score)| (name.clone(), rounded(*score)));
        Self {
            id: case.id.clone(),
            category: case.category.clone(),
            query: case.query.clone(),
            expected: places.collect(),
            facts: case.expected_facts.clone(),
            found: measured.found.clone(),
            refuse: case.refuse,
            refused: measured.refused(),
            answer: measured.response.as_ref().map(|response| response.answer.clone()),
            scores: scores.collect(),
        }
    }
}

/// The mean of each metric over the cases that give it.
pub(super) fn estimates(cases: &[&Scores]) -> Estimates {
    let names: BTreeSet<&String> = cases.iter().flat_map(|scores| scores.keys()).collect();
    let estimate = |name: &String| {
        let values: Vec<f64> = cases.iter().filter_map(|it| it.get(name)).copied().collect();
        Some((name.clone(), Estimate::of(&values)?))
    };
    names.into_iter().filter_map(estimate).collect()
}

/// Means without their intervals.
pub(crate) fn means(estimates: &Estimates) -> Scores {
    estimates.iter().map(|(name, estimate)| (name.clone(), estimate.mean)).collect()
}

/// The mean of each metric over the collections that give it.
fn mean(collections: impl Iterator<Item = Scores>) -> Scores {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in collections.flatten() {
        values.entry(name).or_default().push(value);
    }
    let mean = |values: &[f64]| rounded(values.iter().sum::<f64>() / values.len() as f64);
    values.into_iter().map(|(name, values)| (name, mean(&values))).collect()
}
