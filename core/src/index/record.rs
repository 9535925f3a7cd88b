//! Chunks to the records of a pack and back.

use crate::{text::Chunk, wire::PackChunk};

impl From<&Chunk> for PackChunk {
    fn from(chunk: &Chunk) -> Self {
        Self {
            id: chunk.id.clone(),
            source: chunk.source.clone(),
            title: chunk.title.clone(),
            heading: chunk.heading.clone(),
            lead: chunk.lead.clone(),
            text: chunk.text.clone(),
            page: chunk.page,
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
            lead: record.lead,
            text: record.text,
            page: record.page,
            metadata: record.metadata,
        }
    }
}
