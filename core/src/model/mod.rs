//! The encoder: text to vectors, with BERT-shaped sentence models.
//!
//! A model is three files ([`FILES`]), which [`convert()`] writes from the published ones and
//! [`Encoder`] reads in place. Read in this order: `encoder`, `tokens`, `weights`, `layer`,
//! `attention`, `linear`, `simd`, `math`.

mod attention;
mod convert;
mod encoder;
mod layer;
mod linear;
mod math;
mod simd;
mod tokens;
mod weights;

pub use self::{
    convert::{Converted, convert},
    encoder::{Encoded, Encoder, FILES, MAX_TOKENS, ModelFiles},
    tokens::Token,
};
pub(crate) use self::{
    linear::{Block, PANEL, Step, TILE},
    simd::kernel,
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
    /// The tokenizer made of a text what the weights do not know; a defect of the model's files.
    #[error("the encoder failed: {reason}")]
    Run {
        /// What was out of range.
        reason: String,
    },
}
