//! The sentence encoder of the chat, for clients that want vectors.

use std::{fs, path::Path};

use dossier_core::model::{Encoder, MAX_TOKENS, ModelFiles};
use tokenizers::Tokenizer;

use super::ModelError;

/// Turns texts into unit vectors, and counts what it read.
pub struct Embedder {
    encoder: Encoder,
    tokenizer: Tokenizer,
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
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let tokenizer = read("tokenizer.json")?;
        let encoder = Encoder::open(ModelFiles {
            id: id.into(),
            tokenizer: tokenizer.clone().into(),
            table: read("table.safetensors")?.into(),
            layers: read("layers.onnx")?.into(),
        })
        .map_err(|error| malformed("the embedding model", error.to_string()))?;
        let tokenizer = Tokenizer::from_bytes(tokenizer)
            .map_err(|error| malformed("tokenizer.json", error.to_string()))?;
        Ok(Self { encoder, tokenizer })
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
        let run = |reason: String| ModelError::Run { reason };
        let pieces = self.tokenizer.encode_fast(text, true).map_err(|it| run(it.to_string()))?;
        let vector = self.encoder.encode(text).map_err(|error| run(error.to_string()))?;
        Ok((vector, pieces.len().min(MAX_TOKENS)))
    }
}
