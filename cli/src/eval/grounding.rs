//! Grounding: whether the confidence tells questions that the documents answer from others.

use dossier_core::retrieval::THRESHOLD;
use serde::{Deserialize, Serialize};

use super::{bootstrap::rounded, case::Case, measure::Measured};

/// Bins of equal width that confidences are sorted into.
const BINS: usize = 10;

/// The confidence of every case that says whether it can be answered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Grounding {
    /// Cases that can be answered.
    pub(crate) answerable: usize,
    /// Cases that cannot.
    pub(crate) unanswerable: usize,
    /// Precision and recall of "answerable" at the threshold that chat uses.
    pub(crate) at_threshold: Point,
    /// The same at each confidence that occurred, highest first.
    pub(crate) curve: Vec<Point>,
    /// Mean precision over the answerable cases, in the order of confidence.
    pub(crate) average_precision: f64,
    /// Mean squared distance of the confidence from the truth, 0 to 1; lower is better.
    pub(crate) brier: f64,
    /// Mean distance between confidence and truth over the bins, weighted by their cases.
    pub(crate) calibration_error: f64,
    /// Bins that hold a case, by confidence.
    pub(crate) bins: Vec<Bin>,
}

/// Precision and recall where everything from a threshold on is answered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Point {
    /// The least confidence that is answered.
    pub(crate) threshold: f64,
    /// Share of the answered cases that can be answered; 1 where none is answered.
    pub(crate) precision: f64,
    /// Share of the answerable cases that are answered.
    pub(crate) recall: f64,
}

/// Cases of nearly equal confidence.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Bin {
    /// Cases in it.
    pub(crate) cases: usize,
    /// Their mean confidence.
    pub(crate) confidence: f64,
    /// The share of them that can be answered.
    pub(crate) answerable: f64,
}

impl Grounding {
    /// Weighs the confidences of `cases`; `None` where none says whether it can be answered.
    pub(super) fn of<'a>(cases: impl IntoIterator<Item = &'a (Case, Measured)>) -> Option<Self> {
        let labelled = cases.into_iter().filter_map(|(case, measured)| {
            let confidence = measured.response.as_ref()?.confidence?;
            Some((f64::from(confidence), !case.refuse?))
        });
        Self::weigh(labelled.collect())
    }

    /// Weighs pairs of a confidence and whether the case can be answered.
    pub(super) fn weigh(mut cases: Vec<(f64, bool)>) -> Option<Self> {
        if cases.is_empty() {
            return None;
        }
        cases.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let answerable = cases.iter().filter(|(_, answerable)| *answerable).count();
        let point = |threshold: f64| {
            let answered = cases.iter().take_while(|(confidence, _)| *confidence >= threshold);
            let right = answered.clone().filter(|(_, answerable)| *answerable).count() as f64;
            let answered = answered.count();
            Point {
                threshold: rounded(threshold),
                precision: if answered == 0 { 1.0 } else { rounded(right / answered as f64) },
                recall: rounded(right / answerable.max(1) as f64),
            }
        };
        let mut thresholds: Vec<f64> = cases.iter().map(|(confidence, _)| *confidence).collect();
        thresholds.dedup_by(|a, b| a.total_cmp(b).is_eq());
        let curve: Vec<Point> = thresholds.into_iter().map(point).collect();
        let mut reached = 0.0;
        let mut average_precision = 0.0;
        for point in &curve {
            average_precision += point.precision * (point.recall - reached);
            reached = point.recall;
        }
        let squared =
            |(confidence, answerable): &(f64, bool)| (confidence - truth(*answerable)).powi(2);
        let bins = bins(&cases);
        let apart = |bin: &Bin| bin.cases as f64 * (bin.confidence - bin.answerable).abs();
        let count = cases.len() as f64;
        Some(Self {
            answerable,
            unanswerable: cases.len() - answerable,
            at_threshold: point(f64::from(THRESHOLD)),
            average_precision: rounded(average_precision),
            brier: rounded(cases.iter().map(squared).sum::<f64>() / count),
            calibration_error: rounded(bins.iter().map(apart).sum::<f64>() / count),
            curve,
            bins,
        })
    }
}

fn bins(cases: &[(f64, bool)]) -> Vec<Bin> {
    let number = |confidence: f64| ((confidence * BINS as f64) as usize).min(BINS - 1);
    let bin = |at: usize| {
        let own: Vec<&(f64, bool)> =
            cases.iter().filter(|(confidence, _)| number(*confidence) == at).collect();
        let mean = |value: &dyn Fn(&(f64, bool)) -> f64| {
            rounded(own.iter().map(|case| value(case)).sum::<f64>() / own.len() as f64)
        };
        (!own.is_empty()).then(|| Bin {
            cases: own.len(),
            confidence: mean(&|case| case.0),
            answerable: mean(&|case| truth(case.1)),
        })
    };
    (0..BINS).filter_map(bin).collect()
}

fn truth(answerable: bool) -> f64 {
    f64::from(u8::from(answerable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_and_calibration() {
        let cases = vec![(0.95, true), (0.35, false), (0.75, false), (0.65, true), (0.3, true)];
        let grounding = Grounding::weigh(cases).unwrap();
        let third = 1.0 / 3.0;
        let expected = [
            (0.95, 1.0, third),
            (0.75, 0.5, third),
            (0.65, 2.0 * third, 2.0 * third),
            (0.35, 0.5, 2.0 * third),
            (0.3, 0.6, 1.0),
        ];
        assert_eq!(grounding.curve.len(), expected.len());
        for (point, (threshold, precision, recall)) in grounding.curve.iter().zip(expected) {
            assert!((point.threshold - threshold).abs() < 1e-6, "{point:?}");
            assert!((point.precision - precision).abs() < 1e-6, "{point:?}");
            assert!((point.recall - recall).abs() < 1e-6, "{point:?}");
        }
        // One third each of 1, 2/3 and 0.6.
        assert!((grounding.average_precision - 0.755_556).abs() < 1e-5, "{grounding:?}");
        let point = grounding.at_threshold;
        assert!((point.precision - 2.0 * third).abs() < 1e-6, "{point:?}");
        // 0.05² + 0.35² + 0.75² + 0.35² + 0.7², by 5.
        assert!((grounding.brier - 0.26).abs() < 1e-6, "{grounding:?}");
        let low = grounding.bins[0];
        assert!(low.cases == 2 && (low.confidence - 0.325).abs() < 1e-6, "{low:?}");
        assert!((low.answerable - 0.5).abs() < 1e-6, "{low:?}");
        // (2 · 0.175 + 0.35 + 0.75 + 0.05) / 5
        assert!((grounding.calibration_error - 0.3).abs() < 1e-6, "{grounding:?}");
        assert_eq!((grounding.answerable, grounding.unanswerable), (3, 2));
    }

    #[test]
    fn nothing_answered_is_precise_and_no_case_gives_nothing() {
        let point = Grounding::weigh(vec![(0.2, true)]).unwrap().at_threshold;
        assert!((point.precision - 1.0).abs() < 1e-9 && point.recall.abs() < 1e-9);
        assert_eq!(Grounding::weigh(Vec::new()), None);
    }
}
