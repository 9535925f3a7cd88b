//! Fusion: two legs' scores to one order.

use std::collections::BTreeMap;

use super::{Explanation, Hit, Leg};
use crate::index::{Match, Near};

/// Weight of the lexical leg in the blend; the dense leg has the rest. Half loses on none of the
/// collections tried, where equal-weight reciprocal rank fusion loses to a single leg on two.
pub const LEXICAL_WEIGHT: f32 = 0.5;

/// Blends both legs' scores and orders by the sum, best first; ties go to the earlier chunk.
///
/// BM25 is divided by its best score, which leaves 0 to chunks without a term. Cosines, which all
/// lie close together, are stretched from the worst candidate (0) to the best (1). `similarity`
/// tells the cosine of a chunk that only BM25 proposed.
///
/// Without a dense leg (`near` is `None`) BM25 has the whole weight.
pub fn fuse(
    matches: &[Match],
    near: Option<&[Near]>,
    similarity: impl Fn(usize) -> f32,
) -> Vec<Hit> {
    let mut candidates: BTreeMap<usize, Explanation> = BTreeMap::new();
    let lexical_weight = if near.is_some() { LEXICAL_WEIGHT } else { 1.0 };
    let best = matches.first().map_or(1.0, |best| best.score);
    for (at, found) in matches.iter().enumerate() {
        candidates.entry(found.ordinal).or_default().bm25 = Some(Leg {
            rank: Some(at + 1),
            score: found.score,
            share: lexical_weight * found.score / best,
        });
    }
    if let Some(near) = near {
        let best = near.first().map_or(1.0, |best| best.similarity);
        let worst = near.last().map_or(0.0, |worst| worst.similarity);
        // A single candidate is the best one.
        let worst = if worst < best { worst } else { best - 1.0 };
        let leg = |rank, similarity: f32| Leg {
            rank,
            score: similarity,
            share: (1.0 - LEXICAL_WEIGHT) * ((similarity - worst) / (best - worst)).clamp(0.0, 1.0),
        };
        for (at, found) in near.iter().enumerate() {
            candidates.entry(found.ordinal).or_default().dense =
                Some(leg(Some(at + 1), found.similarity));
        }
        for (ordinal, explanation) in &mut candidates {
            explanation.dense.get_or_insert_with(|| leg(None, similarity(*ordinal)));
        }
    }
    let share = |leg: Option<Leg>| leg.map_or(0.0, |leg| leg.share);
    let mut hits: Vec<Hit> = candidates
        .into_iter()
        .map(|(ordinal, explanation)| Hit {
            ordinal,
            score: share(explanation.bm25) + share(explanation.dense),
            explanation,
        })
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.ordinal.cmp(&b.ordinal)));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(matches: &[(usize, f32)], near: Option<&[(usize, f32)]>, expected: &[(usize, f32)]) {
        let matches: Vec<Match> =
            matches.iter().map(|&(ordinal, score)| Match { ordinal, score }).collect();
        let near: Option<Vec<Near>> = near.map(|near| {
            near.iter().map(|&(ordinal, similarity)| Near { ordinal, similarity }).collect()
        });
        let hits = fuse(&matches, near.as_deref(), |_| 0.2);
        assert_eq!(hits.len(), expected.len());
        for (hit, (ordinal, score)) in hits.iter().zip(expected) {
            assert_eq!(hit.ordinal, *ordinal);
            assert!((hit.score - score).abs() < 1e-6, "{hit:?}");
        }
    }

    #[test]
    fn blends_normalised_scores() {
        check(&[(1, 8.0), (2, 4.0)], Some(&[(2, 0.8), (3, 0.4)]), &[(2, 0.75), (1, 0.5), (3, 0.0)]);
    }

    #[test]
    fn one_leg_alone_decides() {
        check(&[(1, 8.0), (2, 4.0)], None, &[(1, 1.0), (2, 0.5)]);
        check(&[], Some(&[(4, 0.5)]), &[(4, 0.5)]);
        check(&[], Some(&[]), &[]);
    }

    #[test]
    fn ties_go_to_the_earlier_chunk() {
        check(&[(7, 2.0), (3, 2.0)], None, &[(3, 1.0), (7, 1.0)]);
    }
}
