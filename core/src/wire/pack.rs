//! Records of the index pack and of its publication.

use serde::{Deserialize, Serialize};

use crate::text::{Chunk, Metadata};

/// What a pack says of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackHeader {
    /// Seconds since the Unix epoch.
    pub built_at: u64,
    /// SHA-256 over everything that answers are made of, in hexadecimal.
    pub corpus: String,
    /// Number of documents.
    pub documents: usize,
    /// Number of chunks.
    pub chunks: usize,
    /// The model that encoded the chunks; absent from a pack with the lexical leg alone.
    pub model: Option<PackModel>,
    /// The sections, in file order.
    pub sections: Vec<PackSection>,
}

/// The model of a pack.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackModel {
    /// Its id in the manifest, precision included.
    pub id: String,
    /// Length of its vectors.
    pub width: usize,
}

/// One section of a pack.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackSection {
    /// Its name.
    pub name: String,
    /// Where it starts, in bytes after the header.
    pub offset: usize,
    /// Its length in bytes.
    pub bytes: usize,
    /// CRC-32 (IEEE) of its bytes.
    pub crc32: u32,
}

/// A chunk as it lies in a pack.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PackChunk {
    id: String,
    source: String,
    title: String,
    heading: Vec<String>,
    text: String,
    start: usize,
    metadata: Metadata,
}

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

/// The published pack: which version is current and what is in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackPointer {
    /// Names the parts; differs between any two packs.
    pub version: String,
    /// Number of parts.
    pub parts: usize,
    /// Length of the whole, in bytes.
    pub bytes: usize,
    /// Number of documents.
    pub documents: usize,
    /// Number of chunks.
    pub chunks: usize,
    /// The model's id, absent for the lexical leg alone.
    pub model: Option<String>,
}
