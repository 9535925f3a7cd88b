//! Fusion: the legs' scores to one order.

use std::collections::BTreeMap;

use super::{Explanation, Hit, Leg};
use crate::index::{Match, Near};

/// What each leg adds to the best hit's score; a leg that is not there leaves its part to the rest.
///
/// Chosen on the development splits of six collections and on Cranfield
/// (docs/decisions/0019-ranking.md): neighbours of these weights rank as well.
const BM25: f32 = 0.17;
const DENSE: f32 = 0.22;
const LATE: f32 = 0.61;
/// Word pieces of a question from which on late interaction adds less, in inverse proportion: the
/// mean over many differs little between passages, and is stretched all the same.
const FEW_PIECES: f32 = 7.0;

/// The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009).
const RRF: f32 = 60.0;

/// What the legs say of the candidates.
pub(super) struct Legs<'a> {
    /// BM25's candidates, best first.
    pub(super) matches: &'a [Match],
    /// The dense leg's candidates, nearest first; `None` without the leg.
    pub(super) near: Option<&'a [Near]>,
    /// The cosine of a chunk that only BM25 proposed.
    pub(super) similarity: &'a dyn Fn(usize) -> f32,
    /// Late interaction; `None` without the leg.
    pub(super) late: Option<Late<'a>>,
}

/// What late interaction says.
pub(super) struct Late<'a> {
    /// The score of a candidate.
    pub(super) score: &'a dyn Fn(usize) -> f32,
    /// How many word pieces of the question it is the mean of, by their weights.
    pub(super) pieces: f32,
}

impl Legs<'_> {
    /// Blends the scores and orders by their sum, best first; ties go to the earlier chunk.
    ///
    /// BM25 is divided by its best score, which leaves 0 to chunks without a term. Cosines and the
    /// scores of late interaction, which all lie close together, are stretched from the worst
    /// candidate (0) to the best (1).
    pub(super) fn blend(&self) -> Vec<Hit> {
        let dense = if self.near.is_some() { DENSE } else { 0.0 };
        let late = |it: &Late<'_>| LATE * (FEW_PIECES / it.pieces).min(1.0);
        let late = self.late.as_ref().map_or(0.0, late);
        let all = BM25 + dense + late;

        let mut candidates: BTreeMap<usize, Explanation> = BTreeMap::new();
        let best = self.matches.first().map_or(1.0, |best| best.score);
        for (at, found) in self.matches.iter().enumerate() {
            let share = BM25 / all * found.score / best;
            candidates.entry(found.ordinal).or_default().bm25 =
                Some(Leg { rank: Some(at + 1), score: found.score, share });
        }
        if let Some(near) = self.near {
            let scale = Scale::of(near.iter().map(|near| near.similarity));
            let leg = |rank, score| Leg { rank, score, share: dense / all * scale.place(score) };
            for (at, found) in near.iter().enumerate() {
                candidates.entry(found.ordinal).or_default().dense =
                    Some(leg(Some(at + 1), found.similarity));
            }
            for (ordinal, explanation) in &mut candidates {
                explanation.dense.get_or_insert_with(|| leg(None, (self.similarity)(*ordinal)));
            }
        }
        if let Some(Late { score, .. }) = self.late {
            let mut scores: Vec<(f32, usize)> =
                candidates.keys().map(|ordinal| (score(*ordinal), *ordinal)).collect();
            let scale = Scale::of(scores.iter().map(|(score, _)| *score));
            scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (at, (score, ordinal)) in scores.into_iter().enumerate() {
                let share = late / all * scale.place(score);
                candidates.entry(ordinal).or_default().late =
                    Some(Leg { rank: Some(at + 1), score, share });
            }
        }
        ordered(candidates)
    }

    /// Equal-weight reciprocal rank fusion of BM25 and the dense leg: what the blend is measured
    /// against.
    pub(super) fn reciprocal_ranks(&self) -> Vec<Hit> {
        let mut candidates: BTreeMap<usize, Explanation> = BTreeMap::new();
        let leg = |at: usize, score| Leg {
            rank: Some(at + 1),
            score,
            share: 1.0 / (RRF + at as f32 + 1.0),
        };
        for (at, found) in self.matches.iter().enumerate() {
            candidates.entry(found.ordinal).or_default().bm25 = Some(leg(at, found.score));
        }
        for (at, found) in self.near.into_iter().flatten().enumerate() {
            candidates.entry(found.ordinal).or_default().dense = Some(leg(at, found.similarity));
        }
        ordered(candidates)
    }
}

