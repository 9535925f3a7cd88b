//! The tables that every kind of report shows, as text in cells.

use dossier_core::retrieval::THRESHOLD;

use crate::eval::{
    ablation::{Ablation, FIGURES, StageSummary},
    bootstrap::Estimate,
    grounding::{Grounding, Point},
    metrics::{self, DEPTHS, MRR, NDCG, RECALL, Scores},
    summary::{Failed, Report, Summary, means},
};

/// A table: words in its first columns, numbers in the others.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) title: String,
    /// Names of the columns.
    pub(crate) header: Vec<String>,
    /// As many cells each as the header.
    pub(crate) rows: Vec<Vec<String>>,
    /// How to read it; may be empty.
    pub(crate) note: String,
    /// How many columns hold words.
    pub(crate) words: usize,
}

/// Metrics in tables of categories and collections, with what they are called there.
const COLUMNS: [(&str, &str); 12] = [
    ("recall@1", "recall@1"),
    ("recall@3", "recall@3"),
    (RECALL, "recall@5"),
    (NDCG, "nDCG@10"),
    (MRR, "MRR"),
    (metrics::CONTENT, "content"),
    (metrics::REFUSALS, "refusals"),
    (metrics::FALSE_REFUSALS, "declined"),
    (metrics::FALSE_ANSWERS, "made up"),
    (metrics::FACTS, "facts"),
    (metrics::CITATIONS, "citations"),
    (metrics::PASSED, "passed"),
];

/// What the columns mean.
pub(crate) const LEGEND: &str = concat!(
    "content: share of the required strings in the five passages; refusals: cases rightly answered ",
    "or declined;\ndeclined: answerable cases that were not answered; made up: unanswerable ones ",
    "that were; facts: share of the\nexpected in an answer without prohibited words; citations: ",
    "share that is right; passed: all of it at once",
);

/// What was measured, and how.
pub(crate) fn headline(report: &Report) -> String {
    let cases: usize = report.collections.iter().map(|summary| summary.cases).sum();
    let model = report.model.as_deref().unwrap_or("no model");
    format!("{cases} cases, split {}, stage {}, {model}", report.split, report.stage)
}

/// A collection's name and size.
pub(crate) fn collection_headline(summary: &Summary) -> String {
    let without = match summary.degraded.as_slice() {
        [] => String::new(),
        legs => format!(", without {}", legs.join(" and ")),
    };
    format!("{}: {} cases{without}", summary.name, summary.cases)
}

/// The cases that did not pass; `None` where all did.
pub(crate) fn failures(summary: &Summary) -> Option<Table> {
    let row = |failed: &Failed| {
        let expected = match failed.refuse {
            Some(true) => "to be declined".to_owned(),
            _ => [failed.expected.join(", "), failed.facts.join(", ")].join("; "),
        };
        let got = match failed.refused {
            Some(true) => "declined".to_owned(),
            _ => failed.found.join(", "),
        };
        let answer = failed.answer.clone().unwrap_or_default();
        let question = format!("{} ({})", failed.query, failed.category);
        vec![failed.id.clone(), question, expected, got, answer]
    };
    let names = ["case", "question", "expected", "got", "answer"];
    (!summary.failures.is_empty()).then(|| Table {
        title: "cases that did not pass".to_owned(),
        header: names.map(str::to_owned).to_vec(),
        rows: summary.failures.iter().map(row).collect(),
        note: String::new(),
        words: names.len(),
    })
}

/// The tables of one collection.
pub(crate) fn of_collection(summary: &Summary) -> Vec<Table> {
    let mut tables = vec![categories(summary)];
    tables.extend(depths(summary));
    tables.extend(stages(summary));
    tables
}

/// The tables over all collections.
pub(crate) fn over_all(report: &Report) -> Vec<Table> {
    let mut tables = Vec::new();
    if report.collections.len() > 1 {
        tables.push(collections(report));
        tables.extend(report.mean_margin.map(|margin| stages_by_collection(report, margin)));
    }
    tables.extend(confidence(report));
    tables
}

fn collections(report: &Report) -> Table {
    let mut rows: Vec<(String, usize, Scores)> = Vec::new();
    for summary in &report.collections {
        rows.push((summary.name.clone(), summary.cases, summary.means()));
    }
    let cases = report.collections.iter().map(|summary| summary.cases).sum();
    rows.push(("mean".to_owned(), cases, report.mean.clone()));
    figures("collections", "collection", &rows)
}

fn categories(summary: &Summary) -> Table {
    let mut rows: Vec<(String, usize, Scores)> = Vec::new();
    if summary.categories.len() > 1 {
        for (name, category) in &summary.categories {
            let cases = category.values().map(|estimate| estimate.cases).max().unwrap_or(0);
            rows.push((name.clone(), cases, means(category)));
        }
    }
    rows.push(("all".to_owned(), summary.cases, summary.means()));
    figures("answers and passages", "category", &rows)
}

