//! Attention of every token to every token of one text, in 32-bit floats.

use std::array::from_fn;

use super::math::{LANES, exp, sum};

/// Products added in one turn of a loop. At each turn the runtime of a component looks whether to
/// interrupt it, and for that keeps all sums in memory.
const STRIDE: usize = 8;

/// Returns `softmax(Q·Kᵀ)·V` of each head, joined to rows of `width` numbers, from rows that hold
/// a query, a key and a value of `width` numbers. Queries come divided by √d.
pub(super) fn attend(rows: &[f32], heads: usize, width: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = rows.chunks_exact(3 * width).collect();
    let size = width / heads;
    let mut context = vec![0.0; rows.len() * width];
    // Keys lie transposed, so that the scores of neighbouring tokens are neighbouring lanes.
    let places = rows.len().next_multiple_of(LANES);
    let mut keys = vec![0.0; size * places];
    let mut scores = vec![0.0; places];
    for start in (0..width).step_by(size) {
        for (token, row) in rows.iter().enumerate() {
            let key = &row[width + start..][..size];
            key.iter().enumerate().for_each(|(at, it)| keys[at * places + token] = *it);
        }
        for (row, context) in rows.iter().zip(context.chunks_exact_mut(width)) {
            multiply(&row[start..][..size], &keys, &mut scores);
            let total = exponentiate(&mut scores[..rows.len()]);
            let context = &mut context[start..][..size];
            let (strides, rest) = rows.as_chunks::<STRIDE>();
            let (weights, rest_weights) = scores[..rows.len()].as_chunks::<STRIDE>();
            for (rows, weights) in strides.iter().zip(weights) {
                add(context, weights, &rows.map(|row| &row[2 * width + start..][..size]));
            }
            for (row, weight) in rest.iter().zip(rest_weights) {
                add(context, &[*weight], &[&row[2 * width + start..][..size]]);
            }
            context.iter_mut().for_each(|it| *it /= total);
        }
    }
    context
}

/// `scores = query · keys`, where `keys` has a row of as many places as `scores` a number of `query`.
fn multiply<'a>(query: &[f32], keys: &'a [f32], scores: &mut [f32]) {
    let places = scores.len();
    for (block, scores) in scores.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        *scores = [0.0; LANES];
        let (strides, rest) = query.as_chunks::<STRIDE>();
        let (keys, rest_keys) = keys.split_at(strides.len() * STRIDE * places);
        let of = |keys: &'a [f32]| &keys.as_chunks::<LANES>().0[block];
        for (query, keys) in strides.iter().zip(keys.chunks_exact(STRIDE * places)) {
            add(scores, query, &from_fn::<_, STRIDE, _>(|at| &of(&keys[at * places..])[..]));
        }
        for (query, keys) in rest.iter().zip(rest_keys.chunks_exact(places)) {
            add(scores, &[*query], &[of(keys)]);
        }
    }
}

/// Adds each row, times its weight, to `sums`, one after the other.
fn add<const ROWS: usize>(sums: &mut [f32], weights: &[f32; ROWS], rows: &[&[f32]; ROWS]) {
    let (lanes, rest) = sums.as_chunks_mut::<LANES>();
    let whole = lanes.len();
    for (at, sums) in lanes.iter_mut().enumerate() {
        for (row, weight) in rows.iter().zip(weights) {
            let row = &row.as_chunks::<LANES>().0[at];
            sums.iter_mut().zip(row).for_each(|(sum, it)| *sum += weight * it);
        }
    }
    for (row, weight) in rows.iter().zip(weights) {
        let row = &row[whole * LANES..];
        rest.iter_mut().zip(row).for_each(|(sum, it)| *sum += weight * it);
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
