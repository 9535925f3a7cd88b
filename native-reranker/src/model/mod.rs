//! The models: where their files come from, and how they run.

mod manifest;

mod fetch;

mod published;

mod bert;
mod onnx;
mod random;

mod cross_encoder;
mod embedder;

pub use self::{
    bert::{Precision, to_onnx},
    cross_encoder::{CrossEncoder, Pair, TooLong},
    embedder::Embedder,
    fetch::{Fetch, NoWeights},
    manifest::{File, Model, Source},
    published::{Network, Published, random_model},
    random::random_weights,
};

/// Why a model could not be written, opened or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A tensor is absent or of another shape than the architecture needs.
    #[error("not a BERT cross-encoder: tensor {name}: expected {expected}, got {got}")]
    Tensor {
        /// Its name.
        name: String,
        /// Shape or presence expected.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// A file is not of its format.
    #[error("cannot read {file}: {reason}")]
    Malformed {
        /// Which of the model's files.
        file: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The network failed on an input; a defect of the model's files.
    #[error("the model failed: {reason}")]
    Run {
        /// What happened.
        reason: String,
    },
}
