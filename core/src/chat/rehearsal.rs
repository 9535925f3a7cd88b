//! A question asked by nobody, so that whatever is made at its first use is made.

use std::hint::black_box;

use crate::{
    answer::extract,
    guard::{DocumentPolicy, inspect, prepare, redact, semantic},
    retrieval::{Mode, Query, Retriever},
    understanding::{Rewriter, chit_chat, condense, deny, existence, premise},
    wire::TurnRecord,
};

/// Two of them: the second leans on the first.
const QUESTIONS: [&str; 2] = ["Does she have a degree, and since when?", "And why?"];

/// Goes through the steps of an answer, with no visitor, store or model.
///
/// Tables and expressions that are made at their first use are in memory afterwards: for a component
/// that is initialised when it is built, so that no visitor waits for them.
pub fn rehearse(retriever: &Retriever<'_>) {
    let index = retriever.index();
    let mut turns: Vec<TurnRecord> = Vec::new();
    for question in QUESTIONS {
        black_box(inspect(question, turns.last().map(TurnRecord::alone)));
        black_box(chit_chat(question, &index.header().subject));
        let condensed = condense(question, &turns, index);
        let rewrite = Rewriter::shipped().rewrite(&condensed.search, index);
        let text = rewrite.as_ref().map_or(&condensed.search, |it| &it.text);
        let query = Query { text, top_k: 5, filters: &[], mode: Mode::Hybrid };
        let encoded = retriever.encode(&query);
        black_box(encoded.as_ref().and_then(semantic));
        let retrieval = retriever.search_encoded(&query, encoded.as_ref());
        black_box(existence(question).and_then(|it| deny(&it, index, &retrieval)));
        black_box(premise(question, index, &retrieval));
        let extract = extract(index, &condensed.search, &retrieval);
        for chunk in retrieval.hits.iter().filter_map(|hit| index.chunks().get(hit.ordinal)) {
            black_box(prepare(&chunk.text, DocumentPolicy::default()));
        }
        black_box(redact(question));
        let question = question.to_owned();
        turns.push(TurnRecord { question, answer: extract.text, about: None });
    }
}
