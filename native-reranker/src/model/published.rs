//! A model's published files, read.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::{Model, ModelError, random};

/// What a cross-encoder is opened from.
#[derive(Clone, Debug)]
pub struct Published {
    /// The model's id.
    pub id: String,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// The network.
    pub network: Network,
}

/// A network, as published.
#[derive(Clone)]
pub enum Network {
    /// Weights of a BERT with pooler and classifier: `model.safetensors`.
    Bert {
        /// The file.
        weights: Vec<u8>,
        /// Attention heads.
        heads: usize,
    },
    /// A ready graph: `model.onnx`.
    Onnx(Vec<u8>),
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bert { weights, heads } => {
                write!(f, "Bert({} bytes, {heads} heads)", weights.len())
            }
            Self::Onnx(graph) => write!(f, "Onnx({} bytes)", graph.len()),
        }
    }
}

impl Published {
    /// Reads the files of `model` in `folder`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(model: &Model, folder: &Path) -> Result<Self> {
        let read = |name: &str| fs::read(folder.join(name)).with_context(|| name.to_owned());
        let network = read(model.network()?)?;
        Ok(Self {
            id: model.id.clone(),
            tokenizer: read("tokenizer.json")?,
            network: match model.heads {
                Some(heads) => Network::Bert { weights: network, heads },
                None => Network::Onnx(network),
            },
        })
    }
}

/// A model of the usual shape with [random weights](random::random_weights).
///
/// # Errors
/// As [`random_weights`](random::random_weights).
pub fn random_model(seed: u64, tokenizer: Vec<u8>) -> Result<Published, ModelError> {
    let network = Network::Bert { weights: random::random_weights(seed)?, heads: random::HEADS };
    Ok(Published { id: format!("random-{seed}"), tokenizer, network })
}
