//! `dossier eval`: retrieval, refusals and answers, measured on a file of cases.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Context as _;
use dossier_core::{
    chat::{self, Question},
    retrieval::{Mode, Query, Retriever},
    wire::{ChatRequest, TurnRecord},
};
use futures::executor::block_on;
use serde::Deserialize;

use crate::{
    env::NativeEnv,
    output::{Failure, Outcome, say},
    pack::Opened,
};

/// Depths at which recall is reported.
const DEPTHS: [usize; 3] = [1, 3, 5];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The cases: see data/eval/README.md
    #[arg(default_value = "data/eval/cases.json", value_name = "FILE")]
    cases: PathBuf,
    /// The pack to measure
    #[arg(long, default_value = "data/index.pack", value_name = "FILE")]
    pack: PathBuf,
    /// Which cases: dev, test or all
    #[arg(long, default_value = "test")]
    split: String,
    /// Which legs: hybrid, bm25 or dense
    #[arg(long, default_value = "hybrid")]
    mode: String,
    /// Print each case that went wrong
    #[arg(long)]
    failures: bool,
    /// Print the features that the refusal decision is fitted on, as CSV, and nothing else
    #[arg(long)]
    evidence: bool,
    /// Folder of the converted model [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

/// One case: see `data/eval/README.md`.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    query: String,
    category: String,
    split: String,
    #[serde(default)]
    history: Vec<String>,
    #[serde(default)]
    expected_chunks: Vec<String>,
    #[serde(default)]
    required_content: Vec<String>,
    #[serde(default)]
    expected_facts: Vec<String>,
    #[serde(default)]
    must_not_contain: Vec<String>,
    #[serde(default)]
    refuse: bool,
}

/// What happened to one case.
struct Result {
    recall: [f32; DEPTHS.len()],
    reciprocal_rank: f32,
    content: f32,
    refused: bool,
    facts: f32,
    answer: String,
    similarity: f32,
    coverage: f32,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let text = fs::read_to_string(&arguments.cases)
        .with_context(|| arguments.cases.display().to_string())
        .map_err(Failure::usage)?;
    let cases: Vec<Case> = serde_json::from_str(&text)
        .with_context(|| arguments.cases.display().to_string())
        .map_err(Failure::usage)?;
    let mode = match arguments.mode.as_str() {
        "hybrid" => Mode::Hybrid,
        "bm25" => Mode::Bm25,
        "dense" => Mode::Dense,
        other => {
            return Err(Failure::usage(anyhow::anyhow!("no mode {other}: hybrid, bm25 or dense")));
        }
    };
    let opened = Opened::open(&arguments.pack, arguments.model.as_deref())?;
    let retriever = opened.retriever();
    let wanted = |case: &&Case| arguments.split == "all" || case.split == arguments.split;
    let mut results = Vec::new();
    for case in cases.iter().filter(wanted) {
        results.push((case, measure(&retriever, case, mode)?));
    }
    if results.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!("no case in the split {}", arguments.split)));
    }
    if arguments.evidence {
        say!("id,similarity,coverage,answerable");
        for (case, result) in &results {
            say!("{},{:.4},{:.4},{}", case.id, result.similarity, result.coverage, !case.refuse);
        }
        return Ok(());
    }
    if arguments.failures {
        for (case, result) in &results {
            let lost = !case.refuse && result.recall[DEPTHS.len() - 1] < 1.0;
            if lost || result.refused != case.refuse || !case.refuse && result.facts < 1.0 {
                say!(
                    "{} {}\n    recall@5 {:.2}, refused {}, facts {:.2}: {}",
                    case.id,
                    case.query,
                    result.recall[DEPTHS.len() - 1],
                    result.refused,
                    result.facts,
                    result.answer
                );
            }
        }
    }
    report(&results);
    Ok(())
}

