//! Evidence: how likely it is that the passages found answer the question.

use std::collections::BTreeSet;

use super::Hit;
use crate::{
    index::{Index, Near},
    text::terms,
};

/// Passages looked at for coverage.
const PASSAGES: usize = 5;

/// Passages are quoted as the answer from this confidence on.
pub const THRESHOLD: f32 = 0.5;
/// A language model is given the passages from this confidence on: it tells whether they say what is
/// asked or only touch it, which scores cannot, and declines by itself.
const WORTH_READING: f32 = 0.33;

/// Logistic regressions, fitted on the development splits of the sample and of the collections in
/// `data/eval`, where an answer made up costs as much as two and a half declined
/// (`dossier eval --split dev --evidence` prints features and labels; docs/decisions/0019-ranking.md).
const LATE: f32 = 7.9;
const BIAS: f32 = -4.0;
/// For a pack without word pieces.
const SIMILARITY_ALONE: f32 = 10.0;
const COVERAGE_BESIDE_SIMILARITY: f32 = 4.9;
const BIAS_WITHOUT_LATE: f32 = -7.55;
/// For a pack or program without the dense leg.
const COVERAGE_ALONE: f32 = 6.5;
const BIAS_OF_COVERAGE_ALONE: f32 = -2.98;

/// What speaks for an answer being there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Cosine similarity of the nearest passage; absent without the dense leg.
    pub similarity: Option<f32>,
    /// Largest share of the question's terms, weighted by rarity, that one passage has; 0 to 1.
    pub coverage: f32,
    /// Best score in late interaction; absent where the pack has no word pieces.
    pub late: Option<f32>,
}

impl Evidence {
    /// Weighs the fused `hits` and the dense leg's candidates for the content terms of a question.
    pub fn of(
        index: &Index,
        content_terms: &[String],
        hits: &[Hit],
        near: Option<&[Near]>,
    ) -> Self {
        let weights: Vec<f32> =
            content_terms.iter().map(|term| index.lexical().rarity(term)).collect();
        let total: f32 = weights.iter().sum();
        let coverage = hits
            .iter()
            .take(PASSAGES)
            .filter_map(|hit| index.chunks().get(hit.ordinal))
            .map(|chunk| {
                let has: BTreeSet<String> =
                    terms::terms(&chunk.lexical_text()).into_iter().collect();
                let found =
                    content_terms.iter().zip(&weights).filter(|(term, _)| has.contains(*term));
                found.map(|(_, weight)| weight).sum::<f32>() / total.max(f32::EPSILON)
            })
            .fold(0.0, f32::max);
        let similarity = near.map(|near| near.first().map_or(0.0, |nearest| nearest.similarity));
        let late = hits.iter().filter_map(|hit| Some(hit.explanation.late?.score));
        Self { similarity, coverage, late: late.reduce(f32::max) }
    }

    /// Probability, 0 to 1, that the passages answer the question.
    pub fn confidence(&self) -> f32 {
        let logit = match (self.late, self.similarity) {
            (Some(late), _) => LATE * late + BIAS,
            (None, Some(similarity)) => {
                SIMILARITY_ALONE * similarity
                    + COVERAGE_BESIDE_SIMILARITY * self.coverage
                    + BIAS_WITHOUT_LATE
            }
            (None, None) => COVERAGE_ALONE * self.coverage + BIAS_OF_COVERAGE_ALONE,
        };
        1.0 / (1.0 + (-logit).exp())
    }

    /// Whether to quote the passages as an answer.
    pub fn suffices(&self) -> bool {
        self.confidence() >= THRESHOLD
    }

    /// Whether a language model may find the answer in the passages.
    pub fn is_worth_reading(&self) -> bool {
        self.confidence() >= WORTH_READING
    }
}
