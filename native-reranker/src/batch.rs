//! Which pairs go through the network together.

/// Groups pairs of `lengths` word pieces. Every pair is in one group.
pub(crate) fn plan(lengths: &[usize]) -> Vec<Vec<usize>> {
    (0..lengths.len()).map(|at| vec![at]).collect()
}
