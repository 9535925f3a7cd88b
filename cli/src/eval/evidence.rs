//! The features of the refusal decision, as CSV: what its weights are fitted on.

use std::fmt::Write as _;

use dossier_core::retrieval::Evidence;

use super::run::Run;

/// The features by name; a new one is a line here.
fn features(evidence: &Evidence) -> Vec<(&'static str, f32)> {
    vec![
        ("similarity", evidence.similarity.unwrap_or(0.0)),
        ("coverage", evidence.coverage),
        ("late", evidence.late.unwrap_or(0.0)),
    ]
}

/// A line a case that says whether it can be answered: id, features, label, collection.
pub(crate) fn csv(runs: &[Run]) -> String {
    let names = features(&Evidence::default()).into_iter().map(|(name, _)| name);
    let names: Vec<&str> = names.collect();
    let mut csv = format!("id,{},answerable,collection\n", names.join(","));
    for (run, (case, measured)) in
        runs.iter().flat_map(|run| run.cases.iter().map(move |case| (run, case)))
    {
        let Some(refuse) = case.refuse else { continue };
        let values = features(&measured.evidence).into_iter();
        let values: Vec<String> = values.map(|(_, value)| format!("{value:.4}")).collect();
        let _ = writeln!(csv, "{},{},{},{}", case.id, values.join(","), !refuse, run.name);
    }
    csv
}
