//! The chunks of a pack: checked when it is opened, copied out when one is looked at.
//!
//! The section `chunks` is the end of each record (`u32`, little-endian, counted from the first
//! record), then the records (postcard). A search looks at some fifty of them, and so a fresh
//! instance does not pay for all.

use std::{ops, sync::OnceLock};

use tantivy::directory::OwnedBytes;

use super::record;
use crate::{
    pack::PackError,
    text::Chunk,
    wire::{PackChunk, PackDocument},
};

const SECTION: &str = "chunks";

/// The chunks by their ordinal.
pub struct Chunks {
    ends: OwnedBytes,
    records: OwnedBytes,
    documents: Vec<PackDocument>,
    /// What was looked at so far; `None` is a record that cannot be read.
    seen: Vec<OnceLock<Option<Box<Chunk>>>>,
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks").field("len", &self.len()).finish()
    }
}

impl Chunks {
    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Returns the chunk with this ordinal.
    pub fn get(&self, ordinal: usize) -> Option<&Chunk> {
        self.seen.get(ordinal)?.get_or_init(|| self.read(ordinal).map(Box::new)).as_deref()
    }

    /// All chunks, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Chunk> + Clone {
        (0..self.len()).filter_map(|ordinal| self.get(ordinal))
    }

    /// The documents, in order.
    pub(super) fn documents(&self) -> &[PackDocument] {
        &self.documents
    }

    /// Writes the sections of the documents and of their chunks.
    pub(super) fn write(chunks: &[Chunk]) -> Result<(Vec<u8>, Vec<u8>), PackError> {
        let damaged = |error: &dyn std::fmt::Display| PackError::damaged(SECTION, error);
        let (documents, positions) = record::documents(chunks);
        let documents = postcard::to_stdvec(&documents).map_err(|error| damaged(&error))?;
        let (mut ends, mut records) = (Vec::with_capacity(chunks.len() * 4), Vec::new());
        for (chunk, document) in chunks.iter().zip(positions) {
            let record = record::record(chunk, document);
            records = postcard::to_extend(&record, records).map_err(|error| damaged(&error))?;
            let end = u32::try_from(records.len()).map_err(|error| damaged(&error))?;
            ends.extend_from_slice(&end.to_le_bytes());
        }
        ends.append(&mut records);
        Ok((documents, ends))
    }

    /// Opens both sections of a pack of `count` chunks, and reads every record once.
    pub(super) fn open(
        documents: &[u8],
        chunks: &OwnedBytes,
        count: usize,
    ) -> Result<Self, PackError> {
        let documents = postcard::from_bytes(documents)
            .map_err(|error| PackError::damaged("documents", error))?;
        let at = count.checked_mul(4).filter(|at| *at <= chunks.len());
        let at = at.ok_or_else(|| PackError::damaged(SECTION, "shorter than its count"))?;
        let (ends, records) = chunks.clone().split(at);
        let seen = (0..count).map(|_| OnceLock::new()).collect();
        let chunks = Self { ends, records, documents, seen };
        let whole = (0..count).all(|ordinal| {
            chunks.record(ordinal).is_some_and(|it| it.document < chunks.documents.len())
        });
        whole.then_some(chunks).ok_or_else(|| PackError::damaged(SECTION, "a record is not whole"))
    }

    fn read(&self, ordinal: usize) -> Option<Chunk> {
        let record = self.record(ordinal)?;
        Some(record::chunk(&record, self.documents.get(record.document)?))
    }

    fn record(&self, ordinal: usize) -> Option<PackChunk<'_>> {
        let end = |ordinal: usize| {
            let (ends, _) = self.ends.as_chunks();
            ends.get(ordinal).map(|end| u32::from_le_bytes(*end) as usize)
        };
        let start = ordinal.checked_sub(1).map_or(Some(0), end)?;
        postcard::from_bytes(self.records.get(start..end(ordinal)?)?).ok()
    }
}

impl ops::Index<usize> for Chunks {
    type Output = Chunk;

    /// # Panics
    /// As a slice does: where there is no chunk with this ordinal.
    fn index(&self, ordinal: usize) -> &Chunk {
        #[expect(clippy::expect_used, reason = "records were read once when the pack was opened")]
        self.get(ordinal).expect("an ordinal of this index")
    }
}
