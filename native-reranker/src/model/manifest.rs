//! Manifests of models, such as `data/models.toml`: which there are and how to know their files.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

const BUILT_IN: &str = include_str!("../../../data/models.toml");

#[derive(Debug, Deserialize)]
struct Manifest {
    model: Vec<Model>,
}

/// A cross-encoder that can be fetched.
#[derive(Clone, Debug, Deserialize)]
pub struct Model {
    /// Its id.
    pub id: String,
    kind: String,
    /// What its network is.
    #[serde(rename = "architecture")]
    architecture: String,
    /// SPDX name of its licence.
    pub licence: String,
    /// Attention heads, which the weights of a BERT do not tell.
    pub heads: Option<usize>,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<File>,
    /// Where they come from, in the order in which to try.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
}

/// A file and how to know it.
#[derive(Clone, Debug, Deserialize)]
pub struct File {
    /// Its name; below a folder where the source has it there.
    pub name: String,
    /// Its SHA-256, in hexadecimal; a file without one needs the operator's word.
    pub sha256: Option<String>,
}

/// A place that has the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// The Hugging Face hub.
    Hub {
        /// Owner and name.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// A kind for other programs.
    #[serde(other)]
    Other,
}

impl Model {
    /// The cross-encoder `id`, or the first there is, in the manifest `file` or the built-in one.
    ///
    /// # Errors
    /// The manifest cannot be read, or names no such model.
    pub fn find(id: Option<&str>, file: Option<&Path>) -> Result<Self> {
        let (name, text) = match file {
            Some(file) => {
                let name = file.display().to_string();
                let text = fs::read_to_string(file).with_context(|| name.clone())?;
                (name, text)
            }
            None => ("data/models.toml".to_owned(), BUILT_IN.to_owned()),
        };
        let manifest: Manifest = toml::from_str(&text).with_context(|| name.clone())?;
        let mut models = manifest.model.into_iter().filter(|it| it.kind == "cross-encoder");
        let found = models.find(|model| id.is_none_or(|id| id == model.id));
        let Some(model) = found else {
            bail!("{name}: no cross-encoder {}", id.unwrap_or("in it"));
        };
        let known = ["tokenizer.json".to_owned(), model.network()?.to_owned()];
        for file in known {
            if !model.files.iter().any(|it| it.name == file) {
                bail!("{name}: model {}: names no file {file}", model.id);
            }
        }
        Ok(model)
    }

    /// The file of its network: weights of a BERT, or a ready graph.
    ///
    /// # Errors
    /// The manifest names an architecture that nobody knows, or a BERT without its heads.
    pub fn network(&self) -> Result<&str> {
        match (self.architecture.as_str(), self.heads) {
            ("bert", Some(_)) => Ok("model.safetensors"),
            ("bert", None) => bail!("model {}: a bert needs its number of heads", self.id),
            ("onnx", Some(_)) => bail!("model {}: only a bert has heads", self.id),
            ("onnx", None) => {
                let graph = self.files.iter().find(|file| file.name.ends_with(".onnx"));
                Ok(graph.map_or("model.onnx", |file| &file.name))
            }
            (other, _) => bail!("model {}: architecture {other}: expected bert or onnx", self.id),
        }
    }
}
