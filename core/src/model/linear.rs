//! A linear layer with weights of signed bytes, computed in integers.
//!
//! Rows of floats become 16-bit integers with a scale a row. Their products with the bytes are
//! summed in 32 bits without overflow, so the order of summation does not matter and every kernel
//! gives the same bits.

use std::ops::Range;

use super::{
    math::{largest, round},
    simd,
};

/// Outputs that a kernel computes from one stretch of the weights.
pub(crate) const PANEL: usize = 16;

/// Most rows that a kernel computes at once: as many as keep their sums in registers.
pub(crate) const TILE: usize = 6;

/// Numbers of a row that a kernel takes at once: a register of 128 bits.
pub(crate) type Step = [i16; 8];

/// The weights that meet a step: eight bytes for each output of a panel.
pub(crate) type Block = [[u8; 8]; PANEL];

/// What depths must be a multiple of: a kernel may take two blocks at once.
pub(super) const DEPTH_UNIT: usize = 16;

/// Multiplies a panel with a tile and writes the sums, an array for each of the tile's rows.
///
/// A tile has `sums.len()` rows, 1 to [`TILE`]: the first step of each, then the second of each.
pub(crate) type Kernel = fn(panel: &[Block], tile: &[Step], sums: &mut [[i32; PANEL]]);

/// The parameters of a linear layer; the weights lie in the model's file.
#[derive(Debug)]
pub(super) struct Linear {
    /// Bytes of the weights, as [`pack`] lays them out.
    pub(super) weights: Range<usize>,
    /// What a byte's unit stands for, an output each.
    pub(super) scales: Vec<f32>,
    /// Added to each output.
    pub(super) bias: Vec<f32>,
    /// Numbers in a row of the input.
    pub(super) depth: usize,
}

impl Linear {
    /// Returns `scales · (weights · row) + bias` for each of the `rows`.
    pub(super) fn apply(&self, file: &[u8], rows: &[f32]) -> Vec<f32> {
        self.apply_with(simd::kernel(), file, rows)
    }

    pub(super) fn apply_with(&self, kernel: Kernel, file: &[u8], rows: &[f32]) -> Vec<f32> {
        let (tiles, row_scales) = tiles(rows, self.depth);
        let weights = file[self.weights.clone()].as_chunks().0.as_chunks::<PANEL>().0;
        let outputs = self.scales.len();
        let mut result = vec![0.0; row_scales.len() * outputs];
        let mut sums = [[0; PANEL]; TILE];
        // Panels outside, tiles inside: weights come from memory once, rows from the cache.
        for (number, panel) in weights.chunks_exact(self.depth / 8).enumerate() {
            let columns = number * PANEL..(number + 1) * PANEL;
            let (scales, bias) = (&self.scales[columns.clone()], &self.bias[columns.clone()]);
            for tile in &tiles {
                let sums = &mut sums[..tile.rows.len()];
                kernel(panel, &tile.steps, sums);
                for (row, sums) in tile.rows.clone().zip(sums) {
                    let result = &mut result[row * outputs..][columns.clone()];
                    for (((result, sum), scale), bias) in
                        result.iter_mut().zip(sums).zip(scales).zip(bias)
                    {
                        *result = *sum as f32 * (scale * row_scales[row]) + bias;
                    }
                }
            }
        }
        result
    }
}

/// Rows that a kernel computes at once.
struct Tile {
    rows: Range<usize>,
    steps: Vec<Step>,
}

/// Rounds each row to integers; returns them in tiles of nearly equal height, with a scale a row.
fn tiles(rows: &[f32], depth: usize) -> (Vec<Tile>, Vec<f32>) {
    // 127 · limit · depth < 2³¹ keeps a sum in its 32 bits; 15 bits at a depth of 384, 13 at 1536.
    let limit = (i32::MAX as usize / (127 * depth)).min(i16::MAX as usize) as f32;
    let largest: Vec<f32> = rows.chunks_exact(depth).map(largest).collect();
    let count = largest.len().div_ceil(TILE);
    let tiles = (0..count).map(|number| {
        let rows_before = |number| largest.len() * number / count;
        let range = rows_before(number)..rows_before(number + 1);
        let mut steps = vec![Step::default(); range.len() * depth / 8];
        for (at, row) in range.clone().enumerate() {
            let factor = if largest[row] > 0.0 { limit / largest[row] } else { 0.0 };
            let numbers = rows[row * depth..][..depth].as_chunks::<8>().0;
            for (step, numbers) in steps[at..].iter_mut().step_by(range.len()).zip(numbers) {
                *step = numbers.map(|it| round(it * factor));
            }
        }
        Tile { rows: range, steps }
    });
    (tiles.collect(), largest.iter().map(|largest| largest / limit).collect())
}

