//! A run: a collection's cases measured, side by side on all cores.

use dossier_core::{model::Encoder, retrieval::Retriever};
use rayon::prelude::*;

use super::{
    case::Case,
    collection::Collection,
    measure::{Measured, measure},
};

/// A collection's cases with what happened to each.
pub(crate) struct Run {
    /// The collection's name.
    pub(crate) name: String,
    /// The cases, in the order of the collection.
    pub(crate) cases: Vec<(Case, Measured)>,
}

impl Run {
    /// Measures every case of `collection`; `chosen` is the position of the stage whose passages
    /// are judged.
    ///
    /// # Errors
    /// The case whose question is outside of the limits.
    pub(crate) fn of(
        collection: Collection,
        encoder: Option<&Encoder>,
        chosen: usize,
    ) -> anyhow::Result<Self> {
        let Collection { name, cases, index } = collection;
        let retriever = Retriever::new(&index, encoder);
        let cases = cases
            .into_par_iter()
            .map(|case| {
                let measured = measure(&retriever, &case, chosen)?;
                Ok((case, measured))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { name, cases })
    }
}
