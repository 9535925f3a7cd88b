//! Text: documents to chunks, and words to terms.

mod chunk;
mod document;
mod front_matter;
mod person;
mod plain;
mod slug;
pub mod terms;

pub use self::{
    chunk::{Chunk, MAX_CHUNK_CHARS, chunks},
    document::{Content, Document, DocumentError, MAX_DOCUMENT_BYTES},
    front_matter::Metadata,
    plain::{plain, sentences},
    slug::slug,
};
pub(crate) use self::{plain::abbreviated, slug::fold};
