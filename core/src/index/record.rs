//! Chunks to the records of a pack and back.

use crate::{
    text::Chunk,
    wire::{PackChunk, PackDocument},
};

/// The documents of `chunks` in order, and for each chunk the position of its own.
pub(super) fn documents(chunks: &[Chunk]) -> (Vec<PackDocument>, Vec<usize>) {
    let mut documents: Vec<PackDocument> = Vec::new();
    let mut positions = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let is_last = documents.last().is_some_and(|last| {
            last.source == chunk.source
                && last.title == chunk.title
                && last.summary == chunk.summary
                && last.metadata == chunk.metadata
        });
        if !is_last {
            documents.push(PackDocument {
                source: chunk.source.clone(),
                title: chunk.title.clone(),
                summary: chunk.summary.clone(),
                metadata: chunk.metadata.clone(),
            });
        }
        positions.push(documents.len() - 1);
    }
    (documents, positions)
}

/// The record of `chunk`, whose document is the one at `document`.
pub(super) fn record(chunk: &Chunk, document: usize) -> PackChunk<'_> {
    PackChunk {
        id: &chunk.id,
        document,
        heading: chunk.heading.iter().map(String::as_str).collect(),
        lead: &chunk.lead,
        text: &chunk.text,
        page: chunk.page,
        start: chunk.span.start,
    }
}

/// The chunk of `record`, which belongs to `document`.
pub(super) fn chunk(record: &PackChunk<'_>, document: &PackDocument) -> Chunk {
    Chunk {
        id: record.id.to_owned(),
        source: document.source.clone(),
        title: document.title.clone(),
        summary: document.summary.clone(),
        heading: record.heading.iter().map(|&heading| heading.to_owned()).collect(),
        span: record.start..record.start.saturating_add(record.text.len()),
        lead: record.lead.to_owned(),
        text: record.text.to_owned(),
        page: record.page,
        metadata: document.metadata.clone(),
    }
}