/// Rounds a matrix, `depth` numbers an output, to bytes in the order of [`Block`]s, a panel after
/// the other, with a scale an output.
pub(super) fn pack(matrix: &[f32], depth: usize) -> (Vec<u8>, Vec<f32>) {
    let (bytes, scales) = to_bytes(matrix, depth);
    let mut packed = Vec::with_capacity(bytes.len());
    for panel in bytes.chunks_exact(PANEL * depth) {
        for start in (0..depth).step_by(8) {
            packed.extend(panel.chunks_exact(depth).flat_map(|row| &row[start..start + 8]));
        }
    }
    (packed, scales)
}

/// Rounds rows of `width` numbers to signed bytes with a scale a row.
pub(super) fn to_bytes(rows: &[f32], width: usize) -> (Vec<u8>, Vec<f32>) {
    let rows = rows.chunks_exact(width);
    let scales: Vec<f32> =
        rows.clone().map(|row| largest(row).max(f32::MIN_POSITIVE) / 127.0).collect();
    let bytes = rows.zip(&scales);
    let bytes =
        bytes.flat_map(|(row, scale)| row.iter().map(move |it| (it / scale).round() as i8 as u8));
    (bytes.collect(), scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from -1 to 1 that look random and are the same every time.
    fn noise(seed: u32) -> impl Iterator<Item = f32> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
    }

    fn linear(outputs: usize, depth: usize) -> (Linear, Vec<u8>, Vec<f32>) {
        let matrix: Vec<f32> = noise(7).take(outputs * depth).collect();
        let (packed, scales) = pack(&matrix, depth);
        let bias = noise(8).take(outputs).collect();
        (Linear { weights: 0..packed.len(), scales, bias, depth }, packed, matrix)
    }

    #[test]
    fn near_the_product_of_floats() {
        let (linear, file, matrix) = linear(48, 96);
        let rows: Vec<f32> = noise(1).take(7 * 96).map(|it| it * 30.0).collect();
        let got = linear.apply(&file, &rows);
        for (row, got) in rows.chunks_exact(96).zip(got.chunks_exact(48)) {
            for ((weights, bias), got) in matrix.chunks_exact(96).zip(&linear.bias).zip(got) {
                let want = row.iter().zip(weights).map(|(a, b)| a * b).sum::<f32>() + bias;
                // Half a unit of a byte, 1/254, in each of 96 products of up to 30.
                assert!((got - want).abs() < 96.0 * 30.0 / 254.0 / 4.0, "{got} for {want}");
            }
        }
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        for (outputs, depth) in [(16, 16), (48, 384), (32, 1536)] {
            let (linear, file, _) = linear(outputs, depth);
            for rows in 1..=2 * TILE + 1 {
                let rows: Vec<f32> = noise(rows as u32).take(rows * depth).collect();
                let want = linear.apply_with(simd::portable, &file, &rows);
                for (name, kernel) in simd::kernels() {
                    assert_eq!(linear.apply_with(kernel, &file, &rows), want, "{name}");
                }
            }
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for depth in [16, 384, 1536, 4096] {
            let (packed, scales) = pack(&vec![-1.0; 16 * depth], depth);
            let linear = Linear { weights: 0..packed.len(), scales, bias: vec![0.0; 16], depth };
            for (name, kernel) in simd::kernels() {
                let got = linear.apply_with(kernel, &packed, &vec![5.0; depth]);
                let want = -5.0 * depth as f32;
                assert!(got.iter().all(|it| (it / want - 1.0).abs() < 1e-6), "{name}: {got:?}");
            }
        }
    }

    #[test]
    fn rows_of_zeros_give_the_bias() {
        let (linear, file, _) = linear(16, 32);
        assert_eq!(
            linear.apply(&file, &[0.0; 64]),
            [linear.bias.clone(), linear.bias.clone()].concat()
        );
    }
}
