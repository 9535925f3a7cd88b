//! The index: chunks with both legs, in one file, the pack.
//!
//! [`build`] writes a pack and [`Index::open`] reads it back, the same code natively and in a
//! component. A pack is read where it lies: neither files of the lexical leg nor vectors are copied.

mod chunks;
mod dense;
mod directory;
mod graph;
mod lexical;
mod pack;
mod pieces;
mod record;
mod subject;
#[cfg(test)]
mod tests;
mod vectors;

use std::collections::BTreeSet;

use tantivy::directory::OwnedBytes;

pub(crate) use self::pieces::{Pieces, QuestionPieces};
pub use self::{
    chunks::Chunks,
    dense::{Dense, Near},
    lexical::{Lexical, Match},
    pack::build,
    pieces::{Embedding, keeps_pieces},
    subject::MAX_TOPICS,
};
use crate::{
    pack::PackError,
    text::terms::{content_terms, terms},
    wire::{PackDocument, PackHeader},
};

/// An opened pack, ready to be searched.
#[derive(Debug)]
pub struct Index {
    header: PackHeader,
    chunks: Chunks,
    lexical: Lexical,
    dense: Option<Dense>,
    pieces: Option<Pieces>,
    subject: BTreeSet<String>,
}

impl Index {
    /// Opens a pack from bytes that are embedded in the program.
    ///
    /// # Errors
    /// [`PackError`] when it is damaged or of another format version.
    pub fn open_static(bytes: &'static [u8]) -> Result<Self, PackError> {
        pack::open(OwnedBytes::new(bytes))
    }

    /// Opens a pack from bytes that were read or received.
    ///
    /// # Errors
    /// [`PackError`] when it is damaged or of another format version.
    pub fn open(bytes: Vec<u8>) -> Result<Self, PackError> {
        pack::open(OwnedBytes::new(bytes))
    }

    /// What the pack says of itself.
    pub fn header(&self) -> &PackHeader {
        &self.header
    }

    /// The chunks; their position is their ordinal in both legs.
    pub fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// The documents, in order.
    pub fn documents(&self) -> &[PackDocument] {
        self.chunks.documents()
    }

    /// The lexical leg.
    pub fn lexical(&self) -> &Lexical {
        &self.lexical
    }

    /// The dense leg, absent from a pack that was built without a model.
    pub fn dense(&self) -> Option<&Dense> {
        self.dense.as_ref()
    }

    /// The word pieces' vectors, absent from a pack without a model and from one with too many.
    pub(crate) fn pieces(&self) -> Option<&Pieces> {
        self.pieces.as_ref()
    }

    /// Whether hits are compared with the question piece by piece.
    pub fn has_pieces(&self) -> bool {
        self.pieces.is_some()
    }

    /// What the encoder made of a chunk, as near as the pack keeps it: building with it gives the
    /// same pack.
    pub fn embedding(&self, ordinal: usize) -> Option<Embedding> {
        let vector = self.dense()?.vector(ordinal)?;
        let pieces = self.pieces().map(|pieces| pieces.of(ordinal).to_vec()).unwrap_or_default();
        Some(Embedding { vector, pieces })
    }

    /// Whether a word names the person whose documents these are (front matter `person`).
    pub(crate) fn is_subject(&self, word: &str) -> bool {
        let terms = terms(word);
        !terms.is_empty() && terms.iter().all(|term| self.subject.contains(term))
    }

    /// The terms of `question` that tell passages apart: without stop words, and without the name
    /// of the person whose documents these are (front matter `person`), unless nothing else is left.
    pub fn question_terms(&self, question: &str) -> Vec<String> {
        let terms = content_terms(question);
        let telling: Vec<String> =
            terms.iter().filter(|term| !self.subject.contains(*term)).cloned().collect();
        if telling.is_empty() { terms } else { telling }
    }

    /// Whether questions encoded by the model `id` can be compared with this pack's vectors.
    ///
    /// # Errors
    /// [`PackError::Model`], naming both.
    pub fn check_model(&self, id: Option<&str>) -> Result<(), PackError> {
        match (&self.header.model, id) {
            (Some(built), Some(id)) if built.id != id => {
                Err(PackError::Model { pack: built.id.clone(), ours: id.to_owned() })
            }
            _ => Ok(()),
        }
    }
}
