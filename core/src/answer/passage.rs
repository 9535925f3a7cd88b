//! A passage as an answer sees it: what it says, and where that is written.

use crate::text::Chunk;

/// A passage that an answer may cite.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Passage {
    /// Title of its document.
    pub title: String,
    /// One line: person › title › headings (dates), page.
    pub header: String,
    /// What it says, as written.
    pub text: String,
}

impl From<&Chunk> for Passage {
    fn from(chunk: &Chunk) -> Self {
        let page = chunk.page.map(|page| format!(", page {page}")).unwrap_or_default();
        Self {
            title: chunk.title.clone(),
            header: format!("{}{page}", chunk.header()),
            text: chunk.passage(),
        }
    }
}
