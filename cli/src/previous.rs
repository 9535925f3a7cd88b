//! The pack that is about to be replaced, and what is taken over from it.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::Path,
};

use dossier_core::{
    index::{Embedding, Index},
    text::Document,
};

/// A pack that was opened before it is replaced.
pub(crate) struct Previous {
    index: Index,
    /// The chunk for each text that was encoded.
    ordinals: HashMap<String, usize>,
}

impl Previous {
    /// Opens the pack at `file` for vectors of the model `model`. Where it cannot be used, it says
    /// why, and everything is built anew.
    pub(crate) fn open(file: &Path, model: Option<&str>) -> Option<Self> {
        let anew = |reason: &dyn std::fmt::Display| {
            eprintln!("{} is built anew, nothing is taken over: {reason}", file.display());
        };
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                anew(&error);
                return None;
            }
        };
        let index = Index::open(bytes).inspect_err(|error| anew(error)).ok()?;
        let fits = index.check_model(model).inspect_err(|error| anew(error)).is_ok();
        let encoded = index.chunks().iter().enumerate().take_while(|_| fits);
        let ordinals = encoded.map(|(at, chunk)| (chunk.encoded_text(), at)).collect();
        Some(Self { index, ordinals })
    }

    /// What the encoder made of a text for the pack.
    pub(crate) fn embedding(&self, text: &str) -> Option<Embedding> {
        self.index.embedding(*self.ordinals.get(text)?)
    }

    /// Number of its documents that are not among `documents`.
    pub(crate) fn removed(&self, documents: &[Document]) -> usize {
        let before: BTreeSet<&str> =
            self.index.chunks().iter().map(|chunk| chunk.source.as_str()).collect();
        let now = documents.iter().map(|document| document.source.as_str()).collect();
        before.difference(&now).count()
    }
}
