//! What every schedule shares: documents, their index, the encoder.

use dossier_core::{
    index::{Index, build},
    model::Encoder,
    retrieval::Retriever,
    text::{Document, chunks},
};

use crate::encoder;

const DOCUMENT: &str = "---\ntitle: Papers\n---\n# Papers\n\n\
    ## Davy Medal\n\nThe Royal Society gave her the Davy Medal in 1903.\n\n\
    ## Matteucci Medal\n\nShe received the Matteucci Medal in 1904.\n\n\
    ## Nobel Prize\n\nShe received the Nobel Prize in Physics in 1903.\n\n\
    ## Childhood\n\nShe was born in Warsaw in 1867.\n\n\
    ## Institute\n\nThe Radium Institute in Paris was founded in 1909.";

/// Documents, index and encoder.
pub(crate) struct House {
    index: Index,
    encoder: Encoder,
}

impl House {
    /// Reads and indexes the documents.
    pub(crate) fn open() -> Self {
        let encoder = encoder::open();
        let document = Document::read("papers.md", DOCUMENT.as_bytes().to_vec()).unwrap();
        let chunks = chunks(&document);
        let embeddings: Vec<_> = chunks
            .iter()
            .map(|chunk| encoder.encode(&chunk.encoded_text()).unwrap().into())
            .collect();
        let pack = build(&chunks, Some((encoder.id(), &embeddings))).unwrap();
        Self { index: Index::open(pack).unwrap(), encoder }
    }

    /// What searches it.
    pub(crate) fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.index, Some(&self.encoder))
    }
}
