//! The pack's file format, version 2.
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
//! Sections: `documents` (postcard), `chunks` (`index/chunks.rs`), `lexical/<file>` (tantivy's files
//! as they are), `vectors` (`index/vectors.rs`), in a large pack
//! `graph` (`index/graph.rs`), in one that is not too large `pieces` and `piece-counts`
//! (`index/pieces.rs`).

use crate::wire::PackHeader;

/// The only format version this build reads and writes.
pub const FORMAT_VERSION: u32 = 2;

const MAGIC: &[u8; 8] = b"DOSSIER\0";
const PREAMBLE: usize = MAGIC.len() + 3 * 4;

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
    pub(crate) fn damaged(part: &str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { part: part.to_owned(), reason: reason.to_string() }
    }
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
    let start = PREAMBLE.saturating_add(length as usize);
    let json = bytes.get(PREAMBLE..start).ok_or_else(|| truncated(start))?;
    if crc32fast::hash(json) != crc {
        return Err(PackError::damaged("header", "checksum differs"));
    }
    let header: PackHeader =
        serde_json::from_slice(json).map_err(|error| PackError::damaged("header", error))?;
    Ok((header, start))
}

/// Puts a header and its sections together.
#[cfg(feature = "search")]
pub(crate) fn assemble(
    header: &PackHeader,
    sections: &[(String, Vec<u8>)],
) -> Result<Vec<u8>, PackError> {
    let header = serde_json::to_vec(header).map_err(|error| PackError::damaged("header", error))?;
    let content: usize = sections.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut pack = Vec::with_capacity(PREAMBLE + header.len() + content);
    pack.extend_from_slice(MAGIC);
    for number in [FORMAT_VERSION, header.len() as u32, crc32fast::hash(&header)] {
        pack.extend_from_slice(&number.to_le_bytes());
    }
    pack.extend_from_slice(&header);
    sections.iter().for_each(|(_, bytes)| pack.extend_from_slice(bytes));
    Ok(pack)
}