/// The span of a leg's scores.
struct Scale {
    worst: f32,
    best: f32,
}

impl Scale {
    fn of(scores: impl Iterator<Item = f32>) -> Self {
        let (worst, best) =
            scores.fold((f32::MAX, f32::MIN), |(worst, best), it| (worst.min(it), best.max(it)));
        // A single candidate is the best one.
        Self { worst: if worst < best { worst } else { best - 1.0 }, best }
    }

    /// Where `score` lies, from 0 (the worst) to 1 (the best).
    fn place(&self, score: f32) -> f32 {
        ((score - self.worst) / (self.best - self.worst)).clamp(0.0, 1.0)
    }
}

fn ordered(candidates: BTreeMap<usize, Explanation>) -> Vec<Hit> {
    let hit = |(ordinal, explanation): (usize, Explanation)| {
        let score = explanation.legs().map(|(_, leg)| leg.share).sum();
        Hit { ordinal, score, explanation }
    };
    let mut hits: Vec<Hit> = candidates.into_iter().map(hit).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.ordinal.cmp(&b.ordinal)));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        matches: &[(usize, f32)],
        near: Option<&[(usize, f32)]>,
        late: Option<Late<'_>>,
        expected: &[(usize, f32)],
    ) {
        let matches: Vec<Match> =
            matches.iter().map(|&(ordinal, score)| Match { ordinal, score }).collect();
        let near: Option<Vec<Near>> = near.map(|near| {
            near.iter().map(|&(ordinal, similarity)| Near { ordinal, similarity }).collect()
        });
        let legs = Legs { matches: &matches, near: near.as_deref(), similarity: &|_| 0.2, late };
        let hits = legs.blend();
        assert_eq!(hits.len(), expected.len());
        for (hit, (ordinal, score)) in hits.iter().zip(expected) {
            assert_eq!(hit.ordinal, *ordinal);
            assert!((hit.score - score).abs() < 1e-6, "{hit:?}");
        }
    }

    #[test]
    fn blends_normalised_scores() {
        let near: &[(usize, f32)] = &[(2, 0.8), (3, 0.4)];
        check(
            &[(1, 8.0), (2, 4.0)],
            Some(near),
            None,
            &[(2, 0.305 / 0.39), (1, 0.17 / 0.39), (3, 0.0)],
        );
        let score = |ordinal: usize| [0.0, 0.1, 0.25, 0.3][ordinal];
        for (pieces, second, third, first) in [
            (2.0, 0.7625, 0.61, 0.17),
            // Twice as many as count fully: half the weight.
            (14.0, 0.53375 / 0.695, 0.305 / 0.695, 0.17 / 0.695),
        ] {
            let late = Some(Late { score: &score, pieces });
            let expected = [(2, second), (3, third), (1, first)];
            check(&[(1, 8.0), (2, 4.0)], Some(near), late, &expected);
        }
    }

    #[test]
    fn one_leg_alone_decides() {
        check(&[(1, 8.0), (2, 4.0)], None, None, &[(1, 1.0), (2, 0.5)]);
        check(&[], Some(&[(4, 0.5)]), None, &[(4, 0.22 / 0.39)]);
        check(&[], Some(&[]), Some(Late { score: &|_| 0.0, pieces: 1.0 }), &[]);
    }

    #[test]
    fn ties_go_to_the_earlier_chunk() {
        check(&[(7, 2.0), (3, 2.0)], None, None, &[(3, 1.0), (7, 1.0)]);
    }

    #[test]
    fn reciprocal_ranks_count_places_alone() {
        let matches = [Match { ordinal: 1, score: 9.0 }, Match { ordinal: 2, score: 1.0 }];
        let near = [Near { ordinal: 2, similarity: 0.1 }];
        let legs = Legs { matches: &matches, near: Some(&near), similarity: &|_| 0.0, late: None };
        let hits = legs.reciprocal_ranks();
        assert_eq!((hits[0].ordinal, hits[1].ordinal), (2, 1));
        assert!((hits[0].score - (1.0 / 61.0 + 1.0 / 62.0)).abs() < 1e-6);
    }
}
