//! The pack's file format, version 1.
//!
//! ```text
//! 8 bytes  magic "DOSSIER\0"
//! u32      format version          (all numbers little-endian)
//! u32      length of the header
//! u32      CRC-32 of the header
//! …        header: JSON, `wire::PackHeader`, names the sections
//! …        sections, one after the other, each with a CRC-32 in the header
//! ```
//!
//! Sections: `chunks` (postcard), `lexical/<file>` (tantivy's files as they are), `dense`
//! (postcard: the HNSW graph and the order of its points).

use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest as _, Sha256};
use tantivy::directory::OwnedBytes;

use super::{Dense, Index, Lexical};
use crate::{
    text::Chunk,
    wire::{PackChunk, PackHeader, PackModel, PackSection},
};

/// The only format version this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"DOSSIER\0";
const PREAMBLE: usize = MAGIC.len() + 3 * 4;
const LEXICAL: &str = "lexical/";

/// Why a pack cannot be written or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A part of the pack is not what was written.
    #[error("pack is damaged: {part}: {reason}; build it again with `dossier ingest`")]
    Damaged {
        /// Which section.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to index.
    #[error("nothing to index: no chunk")]
    Empty,
    /// Another model encoded its chunks.
    #[error(
        "pack was built with model {pack}, this program has {ours}; build it again with `dossier ingest`"
    )]
    Model {
        /// The pack's model.
        pack: String,
        /// The program's model.
        ours: String,
    },
    /// It does not start as a pack does.
    #[error("not an index pack: expected a file that `dossier ingest` wrote")]
    NotAPack,
    /// It ends too soon.
    #[error("pack is cut short: {got} of {expected} bytes; copy it again")]
    Truncated {
        /// Bytes there should be.
        expected: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Another version of the program wrote it.
    #[error(
        "pack has format version {pack}, this program reads {FORMAT_VERSION}; build it again with `dossier ingest`"
    )]
    Version {
        /// The pack's version.
        pack: u32,
    },
}

impl PackError {
    pub(super) fn damaged(part: &str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { part: part.to_owned(), reason: reason.to_string() }
    }
}

/// Builds a pack of `chunks`; `vectors`, one a chunk, come with the id of the model they are from.
///
/// `built_at` is the time since the Unix epoch.
///
/// # Errors
/// [`PackError::Empty`] without chunks; [`PackError::Damaged`] where an index cannot be written.
pub fn build(
    chunks: &[Chunk],
    vectors: Option<(&str, Vec<Vec<f32>>)>,
    built_at: Duration,
) -> Result<Vec<u8>, PackError> {
    if chunks.is_empty() {
        return Err(PackError::Empty);
    }
    let mut sections: Vec<(String, Vec<u8>)> = Vec::new();
    let records: Vec<PackChunk> = chunks.iter().map(PackChunk::from).collect();
    let records = postcard::to_stdvec(&records).map_err(|e| PackError::damaged("chunks", e))?;
    sections.push(("chunks".to_owned(), records));
    let texts = chunks.iter().map(Chunk::indexed_text);
    for (name, bytes) in Lexical::build(texts).map_err(|e| PackError::damaged("lexical", e))? {
        sections.push((format!("{LEXICAL}{name}"), bytes));
    }
    let mut model = None;
    if let Some((id, vectors)) = vectors {
        let width = vectors.first().map_or(0, Vec::len);
        if vectors.len() != chunks.len() || vectors.iter().any(|vector| vector.len() != width) {
            let got = format!("{} vectors for {} chunks", vectors.len(), chunks.len());
            return Err(PackError::damaged("dense", got));
        }
        model = Some(PackModel { id: id.to_owned(), width });
        sections.push(("dense".to_owned(), Dense::build(vectors).to_bytes()?));
    }

    let mut offset = 0;
    let described = sections
        .iter()
        .map(|(name, bytes)| {
            let start = offset;
            offset += bytes.len();
            PackSection {
                name: name.clone(),
                offset: start,
                bytes: bytes.len(),
                crc32: crc32fast::hash(bytes),
            }
        })
        .collect();
    let mut documents: Vec<&str> = chunks.iter().map(|chunk| chunk.source.as_str()).collect();
    documents.dedup();
    let header = PackHeader {
        built_at: built_at.as_secs(),
        corpus: corpus_hash(chunks),
        documents: documents.len(),
        chunks: chunks.len(),
        model,
        sections: described,
    };
    let header = serde_json::to_vec(&header).map_err(|e| PackError::damaged("header", e))?;
    let mut pack = Vec::with_capacity(PREAMBLE + header.len() + offset);
    pack.extend_from_slice(MAGIC);
    for number in [FORMAT_VERSION, header.len() as u32, crc32fast::hash(&header)] {
        pack.extend_from_slice(&number.to_le_bytes());
    }
    pack.extend_from_slice(&header);
    sections.iter().for_each(|(_, bytes)| pack.extend_from_slice(bytes));
    Ok(pack)
}

