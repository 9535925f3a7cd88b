//! Conditions on a chunk's metadata; they hold for both legs.

use crate::text::Chunk;

/// A chunk passes where the metadata `key` has `value` among its values, in any case.
///
/// `source` and `doc_id` are taken from the chunk itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter {
    /// Name of the metadata.
    pub key: String,
    /// Value it must have.
    pub value: String,
}

impl Filter {
    /// Whether `chunk` passes.
    pub fn admits(&self, chunk: &Chunk) -> bool {
        let same = |value: &str| value.to_lowercase() == self.value.to_lowercase();
        match self.key.as_str() {
            "source" => same(&chunk.source),
            "doc_id" => chunk.id.split('#').next().is_some_and(same),
            key => chunk.metadata.get(key).is_some_and(|values| values.iter().any(|it| same(it))),
        }
    }
}
