//! Spreading: who asks for several things wants them from more than one document.

use std::collections::BTreeMap;

use super::Hit;

/// Passages of one document that lose nothing, and what each further one loses more than the one
/// before it. Chosen on the questions of the development splits that ask for lists
/// (docs/decisions/0019-ranking.md).
const FREE: usize = 2;
const LOSS: f32 = 0.1;

/// Takes from each of `hits`, best first, what it loses to better ones of its document, which
/// `document` tells, and orders anew; ties keep their order.
pub(super) fn spread<'a>(hits: &mut [Hit], document: impl Fn(&Hit) -> &'a str) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for hit in hits.iter_mut() {
        let better = seen.entry(document(hit)).or_default();
        let loss = (LOSS * (*better + 1).saturating_sub(FREE) as f32).min(hit.score);
        *better += 1;
        hit.score -= loss;
        hit.explanation.crowded = loss;
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Explanation;

    /// Each hit is its document and its score in hundredths.
    fn check(before: &[(&str, u8)], after: &[(&str, u8)]) {
        let hit = |(ordinal, (_, score)): (usize, &(&str, u8))| Hit {
            ordinal,
            score: f32::from(*score) / 100.0,
            explanation: Explanation::default(),
        };
        let mut hits: Vec<Hit> = before.iter().enumerate().map(hit).collect();
        spread(&mut hits, |hit| before[hit.ordinal].0);
        let got: Vec<(&str, u8)> = hits
            .iter()
            .map(|hit| (before[hit.ordinal].0, (hit.score * 100.0).round() as u8))
            .collect();
        assert_eq!(got, after);
        for hit in hits {
            let whole = hit.score + hit.explanation.crowded;
            assert!((whole - f32::from(before[hit.ordinal].1) / 100.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_third_passage_of_a_document_loses_and_the_fourth_more() {
        check(&[("cv", 90), ("cv", 80), ("faq", 10)], &[("cv", 90), ("cv", 80), ("faq", 10)]);
        check(
            &[("cv", 90), ("cv", 80), ("cv", 70), ("cv", 60), ("faq", 65)],
            &[("cv", 90), ("cv", 80), ("faq", 65), ("cv", 60), ("cv", 40)],
        );
        check(
            &[("cv", 9), ("cv", 8), ("cv", 7), ("faq", 0)],
            &[("cv", 9), ("cv", 8), ("cv", 0), ("faq", 0)],
        );
    }
}
