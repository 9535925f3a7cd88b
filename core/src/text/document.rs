//! One document: its name, metadata and Markdown body.

use super::{
    front_matter::{self, Metadata},
    person, slug,
};

/// Largest document, in bytes; a person's papers are far smaller, a log file is not a paper.
pub const MAX_DOCUMENT_BYTES: usize = 10 * 1024 * 1024;

/// The type of a document that is all about one person.
const RESUME: &str = "resume";

/// What a file says, as Markdown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Markdown; for a file in another format what its reader made of it.
    pub text: String,
    /// What the file says about itself, named as in front matter.
    pub metadata: Metadata,
    /// Bytes of `text` at which the file's pages start, in order; empty for a file without pages.
    pub pages: Vec<usize>,
}

/// A document that was read and understood.
#[derive(Clone, Debug)]
pub struct Document {
    /// Slug of the file's name without its ending: `transcript`.
    pub id: String,
    /// Path relative to the folder it was found in, with `/` between the parts.
    pub source: String,
    /// Front matter, plus what it does not give: `doc_type` where the file's name tells it, and
    /// `person` where a CV is headed by a name.
    pub metadata: Metadata,
    /// The whole file, as Markdown.
    pub text: String,
    /// Byte of `text` at which the body starts.
    pub body: usize,
    /// As in [`Content`].
    pub pages: Vec<usize>,
}

/// Why a document was left out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It has no text.
    #[error("empty: nothing to index")]
    Empty,
    /// Its front matter cannot be read.
    #[error("{reason}")]
    FrontMatter {
        /// What is wrong and what to do.
        reason: String,
    },
    /// Its name gives no id.
    #[error("file name has no letter or digit: rename it")]
    Name,
    /// It is not text.
    #[error("not UTF-8 text (first bad byte at {at}): save it as UTF-8 Markdown or plain text")]
    NotText {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// It is larger than a document may be.
    #[error("too large: {bytes} bytes, at most {most}: split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit; for Markdown [`MAX_DOCUMENT_BYTES`].
        most: usize,
    },
}

impl Document {
    /// Reads Markdown or plain text, with or without front matter, found at `source`.
    ///
    /// # Errors
    /// [`DocumentError`], saying what to do.
    pub fn read(source: &str, bytes: Vec<u8>) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(too_large(bytes.len()));
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| DocumentError::NotText { at: error.utf8_error().valid_up_to() })?;
        if let Some(at) = text.find('\0') {
            return Err(DocumentError::NotText { at });
        }
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let (metadata, body) =
            front_matter::split(&text).map_err(|reason| DocumentError::FrontMatter { reason })?;
        Self::assemble(source, Content { text, metadata, pages: Vec::new() }, body)
    }

    /// Takes what a reader made of a file in another format, found at `source`.
    ///
    /// # Errors
    /// [`DocumentError::Empty`], [`DocumentError::Name`], [`DocumentError::TooLarge`].
    pub fn converted(source: &str, content: Content) -> Result<Self, DocumentError> {
        if content.text.len() > MAX_DOCUMENT_BYTES {
            return Err(too_large(content.text.len()));
        }
        Self::assemble(source, content, 0)
    }

    fn assemble(source: &str, content: Content, body: usize) -> Result<Self, DocumentError> {
        let Content { text, mut metadata, pages } = content;
        let name = source.rsplit('/').next().unwrap_or(source);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let id = slug(&stem.replace(['_', '.'], "-"));
        if id.is_empty() {
            return Err(DocumentError::Name);
        }
        if text[body..].trim().is_empty() {
            return Err(DocumentError::Empty);
        }
        metadata.retain(|_, values| !values.is_empty());
        if let (false, Some(kind)) = (metadata.contains_key("doc_type"), doc_type(&id)) {
            metadata.insert("doc_type".to_owned(), vec![kind.to_owned()]);
        }
        let is_resume = metadata.get("doc_type").is_some_and(|it| it.contains(&RESUME.to_owned()));
        if let (true, false) = (is_resume, metadata.contains_key("person"))
            && let Some(name) = person::heading(&text[body..])
        {
            metadata.insert("person".to_owned(), vec![name]);
        }
        Ok(Self { id, source: source.to_owned(), metadata, text, body, pages })
    }

    /// The page that byte `at` of the text is on, from 1; `None` in a file without pages.
    pub fn page(&self, at: usize) -> Option<u32> {
        u32::try_from(self.pages.partition_point(|start| *start <= at)).ok().filter(|it| *it > 0)
    }

    /// The title: front matter's, else the file's name in words.
    pub fn title(&self) -> String {
        let given = self.metadata.get("title").and_then(|values| values.first());
        given.cloned().unwrap_or_else(|| self.id.replace('-', " "))
    }
}

fn too_large(bytes: usize) -> DocumentError {
    DocumentError::TooLarge { bytes, most: MAX_DOCUMENT_BYTES }
}

/// The type that a file name tells, where front matter does not.
fn doc_type(id: &str) -> Option<&'static str> {
    [
        ("resume", RESUME),
        ("cv", RESUME),
        ("curriculum-vitae", RESUME),
        ("certificate", "certificate"),
        ("transcript", "transcript_analysis"),
    ]
    .into_iter()
    .find(|(word, _)| {
        id == *word || id.starts_with(&format!("{word}-")) || id.ends_with(&format!("-{word}"))
    })
    .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_name_type_and_title() {
        let document = Document::read("school/my_transcript.md", b"# T\ntext".to_vec()).unwrap();
        assert_eq!(
            (document.id.as_str(), document.source.as_str()),
            ("my-transcript", "school/my_transcript.md")
        );
        assert_eq!(document.metadata["doc_type"], ["transcript_analysis"]);
        assert!(!document.metadata.contains_key("person"));
        let cv = Document::read("cv.md", b"# Ada Byron\n\nMathematician".to_vec()).unwrap();
        assert_eq!(cv.metadata["person"], ["Ada Byron"]);
        assert_eq!(document.title(), "my transcript");
        let document =
            Document::read("cv.md", b"---\ndoc_type: profile\ntitle: Me\n---\nx".to_vec()).unwrap();
        assert_eq!(
            (document.metadata["doc_type"][0].as_str(), document.title().as_str()),
            ("profile", "Me")
        );
    }

    #[test]
    fn refuses_what_is_not_a_document() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(Document::read("a.md", bytes.to_vec()).unwrap_err(), expected);
        };
        check(b" \n\t", DocumentError::Empty);
        check(b"---\ntitle: only\n---\n\n", DocumentError::Empty);
        check(b"ab\xff", DocumentError::NotText { at: 2 });
        check(b"a\0b", DocumentError::NotText { at: 1 });
        check(&vec![b'a'; MAX_DOCUMENT_BYTES + 1], too_large(MAX_DOCUMENT_BYTES + 1));
        assert_eq!(Document::read("---.md", b"x".to_vec()).unwrap_err(), DocumentError::Name);
    }
}
