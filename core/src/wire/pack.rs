//! Records of the index pack and of its publication.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whose documents these are, and what they are about.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Subject {
    /// The person, as most documents name them (`person`); `null` where none does.
    pub person: Option<String>,
    /// At most four titles of documents; of fewer documents, their headings first.
    pub topics: Vec<String>,
    /// At most six questions that the documents offer (`questions`).
    pub questions: Vec<String>,
}

/// What a pack says of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackHeader {
    /// SHA-256 over everything that answers are made of, in hexadecimal.
    pub corpus: String,
    /// Number of documents.
    pub documents: usize,
    /// Number of chunks.
    pub chunks: usize,
    /// Whose documents these are; empty in a pack that was built before it was noted.
    #[serde(default)]
    pub subject: Subject,
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

/// What the chunks of a document have in common, as it lies in a pack.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackDocument {
    /// The file, relative to the documents' folder.
    pub source: String,
    /// Its title.
    pub title: String,
    /// Its first sentence.
    pub summary: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, Vec<String>>,
}

/// A chunk as it lies in a pack.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PackChunk<'a> {
    /// Its id.
    pub id: &'a str,
    /// Position of its document.
    pub document: usize,
    /// Headings above it, outermost first.
    #[serde(borrow)]
    pub heading: Vec<&'a str>,
    /// What belongs before the passage but was written further up.
    pub lead: &'a str,
    /// The passage.
    pub text: &'a str,
    /// The page that it is on, from 1; absent in a document without pages.
    pub page: Option<u32>,
    /// Byte of the document at which it starts.
    pub start: usize,
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
    /// Whose documents these are.
    #[serde(default)]
    pub subject: Subject,
    /// The model's id, absent for the lexical leg alone.
    pub model: Option<String>,
}