/// SHA-256 over ids, texts and metadata: equal exactly where the answers' ground is equal.
fn corpus_hash(chunks: &[Chunk]) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for chunk in chunks {
        [&chunk.id, &chunk.source, &chunk.title, &chunk.text].into_iter().for_each(|it| add(it));
        for (name, values) in &chunk.metadata {
            add(name);
            values.iter().for_each(|value| add(value));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the header alone: what a pack is, without opening it.
///
/// # Errors
/// [`PackError`] as for opening, except for damage within the sections.
pub fn header(bytes: &[u8]) -> Result<(PackHeader, usize), PackError> {
    let number = |at: usize| {
        bytes.get(at..at + 4).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]]))
    };
    if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err(PackError::NotAPack);
    }
    let truncated = |expected| PackError::Truncated { expected, got: bytes.len() };
    let version = number(8).ok_or_else(|| truncated(PREAMBLE))?;
    if version != FORMAT_VERSION {
        return Err(PackError::Version { pack: version });
    }
    let (length, crc) = number(12).zip(number(16)).ok_or_else(|| truncated(PREAMBLE))?;
    let start = PREAMBLE + length as usize;
    let json = bytes.get(PREAMBLE..start).ok_or_else(|| truncated(start))?;
    if crc32fast::hash(json) != crc {
        return Err(PackError::damaged("header", "checksum differs"));
    }
    let header: PackHeader =
        serde_json::from_slice(json).map_err(|error| PackError::damaged("header", error))?;
    Ok((header, start))
}

pub(super) fn open(bytes: OwnedBytes) -> Result<Index, PackError> {
    let (header, start) = header(&bytes)?;
    let expected = start + header.sections.iter().map(|section| section.bytes).sum::<usize>();
    if bytes.len() != expected {
        return Err(PackError::Truncated { expected, got: bytes.len() });
    }
    let mut sections = BTreeMap::new();
    for section in &header.sections {
        let at = start.saturating_add(section.offset);
        let end = at.saturating_add(section.bytes);
        if end > bytes.len() {
            return Err(PackError::damaged(&section.name, "lies outside of the file"));
        }
        let content = bytes.slice(at..end);
        if crc32fast::hash(&content) != section.crc32 {
            return Err(PackError::damaged(&section.name, "checksum differs"));
        }
        sections.insert(section.name.as_str(), content);
    }
    let section = |name: &str| {
        sections.get(name).ok_or_else(|| PackError::damaged(name, "section is missing"))
    };
    let records: Vec<PackChunk> = postcard::from_bytes(section("chunks")?)
        .map_err(|error| PackError::damaged("chunks", error))?;
    let chunks: Vec<Chunk> = records.into_iter().map(Chunk::from).collect();
    let files = sections.iter().filter_map(|(name, content)| {
        Some((name.strip_prefix(LEXICAL)?.to_owned(), content.clone()))
    });
    let lexical = Lexical::open(files).map_err(|error| PackError::damaged("lexical", error))?;
    let dense = match &header.model {
        Some(model) => Some(Dense::open(section("dense")?, chunks.len(), model.width)?),
        None => None,
    };
    if chunks.len() != header.chunks || lexical.len() != header.chunks {
        return Err(PackError::damaged("chunks", "the legs differ in length"));
    }
    Ok(Index { header, chunks, lexical, dense })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Document, chunks};

    fn sample() -> Vec<u8> {
        let text = "---\ntitle: T\n---\n# A\n\nradium and polonium\n\n# B\n\na degree in physics";
        let document = Document::read("a.md", text.as_bytes().to_vec()).unwrap();
        let vectors = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        build(&chunks(&document), Some(("m", vectors)), Duration::from_secs(7)).unwrap()
    }

    #[test]
    fn opens_what_it_built() {
        let index = Index::open(sample()).unwrap();
        assert_eq!(
            (index.header().chunks, index.header().documents, index.header().built_at),
            (2, 1, 7)
        );
        assert_eq!(index.chunks()[1].heading, ["B"]);
        assert_eq!(index.chunks()[1].metadata["title"], ["T"]);
        assert_eq!(
            index.lexical().search(&["radium".to_owned()], 5, &|_| true).unwrap()[0].ordinal,
            0
        );
        assert_eq!(index.dense().unwrap().exact(&[0.1, 0.9], 1, &|_| true)[0].ordinal, 1);
        assert!(index.check_model(Some("m")).is_ok());
        assert!(matches!(index.check_model(Some("n")), Err(PackError::Model { .. })));
    }

    #[test]
    fn refuses_other_files_versions_and_nothing() {
        assert!(matches!(Index::open(b"PK\x03\x04".to_vec()), Err(PackError::NotAPack)));
        let mut pack = sample();
        pack[8] = 9;
        assert!(matches!(Index::open(pack), Err(PackError::Version { pack: 9 })));
        assert!(matches!(build(&[], None, Duration::ZERO), Err(PackError::Empty)));
    }

    #[test]
    fn refuses_every_cut_and_every_flipped_byte() {
        let pack = sample();
        for end in (0..pack.len()).step_by(61).chain([pack.len() - 1]) {
            assert!(Index::open(pack[..end].to_vec()).is_err(), "cut at {end}");
        }
        for at in (0..pack.len()).step_by(37) {
            let mut damaged = pack.clone();
            damaged[at] ^= 0x10;
            assert!(Index::open(damaged).is_err(), "flipped at {at}");
        }
    }
}
