//! The sentence encoder of the chat, for clients that want vectors.

use std::{fs, path::Path};

use dossier_core::model::{Encoder, ModelFiles};

use super::ModelError;

/// Turns texts into unit vectors, and counts what it read.
pub struct Embedder {
    encoder: Encoder,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.encoder.fmt(f)
    }
}

impl Embedder {
    /// Opens the converted model in `folder`, which `dossier model` writes; its id is the folder's
    /// name.
    ///
    /// # Errors
    /// [`ModelError::Malformed`], naming the file.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let malformed = |file, reason| ModelError::Malformed { file, reason };
        let read = |file: &'static str| {
            fs::read(folder.join(file)).map_err(|error| malformed(file, error.to_string()))
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What follows the id counts changes of the converter.
        let id = name.rsplit_once('.').map_or(name.as_str(), |(id, _)| id).to_owned();
        let files = ModelFiles::read(id, read)?;
        let encoder = Encoder::open(files);
        let encoder =
            encoder.map_err(|error| malformed("the embedding model", error.to_string()))?;
        Ok(Self { encoder })
    }

    /// The model's id.
    pub fn id(&self) -> &str {
        self.encoder.id()
    }

    /// Length of a vector.
    pub fn width(&self) -> usize {
        self.encoder.width()
    }

    /// The vector of `text`, and how many word pieces were read.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the model's files do not fit together.
    pub fn embed(&self, text: &str) -> Result<(Vec<f32>, usize), ModelError> {
        let encoded = self.encoder.encode_tokens(text);
        let encoded = encoded.map_err(|error| ModelError::Run { reason: error.to_string() })?;
        Ok((encoded.pooled, encoded.tokens.len()))
    }
}
