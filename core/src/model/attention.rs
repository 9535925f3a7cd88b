//! Attention of every token to every token of one text, in 32-bit floats.

use std::array::from_fn;

use super::math::{LANES, exp, sum};

/// Rows added in one turn of a loop. At each turn the runtime of a component looks whether to
/// interrupt it, and for that keeps all sums in memory.
const STRIDE: usize = 8;

/// Queries answered at once: a key or value that is loaded serves them all, and their sums stay in
/// registers.
const QUERIES: usize = 2;

/// Neighbouring numbers of a row.
type Block = [f32; LANES];

/// Returns `softmax(Q·Kᵀ)·V` of each head, joined to rows of `width` numbers, from rows that hold
/// a query, a key and a value of `width` numbers. Queries come divided by √d.
pub(super) fn attend(rows: &[f32], heads: usize, width: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = rows.chunks_exact(3 * width).collect();
    let size = width / heads;
    let mut context = vec![0.0; rows.len() * width];
    let mut head = Head::new(rows.len(), size);
    for start in (0..width).step_by(size) {
        head.read(rows.iter().map(|row| (&row[width + start..], &row[2 * width + start..])));
        let query = |token: usize| &rows[token][start..][..size];
        let mut contexts = context.chunks_exact_mut(width).map(|row| &mut row[start..][..size]);
        let whole = rows.len() - rows.len() % QUERIES;
        for token in (0..whole).step_by(QUERIES) {
            head.answer::<QUERIES>(from_fn(|at| query(token + at)), &mut contexts);
        }
        for token in whole..rows.len() {
            head.answer([query(token)], &mut contexts);
        }
    }
    context
}

/// What one head attends to.
struct Head {
    tokens: usize,
    size: usize,
    /// Transposed, a row a number, so that the scores of neighbouring tokens are neighbours.
    keys: Vec<Block>,
    /// A row a token.
    values: Vec<Block>,
}

impl Head {
    fn new(tokens: usize, size: usize) -> Self {
        let matrix = |rows, width: usize| vec![[0.0; LANES]; rows * width.div_ceil(LANES)];
        Self { tokens, size, keys: matrix(size, tokens), values: matrix(tokens, size) }
    }

    /// Takes over the keys and values that the slices of each token begin with.
    fn read<'a>(&mut self, tokens: impl Iterator<Item = (&'a [f32], &'a [f32])>) {
        let [places, wide] = [self.tokens, self.size].map(|it| it.next_multiple_of(LANES));
        let (keys, values) = (self.keys.as_flattened_mut(), self.values.as_flattened_mut());
        for (token, (key, value)) in tokens.enumerate() {
            let column = keys[token..].iter_mut().step_by(places);
            column.zip(key).for_each(|(place, it)| *place = *it);
            values[token * wide..][..self.size].copy_from_slice(&value[..self.size]);
        }
    }

    /// Writes the values, weighted by the softmax of their keys' products with each query, to the
    /// next of `contexts`.
    fn answer<'a, const QUERIES: usize>(
        &self,
        queries: [&[f32]; QUERIES],
        contexts: &mut impl Iterator<Item = &'a mut [f32]>,
    ) {
        let mut scores = multiply(queries, &self.keys);
        let totals = from_fn::<_, QUERIES, _>(|at| {
            exponentiate(&mut scores[at].as_flattened_mut()[..self.tokens])
        });
        let weights = from_fn(|at| &scores[at].as_flattened()[..self.tokens]);
        let sums: [_; QUERIES] = multiply(weights, &self.values);
        for ((sums, total), context) in sums.iter().zip(totals).zip(contexts) {
            context.iter_mut().zip(sums.as_flattened()).for_each(|(it, sum)| *it = sum / total);
        }
    }
}

/// The sum of the rows of a matrix, one a weight, each times its weight, for each set of weights.
fn multiply<const SETS: usize>(weights: [&[f32]; SETS], matrix: &[Block]) -> [Vec<Block>; SETS] {
    let rows = weights[0].len();
    let blocks = matrix.len() / rows.max(1);
    let mut sums: [Vec<Block>; SETS] = from_fn(|_| Vec::with_capacity(blocks));
    for block in 0..blocks {
        let row = |at: usize| &matrix[at * blocks + block];
        let mut own = [[0.0; LANES]; SETS];
        let parts = weights.map(|weights| weights.as_chunks::<STRIDE>());
        for stride in 0..rows / STRIDE {
            let weights = parts.map(|(strides, _)| strides[stride]);
            add(&mut own, &weights, from_fn(|at| row(stride * STRIDE + at)));
        }
        for at in 0..rows % STRIDE {
            let weights = parts.map(|(_, rest)| [rest[at]]);
            add(&mut own, &weights, [row(rows - rows % STRIDE + at)]);
        }
        sums.iter_mut().zip(own).for_each(|(sums, own)| sums.push(own));
    }
    sums
}

/// Adds each row, times its weight, to the sums of each set, one after the other.
#[inline(always)]
fn add<const SETS: usize, const ROWS: usize>(
    sums: &mut [Block; SETS],
    weights: &[[f32; ROWS]; SETS],
    rows: [&Block; ROWS],
) {
    for (at, row) in rows.into_iter().enumerate() {
        for (sums, weights) in sums.iter_mut().zip(weights) {
            sums.iter_mut().zip(row).for_each(|(sum, it)| *sum += weights[at] * it);
        }
    }
}

/// Raises e to each score, less the largest, and returns the sum.
fn exponentiate(scores: &mut [f32]) -> f32 {
    let largest = scores.iter().fold(f32::MIN, |most, &it| if it > most { it } else { most });
    scores.iter_mut().for_each(|it| *it = exp(*it - largest));
    sum(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_head_by_hand() {
        // Two tokens, one number a head: scores 1·1, 1·0 and 0·1, 0·0; values 10 and 20.
        let rows = [1.0, 1.0, 10.0, 0.0, 0.0, 20.0];
        let e = std::f32::consts::E;
        let first = (10.0 * e + 20.0) / (e + 1.0);
        let got = attend(&rows, 1, 1);
        assert!((got[0] - first).abs() < 1e-5 && (got[1] - 15.0).abs() < 1e-5, "{got:?}");
    }

    #[test]
    fn heads_do_not_mix() {
        // Two heads of one number; the second head's values are the first's, negated.
        let rows: Vec<f32> = (0..40)
            .flat_map(|token| {
                let it = (token as f32).sin();
                [it, it, it * 2.0, it * 2.0, it, -it]
            })
            .collect();
        let got = attend(&rows, 2, 2);
        assert_eq!(got.len(), 80);
        assert!(got.chunks_exact(2).all(|row| row[0].to_bits() == (-row[1]).to_bits()));
    }
}