/// A table of [`COLUMNS`], without those that no row has.
fn figures(title: &str, first: &str, rows: &[(String, usize, Scores)]) -> Table {
    let columns: Vec<&(&str, &str)> = COLUMNS
        .iter()
        .filter(|(metric, _)| rows.iter().any(|(_, _, scores)| scores.contains_key(*metric)))
        .collect();
    let mut header = vec![first.to_owned(), "cases".to_owned()];
    header.extend(columns.iter().map(|(_, name)| (*name).to_owned()));
    let row = |(name, cases, scores): &(String, usize, Scores)| {
        let mut cells = vec![name.clone(), cases.to_string()];
        cells.extend(columns.iter().map(|(metric, _)| number(scores.get(*metric).copied())));
        cells
    };
    let rows = rows.iter().map(row).collect();
    Table { title: title.to_owned(), header, rows, note: String::new(), words: 1 }
}

fn depths(summary: &Summary) -> Option<Table> {
    summary.all.get(MRR)?;
    let names = ["recall", "precision", "f1", "ndcg"];
    let row = |depth: usize| {
        let cell = |name: &str| interval(summary.all.get(&format!("{name}@{depth}")));
        let mut cells = vec![depth.to_string()];
        cells.extend(names.map(cell));
        cells
    };
    Some(Table {
        title: "passages by depth".to_owned(),
        header: ["depth", "recall", "precision", "F1", "nDCG"].map(str::to_owned).to_vec(),
        rows: DEPTHS.map(row).to_vec(),
        note: "in parentheses 95 % intervals by bootstrap over the cases".to_owned(),
        words: 1,
    })
}

fn stages(summary: &Summary) -> Option<Table> {
    let ablation = summary.ablation.as_ref()?;
    let mut header = vec!["stage".to_owned()];
    for name in ["nDCG@10", "MRR", "recall@5"] {
        header.extend([name.to_owned(), "change".to_owned()]);
    }
    let row = |stage: &StageSummary| {
        let mut cells = vec![stage.name.clone()];
        for name in FIGURES {
            cells.push(number(stage.figures.get(name).map(|it| it.mean)));
            cells.push(change(stage.change.get(name)));
        }
        cells
    };
    Some(Table {
        title: "stages".to_owned(),
        header,
        rows: ablation.stages.iter().map(row).collect(),
        note: format!(
            "change: to the row above, paired by case; as chat searches less {}, the best plain \
             one: {} nDCG@10",
            ablation.best_reference,
            change(Some(&ablation.margin))
        ),
        words: 1,
    })
}

/// How well the confidence tells answerable questions from others.
fn confidence(report: &Report) -> Option<Table> {
    let collections = report.collections.iter();
    let mut rows: Vec<(&str, &Grounding)> = collections
        .filter_map(|summary| Some((summary.name.as_str(), summary.grounding.as_ref()?)))
        .collect();
    if rows.len() > 1 {
        rows.push(("all cases", report.grounding.as_ref()?));
    }
    let row = |(name, it): &(&str, &Grounding)| {
        let mut cells = vec![(*name).to_owned(), it.answerable.to_string()];
        cells.push(it.unanswerable.to_string());
        let Point { precision, recall, .. } = it.at_threshold;
        let figures = [precision, recall, it.average_precision, it.brier, it.calibration_error];
        cells.extend(figures.map(|figure| number(Some(figure))));
        cells
    };
    let names = [
        "confidence",
        "answerable",
        "not",
        "precision",
        "recall",
        "average precision",
        "Brier",
        "calibration error",
    ];
    (!rows.is_empty()).then(|| Table {
        title: "confidence".to_owned(),
        header: names.map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
        note: format!(
            "precision and recall of \"answerable\" from a confidence of {THRESHOLD} on, where chat \
             answers"
        ),
        words: 1,
    })
}

fn stages_by_collection(report: &Report, margin: f64) -> Table {
    let ablations: Vec<_> = report
        .collections
        .iter()
        .filter_map(|summary| Some((&summary.name, summary.ablation.as_ref()?)))
        .collect();
    let mut header = vec!["nDCG@10".to_owned()];
    header.extend(ablations.iter().map(|(name, _)| (*name).clone()));
    header.push("mean".to_owned());
    let mut rows = Vec::new();
    for (at, (stage, mean)) in report.mean_stages.iter().enumerate() {
        let figure =
            |ablation: &Ablation| ablation.stages.get(at)?.figures.get(NDCG).map(|it| it.mean);
        let mut row = vec![stage.clone()];
        row.extend(ablations.iter().map(|(_, ablation)| number(figure(ablation))));
        row.push(number(mean.get(NDCG).copied()));
        rows.push(row);
    }
    let mut margins = vec!["margin".to_owned()];
    margins.extend(ablations.iter().map(|(_, ablation)| signed(ablation.margin.mean)));
    margins.push(signed(margin));
    rows.push(margins);
    Table {
        title: "stages by collection".to_owned(),
        header,
        rows,
        note: "margin: as chat searches less the best plain stage of the collection".to_owned(),
        words: 1,
    }
}

fn absent() -> String {
    "–".to_owned()
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(absent, |value| format!("{value:.3}"))
}

fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

fn interval(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(absent, |it| format!("{:.3} ({:.3}–{:.3})", it.mean, it.low, it.high))
}

fn change(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(absent, |it| format!("{:+.3} ({:+.3}, {:+.3})", it.mean, it.low, it.high))
}
