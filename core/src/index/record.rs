//! Chunks to the records of a pack and back.

use crate::{text::Chunk, wire::PackChunk};

impl From<&Chunk> for PackChunk {
    fn from(chunk: &Chunk) -> Self {
        Self {
            id: chunk.id.clone(),
            source: chunk.source.clone(),
            title: chunk.title.clone(),
            heading: chunk.heading.clone(),
            text: chunk.text.clone(),
            start: chunk.span.start,
            metadata: chunk.metadata.clone(),
        }
    }
}

impl From<PackChunk> for Chunk {
    fn from(record: PackChunk) -> Self {
        Self {
            id: record.id,
            source: record.source,
            title: record.title,
            heading: record.heading,
            span: record.start..record.start.saturating_add(record.text.len()),
            text: record.text,
            metadata: record.metadata,
        }
    }
}
