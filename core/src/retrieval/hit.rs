//! A passage found, and why it stands where it stands.

use super::Reranked;

/// One leg's opinion of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Rank among the leg's candidates, from 1; `None` where the leg did not propose the chunk.
    pub rank: Option<usize>,
    /// The leg's own score.
    pub score: f32,
    /// What it adds to the fused score.
    pub share: f32,
}

/// Where a fused score comes from: the sum of the legs' shares, less what was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Explanation {
    /// BM25; absent where the chunk has none of the question's terms.
    pub bm25: Option<Leg>,
    /// Cosine similarity; absent without the dense leg.
    pub dense: Option<Leg>,
    /// Late interaction; absent where the pack has no word pieces.
    pub late: Option<Leg>,
    /// What it lost to better passages of its document, 0 to 1: where several things are asked for,
    /// they are looked for in several documents.
    pub crowded: f32,
    /// What a reranker made of it; absent where none was asked.
    pub reranked: Option<Reranked>,
}

impl Explanation {
    /// The legs that have an opinion, by name.
    pub fn legs(&self) -> impl Iterator<Item = (&'static str, Leg)> {
        let legs = [("bm25", self.bm25), ("dense", self.dense), ("late", self.late)];
        legs.into_iter().filter_map(|(name, leg)| Some((name, leg?)))
    }
}

/// A passage found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Position of the chunk in the index.
    pub ordinal: usize,
    /// Fused score, 0 to 1; of its place, once hits were [reordered](super::reorder).
    pub score: f32,
    /// Its parts.
    pub explanation: Explanation,
}
