//! Passages as visitors see them.

use std::collections::BTreeMap;

use crate::{
    answer::refusal,
    index::Index,
    retrieval::{Hit, Retrieval},
    wire::{ChatSource, SearchHit},
};

/// Document titles named in a refusal.
const REFUSAL_TITLES: usize = 3;

/// The chunks at `cited`, numbered from 1.
pub(super) fn sources(index: &Index, retrieval: &Retrieval, cited: &[usize]) -> Vec<ChatSource> {
    let numbered = cited.iter().zip(1..);
    numbered.map(|(ordinal, number)| source(index, retrieval, *ordinal, number)).collect()
}

fn source(index: &Index, retrieval: &Retrieval, ordinal: usize, number: usize) -> ChatSource {
    let chunk = &index.chunks()[ordinal];
    let hit = retrieval.hits.iter().find(|hit| hit.ordinal == ordinal);
    ChatSource {
        id: chunk.id.clone(),
        source: chunk.source.clone(),
        title: chunk.title.clone(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        text: chunk.passage(),
        distance: hit.and_then(|hit| hit.explanation.dense).map(|leg| 1.0 - leg.score),
        citation_index: number,
    }
}

/// Says that the documents do not say, and what the nearest of them are about.
pub(super) fn refuse(index: &Index, hits: &[Hit]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for chunk in hits.iter().filter_map(|hit| index.chunks().get(hit.ordinal)) {
        if !titles.contains(&chunk.title.as_str()) && titles.len() < REFUSAL_TITLES {
            titles.push(&chunk.title);
        }
    }
    refusal(&titles)
}

/// A passage found, with what put it in its place.
pub(super) fn search_hit(index: &Index, hit: &Hit, rank: usize) -> SearchHit {
    let chunk = &index.chunks()[hit.ordinal];
    let mut scores = BTreeMap::new();
    for (name, leg) in hit.explanation.legs() {
        scores.insert(name.to_owned(), leg.score);
        scores.insert(format!("{name}_share"), leg.share);
        leg.rank.map(|rank| scores.insert(format!("{name}_rank"), rank as f32));
    }
    if hit.explanation.crowded > 0.0 {
        scores.insert("crowded".to_owned(), -hit.explanation.crowded);
    }
    if let Some(reranked) = hit.explanation.reranked {
        scores.insert("reranker".to_owned(), reranked.score);
        scores.insert("reranker_before".to_owned(), reranked.before as f32);
    }
    SearchHit {
        rank,
        id: chunk.id.clone(),
        source: chunk.source.clone(),
        heading: chunk.heading.clone(),
        page: chunk.page,
        text: chunk.passage(),
        score: hit.score,
        scores,
    }
}