fn measure(retriever: &Retriever<'_>, case: &Case, mode: Mode) -> anyhow::Result<Result> {
    let env = NativeEnv::default();
    let request = |question: &str| ChatRequest {
        question: question.to_owned(),
        session_id: Some(case.id.clone()),
        ..ChatRequest::default()
    };
    let mut turns = Vec::new();
    for question in &case.history {
        block_on(async {
            chat::answer(&env, retriever, request(question)).await?.record(&env).await;
            anyhow::Ok(())
        })?;
        turns.push(TurnRecord { question: question.clone(), answer: String::new() });
    }
    let question = Question::from_chat(request(&case.query)).with_context(|| case.id.clone())?;
    let text = chat::condense(&question.text, &turns);
    let query = Query { text: &text, top_k: question.top_k, mode, ..Query::default() };
    let retrieval = retriever.search(&query);
    let ids: Vec<&str> = retrieval
        .hits
        .iter()
        .map(|hit| retriever.index().chunks()[hit.ordinal].id.as_str())
        .collect();
    let expected = &case.expected_chunks;
    let found = |depth: usize| {
        let within = |section: &&String| ids.iter().take(depth).any(|id| is_hit(id, section));
        expected.iter().filter(within).count() as f32 / expected.len().max(1) as f32
    };
    let first = ids.iter().position(|id| expected.iter().any(|section| is_hit(id, section)));
    let response = block_on(chat::answer(&env, retriever, request(&case.query)))?.response;
    let passages: Vec<String> = retrieval
        .hits
        .iter()
        .map(|hit| retriever.index().chunks()[hit.ordinal].text.to_lowercase())
        .collect();
    let said = response.answer.to_lowercase();
    let prohibited = case.must_not_contain.iter().any(|it| said.contains(&it.to_lowercase()));
    let fact = |fact: &String| !prohibited && fact.split('|').any(|it| said.contains(it));
    Ok(Result {
        recall: DEPTHS.map(found),
        reciprocal_rank: first.map_or(0.0, |at| 1.0 / (at + 1) as f32),
        content: share(&case.required_content, |content| {
            passages.iter().any(|passage| passage.contains(&content.to_lowercase()))
        }),
        refused: !response.grounded,
        facts: share(&case.expected_facts, fact),
        answer: response.answer,
        similarity: retrieval.evidence.similarity.unwrap_or(0.0),
        coverage: retrieval.evidence.coverage,
    })
}

/// Share of `wanted` that is there; all of nothing is there.
fn share(wanted: &[String], is_there: impl Fn(&String) -> bool) -> f32 {
    match wanted.len() {
        0 => 1.0,
        all => wanted.iter().filter(|it| is_there(it)).count() as f32 / all as f32,
    }
}

/// Whether a chunk lies in the expected section or below it: sections are what cases name, since a
/// chunk's number within its section may change.
fn is_hit(id: &str, section: &str) -> bool {
    let own = id.rsplit_once(':').map_or(id, |(own, _)| own);
    own.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn report(results: &[(&Case, Result)]) {
    let mut categories: BTreeMap<&str, Vec<&(&Case, Result)>> = BTreeMap::new();
    for entry in results {
        categories.entry(entry.0.category.as_str()).or_default().push(entry);
    }
    say!(
        "{:<16} {:>5} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9} {:>7}",
        "category",
        "cases",
        "recall@1",
        "recall@3",
        "recall@5",
        "MRR",
        "content",
        "refusals",
        "facts"
    );
    for (name, entries) in &categories {
        row(name, entries);
    }
    row("all", &results.iter().collect::<Vec<_>>());
    say!(
        "content: of the required strings, in the five passages; refusals: cases rightly answered or \
         refused;\nfacts: of the expected, in an answer without prohibited strings"
    );
}

fn row(name: &str, entries: &[&(&Case, Result)]) {
    let answerable: Vec<_> =
        entries.iter().filter(|(case, _)| !case.expected_chunks.is_empty()).collect();
    let mean = |value: &dyn Fn(&Result) -> f32| match answerable.len() {
        0 => "–".to_owned(),
        count => format!(
            "{:.3}",
            answerable.iter().map(|(_, result)| value(result)).sum::<f32>() / count as f32
        ),
    };
    let right = entries.iter().filter(|(case, result)| case.refuse == result.refused).count();
    say!(
        "{name:<16} {:>5} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9.3} {:>7}",
        entries.len(),
        mean(&|it| it.recall[0]),
        mean(&|it| it.recall[1]),
        mean(&|it| it.recall[2]),
        mean(&|it| it.reciprocal_rank),
        mean(&|it| it.content),
        right as f32 / entries.len() as f32,
        mean(&|it| it.facts),
    );
}

#[cfg(test)]
mod tests {
    use super::is_hit;

    #[test]
    fn a_hit_is_in_the_section_or_below_it() {
        assert!(is_hit("cv#work:0", "cv#work") && is_hit("cv#work-paris:2", "cv#work"));
        assert!(!is_hit("cv#workshop:0", "cv#work") && !is_hit("cv#other:0", "cv#work"));
    }
}
