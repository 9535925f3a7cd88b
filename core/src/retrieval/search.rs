//! The search: both legs, one filter, one fusion.

use std::collections::BTreeSet;

use super::{
    Evidence, Filter, Hit, Kind, Wording,
    fuse::{Late, Legs},
    spread::spread,
};
use crate::{
    index::Index,
    model::{Encoded, Encoder},
    text::terms::terms,
};

/// Passages returned where the caller does not say.
pub const TOP_K: usize = 5;
/// Most passages a caller may ask for.
pub const MAX_TOP_K: usize = 20;
/// Candidates that each leg proposes.
const POOL: usize = 50;
/// Passages that share this part of their terms (Jaccard) say the same.
const SAME: f32 = 0.85;

/// Which legs take part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// BM25 alone.
    Bm25,
    /// Vectors alone.
    Dense,
    /// Both, fused by their ranks alone.
    Rrf,
    /// Both, fused by their scores.
    Blend,
    /// Both, and late interaction where the pack allows it, fused by their scores.
    #[default]
    Hybrid,
}

/// What to search for.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// The question.
    pub text: &'a str,
    /// Passages wanted; at least 1.
    pub top_k: usize,
    /// Conditions that all must hold.
    pub filters: &'a [Filter],
    /// Legs that take part.
    pub mode: Mode,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Retrieval {
    /// At most `top_k` passages, best first.
    pub hits: Vec<Hit>,
    /// How well they answer the question.
    pub evidence: Evidence,
    /// The question as late interaction sees it.
    pub wording: Option<Wording>,
    /// Legs that should have taken part and could not: `bm25`, `dense`.
    pub degraded: Vec<&'static str>,
}

/// An index and, where there is one, the encoder that fits it.
#[derive(Clone, Copy, Debug)]
pub struct Retriever<'a> {
    index: &'a Index,
    encoder: Option<&'a Encoder>,
}

impl<'a> Retriever<'a> {
    /// Joins an index and an encoder; one of another model than the index is left out
    /// ([`Index::check_model`] tells why), and searches then name `dense` as degraded.
    pub fn new(index: &'a Index, encoder: Option<&'a Encoder>) -> Self {
        let fits = index.check_model(encoder.map(Encoder::id)).is_ok();
        Self { index, encoder: encoder.filter(|_| fits) }
    }

    /// The index searched.
    pub fn index(&self) -> &'a Index {
        self.index
    }

    /// Searches. Never fails: a leg that cannot be used is named in `degraded`.
    pub fn search(&self, query: &Query<'_>) -> Retrieval {
        self.search_encoded(query, self.encode(query).as_ref())
    }

    /// Encodes the question, where there is a use for that and something to do it with.
    pub fn encode(&self, query: &Query<'_>) -> Option<Encoded> {
        let wanted = query.mode != Mode::Bm25 && self.index.dense().is_some();
        self.encoder.filter(|_| wanted)?.encode_tokens(query.text).ok()
    }

    /// Searches with the question already encoded, or without the legs that need it to be.
    pub fn search_encoded(&self, query: &Query<'_>, encoded: Option<&Encoded>) -> Retrieval {
        let allowed = |ordinal: usize| {
            let chunk = &self.index.chunks()[ordinal];
            query.filters.iter().all(|filter| filter.admits(chunk))
        };
        let filter = (!query.filters.is_empty()).then_some(&allowed as &dyn Fn(usize) -> bool);
        let mut degraded = Vec::new();
        let pool = POOL.max(query.top_k);
        let content = self.index.question_terms(query.text);

        let matches = match query.mode {
            Mode::Dense => Vec::new(),
            Mode::Bm25 | Mode::Rrf | Mode::Blend | Mode::Hybrid => {
                self.index.lexical().search(&content, pool, filter).unwrap_or_else(|_| {
                    degraded.push("bm25");
                    Vec::new()
                })
            }
        };
        let vector = encoded.map(|encoded| encoded.pooled.as_slice());
        let dense = self.index.dense().zip(vector).filter(|_| query.mode != Mode::Bm25);
        if dense.is_none() && query.mode != Mode::Bm25 {
            degraded.push("dense");
        }
        let near = dense.map(|(dense, vector)| dense.search(vector, pool, filter));
        let similarity =
            |ordinal| dense.map_or(0.0, |(dense, vector)| dense.similarity(vector, ordinal));
        let wording = encoded.filter(|_| query.mode == Mode::Hybrid);
        let wording = wording.and_then(|it| Wording::of(self.index, query.text, it));
        let compared = self.index.pieces().zip(wording.as_ref());
        let score = |ordinal| compared.map_or(0.0, |(pieces, it)| it.score(pieces, ordinal));
        let legs = Legs {
            matches: &matches,
            near: near.as_deref(),
            similarity: &similarity,
            late: compared.map(|(_, it)| Late { score: &score, pieces: it.pieces() }),
        };
        let mut hits = match query.mode {
            Mode::Rrf => legs.reciprocal_ranks(),
            _ => legs.blend(),
        };
        let evidence = Evidence::of(self.index, &content, &hits, near.as_deref());
        if query.mode == Mode::Hybrid && Kind::of(query.text) == Kind::List {
            spread(&mut hits, |hit| &self.index.chunks()[hit.ordinal].source);
        }
        let hits = distinct(self.index, hits, query.top_k.max(1));
        Retrieval { hits, evidence, wording, degraded }
    }
}

/// The first `limit` of `hits` that do not repeat a better one: an answer has no use for the same
/// passage twice, as in a renewed certificate or a second edition.
fn distinct(index: &Index, hits: Vec<Hit>, limit: usize) -> Vec<Hit> {
    let mut kept: Vec<(Hit, BTreeSet<String>)> = Vec::new();
    for hit in hits {
        if kept.len() == limit {
            break;
        }
        let passage = index.chunks().get(hit.ordinal).map(|chunk| chunk.passage());
        let terms: BTreeSet<String> = terms(&passage.unwrap_or_default()).into_iter().collect();
        let repeats = |other: &BTreeSet<String>| {
            let shared = terms.intersection(other).count();
            shared as f32 >= SAME * (terms.len() + other.len() - shared).max(1) as f32
        };
        if !kept.iter().any(|(_, other)| repeats(other)) {
            kept.push((hit, terms));
        }
    }
    kept.into_iter().map(|(hit, _)| hit).collect()
}
