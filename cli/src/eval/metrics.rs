//! Metrics of a ranking, and the names under which every figure is kept.

use std::collections::BTreeMap;

use super::case::Relevant;

/// Depths at which rankings are measured.
pub(crate) const DEPTHS: [usize; 4] = [1, 3, 5, 10];
/// How deep a search must go for them.
pub(crate) const DEPTH: usize = 10;

/// Figures by name, for one case or as means; which names there are depends on the case.
pub(crate) type Scores = BTreeMap<String, f64>;

/// Reciprocal rank of the first relevant passage.
pub(crate) const MRR: &str = "mrr";
/// Discounted gain within the first ten: the figure that rankings are compared by.
pub(crate) const NDCG: &str = "ndcg@10";
/// Share of the expected places found within the five passages that answers are made of.
pub(crate) const RECALL: &str = "recall@5";
/// Share of the required strings in those five passages.
pub(crate) const CONTENT: &str = "content";
/// Share of the expected facts in an answer; 0 where it says what it must not say.
pub(crate) const FACTS: &str = "facts";
/// Share of an answer's citations that are right.
pub(crate) const CITATIONS: &str = "citation_precision";
/// Whether a case was rightly answered or declined.
pub(crate) const REFUSALS: &str = "refusal_accuracy";
/// Whether an answerable case was declined; lower is better.
pub(crate) const FALSE_REFUSALS: &str = "false_refusal_rate";
/// Whether an unanswerable case was answered; lower is better.
pub(crate) const FALSE_ANSWERS: &str = "false_answer_rate";
/// Whether an answer said what it must not say; lower is better.
pub(crate) const PROHIBITED: &str = "prohibited_rate";
/// Whether a case passed as a whole.
pub(crate) const PASSED: &str = "passed";
/// Squared distance of the confidence from the truth; lower is better.
pub(crate) const BRIER: &str = "brier";

/// Whether a smaller value of the metric `name` is the better one.
pub(crate) fn lower_is_better(name: &str) -> bool {
    [FALSE_REFUSALS, FALSE_ANSWERS, PROHIBITED, BRIER].contains(&name)
}

/// A ranking of passages, judged against what a case expects.
#[derive(Debug)]
pub(crate) struct Ranking {
    /// Whether the passage at each rank is relevant.
    relevant: Vec<bool>,
    /// The grade credited at each rank: a place is credited at the first passage that lies in it,
    /// and a passage is credited for one place.
    gains: Vec<f64>,
    /// Rank, from 0, at which each place was found.
    found: Vec<Option<usize>>,
    /// The grades, best first.
    ideal: Vec<f64>,
}

impl Ranking {
    /// Judges the passages `ids`, best first.
    pub(crate) fn judge(ids: &[&str], expected: &[Relevant]) -> Self {
        let mut credited = vec![false; expected.len()];
        let mut gains = Vec::with_capacity(ids.len());
        for id in ids {
            let best = (0..expected.len())
                .filter(|at| !credited[*at] && expected[*at].place.holds(id))
                .max_by(|a, b| weight(&expected[*a]).total_cmp(&weight(&expected[*b])));
            gains.push(best.map_or(0.0, |at| {
                credited[at] = true;
                expected[at].grade
            }));
        }
        let found = expected.iter().map(|it| ids.iter().position(|id| it.place.holds(id)));
        let mut ideal: Vec<f64> = expected.iter().map(|it| it.grade).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        Self {
            relevant: ids.iter().map(|id| expected.iter().any(|it| it.place.holds(id))).collect(),
            gains,
            found: found.collect(),
            ideal,
        }
    }

    /// Every metric at every depth, by name.
    pub(crate) fn scores(&self) -> Scores {
        let mut scores = Scores::from([(MRR.to_owned(), self.reciprocal_rank())]);
        for depth in DEPTHS {
            scores.insert(format!("recall@{depth}"), self.recall(depth));
            scores.insert(format!("precision@{depth}"), self.precision(depth));
            scores.insert(format!("f1@{depth}"), self.f1(depth));
            scores.insert(format!("ndcg@{depth}"), self.ndcg(depth));
        }
        scores
    }

    /// Share of the expected places found within `depth`.
    fn recall(&self, depth: usize) -> f64 {
        let found = self.found.iter().flatten().filter(|rank| **rank < depth).count();
        found as f64 / self.found.len().max(1) as f64
    }

