//! Functions on 32-bit floats, written so that the compiler makes SIMD lanes of them on every
//! target and every target gives the same bits: a fixed order of sums, no fused multiplication and
//! nothing from the platform's own mathematics but the square root, which IEEE 754 defines exactly.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// Sums that run side by side.
pub(super) const LANES: usize = 16;

/// Adding and taking away this number, 1.5 · 2²³, rounds to an integer (to even at a half), which
/// in between stands in the low bits. Good for ±2²².
const ROUND: f32 = 12_582_912.0;

/// BERT's epsilon; published weights do not carry it.
const EPSILON: f32 = 1e-12;

/// Layer normalisation's parameters (Ba, Kiros and Hinton 2016).
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Norm {
    pub(super) fn width(&self) -> usize {
        self.gain.len()
    }

    /// Normalises each row.
    pub(super) fn apply(&self, rows: &mut [f32]) {
        let width = self.width() as f32;
        for row in rows.chunks_exact_mut(self.width()) {
            let mean = sum(row) / width;
            row.iter_mut().for_each(|it| *it -= mean);
            let deviation = (dot(row, row) / width + EPSILON).sqrt();
            for ((it, gain), bias) in row.iter_mut().zip(&self.gain).zip(&self.bias) {
                *it = *it / deviation * gain + bias;
            }
        }
    }

    /// Adds `residual` to `rows`, then normalises each row.
    pub(super) fn add_and_apply(&self, residual: &[f32], rows: &mut [f32]) {
        rows.iter_mut().zip(residual).for_each(|(it, residual)| *it += residual);
        self.apply(rows);
    }
}

/// The mean of `rows`, scaled to length 1.
pub(super) fn mean_direction(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        sum.iter_mut().zip(row).for_each(|(sum, it)| *sum += it);
    }
    // The mean's divisor cancels out in the normalisation.
    let length = dot(&sum, &sum).sqrt().max(f32::MIN_POSITIVE);
    sum.iter().map(|it| it / length).collect()
}

/// Gaussian error linear unit, `x · Φ(x)` (Hendrycks and Gimpel 2016), to 2e-7 · max(1, |x|).
///
/// Φ is by Abramowitz and Stegun's formula 7.1.26 for the error function.
pub(super) fn gelu(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * FRAC_1_SQRT_2 * x.abs());
    let series = 1.061_405_4_f32;
    let series = series * t - 1.453_152;
    let series = series * t + 1.421_413_7;
    let series = series * t - 0.284_496_74;
    let series = series * t + 0.254_829_6;
    let tail = 0.5 * series * t * exp(-0.5 * x * x);
    x * if x < 0.0 { tail } else { 1.0 - tail }
}

/// `eˣ` for `x` ≤ 0, to 2e-7 of its value; below -87, where it leaves the normal numbers, as at -87.
pub(super) fn exp(x: f32) -> f32 {
    // ln 2 in two parts: the first has so few bits that its product with a whole number is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * LN_2_HIGH - whole * LN_2_LOW;
    // Taylor's series; |rest| ≤ ½ ln 2, so the first term left out is below 6e-9.
    let series = 1.0 / 5040.0;
    let series = series * rest + 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = series * rest + 1.0;
    let series = series * rest + 1.0;
    // 2^whole: the shift moves the integer to the exponent and all else out.
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

/// The integer nearest to `x`; |x| ≤ 32767.
pub(super) fn round(x: f32) -> i16 {
    (x + ROUND).to_bits() as i16
}

/// The largest absolute value.
pub(super) fn largest(values: &[f32]) -> f32 {
    // Without the sign, floats are ordered as their bits are.
    let bits = values.iter().map(|it| it.to_bits() & (u32::MAX >> 1)).max();
    f32::from_bits(bits.unwrap_or(0))
}

pub(super) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, it)| *sum += it);
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// erf by its series, in 64 bits; good to 1e-12 for |x| ≤ 4.
    fn erf(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..120 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn exp_is_near_the_true_one() {
        for step in 0..=870_000 {
            let x = -(step as f32) / 10_000.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / want - 1.0).abs() < 2e-7, "{x}: {got} for {want}");
        }
        assert!(exp(-1e30) < 2e-38);
    }

    #[test]
    fn gelu_is_near_the_true_one() {
        for step in -50_000..=50_000 {
            let x = step as f32 / 10_000.0;
            let wide = f64::from(x);
            let want = wide * 0.5 * (1.0 + erf(wide / std::f64::consts::SQRT_2));
            let got = f64::from(gelu(x));
            assert!((got - want).abs() < 2e-7 * wide.abs().max(1.0), "{x}: {got} for {want}");
        }
        assert!(gelu(-40.0).abs() < 1e-30 && gelu(40.0).to_bits() == 40.0_f32.to_bits());
    }

    #[test]
    fn rounds_to_the_nearest() {
        for (x, want) in
            [(0.0, 0), (0.4, 0), (0.6, 1), (-1.6, -2), (32767.0, 32767), (-32767.0, -32767)]
        {
            assert_eq!(round(x), want, "{x}");
        }
    }

    #[test]
    fn norm_has_mean_0_and_deviation_1() {
        let norm = Norm { gain: vec![1.0; 20], bias: vec![0.0; 20] };
        let mut rows: Vec<f32> = (0..40).map(|n| (n * n) as f32).collect();
        norm.apply(&mut rows);
        for row in rows.chunks_exact(20) {
            assert!((sum(row) / 20.0).abs() < 1e-6 && (dot(row, row) / 20.0 - 1.0).abs() < 1e-5);
        }
    }
}
