//! The encoder: text to vectors, with BERT-shaped sentence models.
//!
//! A model is three files: `tokenizer.json`, `table.safetensors` (the embedding tables, read in
//! place) and `layers.onnx` (the transformer, run by tract). [`convert()`] writes the last two from
//! published weights.

mod convert;
mod encoder;
mod onnx;
mod table;

pub use self::{
    convert::{Converted, Precision, convert},
    encoder::{Encoder, MAX_TOKENS, ModelFiles},
};

/// Why a model could not be converted, opened or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A tensor is absent or of another shape than the architecture needs.
    #[error("not a BERT-shaped model: tensor {name}: expected {expected}, got {got}")]
    Tensor {
        /// Its name.
        name: String,
        /// Shape or presence expected.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// A file is not of its format.
    #[error("cannot read {file}: {reason}; run `dossier model` again")]
    Malformed {
        /// Which of the model's files.
        file: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The graph failed on an input; a defect of the model's files.
    #[error("the encoder failed: {reason}")]
    Run {
        /// What tract said.
        reason: String,
    },
}