    /// Share of the first `depth` ranks that hold a relevant passage; an empty rank holds none.
    fn precision(&self, depth: usize) -> f64 {
        self.relevant.iter().take(depth).filter(|it| **it).count() as f64 / depth as f64
    }

    /// Harmonic mean of precision and recall.
    fn f1(&self, depth: usize) -> f64 {
        let (precision, recall) = (self.precision(depth), self.recall(depth));
        2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
    }

    /// Discounted gain as a share of the best order's (Järvelin and Kekäläinen 2002): the gain is
    /// the grade itself, as in trec_eval and BEIR.
    fn ndcg(&self, depth: usize) -> f64 {
        let discounted = |gains: &[f64]| -> f64 {
            let ranked = gains.iter().take(depth).enumerate();
            ranked.map(|(rank, gain)| gain / (rank as f64 + 2.0).log2()).sum()
        };
        discounted(&self.gains) / discounted(&self.ideal).max(f64::MIN_POSITIVE)
    }

    /// 1 over the rank, from 1, of the first relevant passage; 0 without one.
    fn reciprocal_rank(&self) -> f64 {
        let first = self.relevant.iter().position(|it| *it);
        first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0))
    }
}

/// What a passage is credited for first: the highest grade, then the innermost place.
fn weight(relevant: &Relevant) -> f64 {
    relevant.grade + relevant.place.id().len() as f64 * 1e-6
}

/// Whether a perfect score was reached, but for rounding.
pub(crate) fn is_whole(share: f64) -> bool {
    share > 1.0 - 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::case::{Place, sections};

    fn near(got: f64, expected: f64) -> bool {
        (got - expected).abs() < 1e-4
    }

    fn documents(graded: &[(&str, f64)]) -> Vec<Relevant> {
        let place = |id: &str| Place::Document(id.to_owned());
        graded.iter().map(|&(id, grade)| Relevant { place: place(id), grade }).collect()
    }

    /// Names and values worked out by hand.
    fn check(ids: &[&str], expected: &[Relevant], values: &[(&str, f64)]) {
        let scores = Ranking::judge(ids, expected).scores();
        for (name, value) in values {
            assert!(near(scores[*name], *value), "{name}: {} for {ids:?}", scores[*name]);
        }
        assert!(scores.values().all(|it| (0.0..=1.0 + 1e-12).contains(it)), "{scores:?}");
    }

    #[test]
    fn graded_documents() {
        // Gains 1, 0, 3 of an ideal 3, 1: (1 + 3/2) / (3 + 1/log2 3) = 2.5 / 3.63093.
        check(
            &["b", "x", "a"],
            &documents(&[("a", 3.0), ("b", 1.0)]),
            &[
                ("mrr", 1.0),
                ("recall@1", 0.5),
                ("recall@3", 1.0),
                ("precision@1", 1.0),
                ("precision@3", 2.0 / 3.0),
                ("precision@10", 0.2),
                ("f1@1", 2.0 / 3.0),
                ("f1@3", 0.8),
                ("ndcg@1", 1.0 / 3.0),
                ("ndcg@10", 0.68853),
            ],
        );
    }

    #[test]
    fn a_section_counts_once() {
        // Two passages of one section: both relevant, one gain.
        let expected = sections(&["cv#work".to_owned(), "cv#school".to_owned()]);
        check(
            &["cv#x:0", "cv#work:0", "cv#work:1"],
            &expected,
            &[
                ("mrr", 0.5),
                ("recall@1", 0.0),
                ("recall@3", 0.5),
                ("precision@3", 2.0 / 3.0),
                // (1/log2 3) / (1 + 1/log2 3)
                ("ndcg@3", 0.38685),
            ],
        );
    }

    #[test]
    fn a_passage_is_credited_for_the_innermost_place() {
        let expected = sections(&["cv#work".to_owned(), "cv#work-paris".to_owned()]);
        check(&["cv#work-paris:0", "cv#work:0"], &expected, &[("ndcg@3", 1.0), ("recall@1", 1.0)]);
    }

    #[test]
    fn nothing_found_and_a_perfect_order() {
        let expected = documents(&[("a", 2.0), ("b", 1.0)]);
        check(&[], &expected, &[("mrr", 0.0), ("recall@10", 0.0), ("ndcg@10", 0.0), ("f1@5", 0.0)]);
        check(&["a", "b"], &expected, &[("mrr", 1.0), ("ndcg@10", 1.0), ("precision@1", 1.0)]);
    }
}
