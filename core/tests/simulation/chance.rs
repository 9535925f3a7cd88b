//! What a seed decides.

use std::rc::Rc;

use dossier_core::fakes::SeededEntropy;

/// The one source of chance of a schedule; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Rc<SeededEntropy>);

impl Chance {
    /// What `seed` decides.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Rc::new(SeededEntropy::new(seed)))
    }

    /// As the pipeline has it.
    pub(crate) fn entropy(&self) -> &SeededEntropy {
        &self.0
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.next() % bound
    }

    /// Whether what happens `share` times of 1 000 happens now.
    pub(crate) fn hits(&self, share: u64) -> bool {
        self.below(1_000) < share
    }

    /// One of these.
    pub(crate) fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}
