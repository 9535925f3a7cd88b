//! A pack on disk with the model that fits it, as commands use them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dossier_core::{index::Index, model::Encoder, retrieval::Retriever};

use crate::{model::folder, output::Failure};

/// Which pack to open, and with which model.
#[derive(clap::Args)]
pub(crate) struct PackArguments {
    /// The pack to use
    #[arg(long, default_value = "data/index.pack", value_name = "FILE")]
    pack: PathBuf,
    /// Folder of the converted model [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

impl PackArguments {
    /// As [`Opened::open`].
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        Opened::open(&self.pack, self.model.as_deref())
    }
}

/// An opened pack and, where there is one, its encoder.
pub(crate) struct Opened {
    index: Index,
    encoder: Option<Encoder>,
}

impl Opened {
    /// Opens the pack `file` and the model in `model_folder` or the user's cache.
    ///
    /// Without a model it says so and searches with the lexical leg alone.
    pub(crate) fn open(file: &Path, model_folder: Option<&Path>) -> Result<Self, Failure> {
        let index = read(file)?;
        let encoder = match (&index.header().model, folder::open(model_folder)) {
            (None, _) => {
                eprintln!("this pack was built without a model: lexical search alone");
                None
            }
            (Some(_), Err(error)) => {
                eprintln!("lexical search alone: {error:#}");
                None
            }
            (Some(_), Ok(encoder)) => Some(encoder),
        };
        index.check_model(encoder.as_ref().map(Encoder::id)).map_err(Failure::usage)?;
        Ok(Self { index, encoder })
    }

    pub(crate) fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.index, self.encoder.as_ref())
    }
}

/// Reads and opens the pack `file`.
pub(crate) fn read(file: &Path) -> Result<Index, Failure> {
    let bytes = fs::read(file).with_context(|| {
        format!("cannot read the pack {}; build one with `dossier ingest`", file.display())
    });
    Index::open(bytes.map_err(Failure::usage)?)
        .with_context(|| file.display().to_string())
        .map_err(Failure::usage)
}
