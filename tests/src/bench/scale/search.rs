//! Searches the pack of one size.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use dossier_core::{
    index::Index,
    model::Encoded,
    retrieval::{Query, Retriever, TOP_K},
};
use dossier_tests::encoder;
use serde::{Deserialize, Serialize};

use super::{SEED, corpus::Author, memory};

const QUESTIONS: usize = 50;
/// Times that every question is asked.
const ROUNDS: usize = 10;
/// Candidates of a leg, and how many of the nearest the graph is held to.
const POOL: usize = 50;
const DEPTH: usize = 10;

#[derive(Deserialize, Serialize)]
pub(super) struct Figures {
    /// Milliseconds to open the pack.
    pub(super) open: f64,
    pub(super) bm25: Times,
    pub(super) exact: Times,
    pub(super) graph: Times,
    /// Whether the pack carries the graph, or it was built to be compared.
    pub(super) carries_graph: bool,
    /// Share of the true ten nearest that the graph finds.
    pub(super) recall: f64,
    /// The whole retrieval, without and with the encoder.
    pub(super) given: Times,
    pub(super) encoded: Times,
    /// Memory that the pack takes when it was searched, in MiB.
    pub(super) memory: f64,
}

struct Question {
    text: String,
    encoded: Encoded,
}

/// Milliseconds.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Times {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

pub(super) fn run(folder: &Path) -> Result<Figures> {
    let (author, encoder) = (Author::new(!SEED), encoder()?);
    let questions = (0..QUESTIONS).map(|_| {
        let text = author.question();
        Ok(Question { encoded: encoder.encode_tokens(&text)?, text })
    });
    let questions: Vec<Question> = questions.collect::<Result<_>>()?;
    let before = memory("VmRSS")?;
    let bytes = fs::read(folder.join("scale.pack"))?;
    let start = Instant::now();
    let index = Index::open(bytes)?;
    let open = milliseconds(start.elapsed());
    let dense = index.dense().context("a pack with vectors")?;

    let retriever = Retriever::new(&index, Some(&encoder));
    let given = time(&questions, |question| {
        retriever.search_encoded(&query(&question.text), Some(&question.encoded));
    });
    let bm25 = time(&questions, |question| {
        let terms = index.question_terms(&question.text);
        drop(index.lexical().search(&terms, POOL, None));
    });
    let exact = time(&questions, |question| {
        dense.exact(&question.encoded.pooled, POOL, &|_| true);
    });
    let memory = memory("VmRSS")? - before;

    let carries_graph = index.header().sections.iter().any(|section| section.name == "graph");
    let linked = if carries_graph { dense.clone() } else { dense.clone().with_graph()? };
    let graph = time(&questions, |question| {
        linked.approximate(&question.encoded.pooled, POOL);
    });
    let found = questions.iter().map(|question| {
        let near = linked.approximate(&question.encoded.pooled, DEPTH);
        let truth = linked.exact(&question.encoded.pooled, DEPTH, &|_| true);
        truth.iter().filter(|it| near.contains(it)).count()
    });
    let recall = found.sum::<usize>() as f64 / (questions.len() * DEPTH) as f64;

    let encoded = time(&questions, |question| {
        retriever.search(&query(&question.text));
    });
    Ok(Figures { open, bm25, exact, graph, carries_graph, recall, given, encoded, memory })
}

fn query(text: &str) -> Query<'_> {
    Query { text, top_k: TOP_K, ..Query::default() }
}

fn time(questions: &[Question], run: impl Fn(&Question)) -> Times {
    questions.iter().for_each(&run);
    let mut times: Vec<Duration> = (0..ROUNDS)
        .flat_map(|_| questions)
        .map(|question| {
            let start = Instant::now();
            run(question);
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |share: usize| milliseconds(times[(times.len() - 1) * share / 100]);
    Times { p50: at(50), p99: at(99) }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
