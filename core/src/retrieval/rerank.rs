//! Reordering: hits in the order that somebody who read question and passages together gave them.

use super::Hit;

/// What a reranker did to a hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reranked {
    /// Rank before, from 1.
    pub before: usize,
    /// Rank after, from 1.
    pub after: usize,
    /// The reranker's score; its scale is the reranker's own.
    pub score: f32,
}

/// Orders `hits`, best first, by `scores`, one a hit and all finite; ties keep their order.
///
/// Scores of rerankers have scales of their own, so the fused scores stay: they are handed out
/// anew, the largest to the new first. Whoever weighs passages by score then follows the new order.
pub fn reorder(hits: &mut Vec<Hit>, scores: &[f32]) {
    let places: Vec<f32> = hits.iter().map(|hit| hit.score).collect();
    let mut order: Vec<(usize, f32)> =
        scores.iter().copied().take(hits.len()).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    *hits = (order.into_iter().zip(places).enumerate())
        .map(|(at, ((before, score), place))| {
            let mut hit = hits[before];
            hit.score = place;
            let (before, after) = (before + 1, at + 1);
            hit.explanation.reranked = Some(Reranked { before, after, score });
            hit
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Explanation;

    fn check(scores: &[f32], expected: &[usize]) {
        let hit = |ordinal| Hit {
            ordinal,
            score: 1.0 - ordinal as f32 / 10.0,
            explanation: Explanation::default(),
        };
        let mut hits: Vec<Hit> = (0..scores.len()).map(hit).collect();
        reorder(&mut hits, scores);
        let ordinals: Vec<usize> = hits.iter().map(|hit| hit.ordinal).collect();
        assert_eq!(ordinals, expected);
        for (at, found) in hits.iter().enumerate() {
            let (before, score) = (found.ordinal + 1, scores[found.ordinal]);
            let done = Reranked { before, after: at + 1, score };
            assert_eq!(found.explanation.reranked, Some(done));
            assert!((found.score - hit(at).score).abs() < 1e-6);
        }
    }

    #[test]
    fn the_score_decides_and_ties_keep_their_order() {
        check(&[], &[]);
        check(&[0.1, 0.9, 0.5], &[1, 2, 0]);
        check(&[0.5, 0.7, 0.5], &[1, 0, 2]);
        check(&[-3.0, -0.0, 0.0], &[2, 1, 0]);
    }
}
