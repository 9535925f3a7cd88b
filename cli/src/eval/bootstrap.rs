//! Bootstrap intervals (Efron 1979): how far a mean would move with other cases.

use dossier_core::fakes::SeededEntropy;
use serde::{Deserialize, Serialize};

/// Resamples for an interval: its ends then move by about a tenth of its width from seed to seed.
const RESAMPLES: usize = 1_000;
/// Fixed, so that equal results give equal reports.
const SEED: u64 = 0x0d05_51e5;
/// Part of the resampled means that lies below, and above, the interval.
const TAIL: f64 = 0.025;

/// A mean over cases with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Estimate {
    /// The mean.
    pub(crate) mean: f64,
    /// Lower end of the interval.
    pub(crate) low: f64,
    /// Upper end of the interval.
    pub(crate) high: f64,
    /// Cases it is taken over.
    pub(crate) cases: usize,
}

impl Estimate {
    /// Estimates the mean of `values`, one a case; `None` without any. Differences between two
    /// searches are paired by passing the difference of each case.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let random = SeededEntropy::new(SEED);
        let mut means: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let drawn = values.iter().map(|_| values[below(values.len(), random.next())]);
                drawn.sum::<f64>() / values.len() as f64
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let tail = (RESAMPLES as f64 * TAIL) as usize;
        Some(Self {
            mean: rounded(values.iter().sum::<f64>() / values.len() as f64),
            low: rounded(means[tail]),
            high: rounded(means[RESAMPLES - 1 - tail]),
            cases: values.len(),
        })
    }
}

/// A number below `bound`, from 64 random bits.
fn below(bound: usize, bits: u64) -> usize {
    ((u128::from(bits) * bound as u128) >> 64) as usize
}

/// Six decimals: what is left out is below anything that cases can tell.
pub(crate) fn rounded(value: f64) -> f64 {
    // Adding zero makes a negative zero, the sum of nothing, an ordinary one.
    (value * 1e6).round() / 1e6 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_normal_approximation() {
        // 100 cases, half of them right: 0.5 ± 1.96 · √(0.25 / 100).
        let values: Vec<f64> = (0..100).map(|at| f64::from(at % 2)).collect();
        let estimate = Estimate::of(&values).unwrap();
        assert!((estimate.mean - 0.5).abs() < 1e-9 && estimate.cases == 100);
        assert!((estimate.low - 0.402).abs() < 0.02, "{estimate:?}");
        assert!((estimate.high - 0.598).abs() < 0.02, "{estimate:?}");
        assert_eq!(Estimate::of(&values).unwrap(), estimate);
    }

    #[test]
    fn equal_values_have_no_spread_and_no_values_no_mean() {
        let estimate = Estimate::of(&[0.25; 7]).unwrap();
        assert_eq!((estimate.mean, estimate.low, estimate.high), (0.25, 0.25, 0.25));
        assert_eq!(Estimate::of(&[]), None);
        assert!(Estimate::of(&[-0.0]).unwrap().mean.is_sign_positive());
    }
}
