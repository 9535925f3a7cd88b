//! The folder of a converted model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use dossier_core::model::{Encoder, ModelFiles};
use etcetera::BaseStrategy as _;

use super::manifest::Model;

/// Overrides where the converted model lies.
pub(crate) const MODEL_DIR: &str = "DOSSIER_MODEL_DIR";

/// Counts changes of the converter. Each has folders of its own, so that checkouts of different
/// age share a cache.
const CONVERTER: u32 = 3;

/// The user's cache folder of Dossier.
pub(crate) fn cache() -> Result<PathBuf> {
    let user =
        etcetera::choose_base_strategy().context("this user has no home folder: set HOME")?;
    Ok(user.cache_dir().join("dossier"))
}

/// Where `dossier model` puts the converted model: the user's cache, and nowhere else.
pub(crate) fn cached() -> Result<PathBuf> {
    let id = Model::default_encoder()?.converted_id();
    Ok(cache()?.join("models").join(format!("{id}.{CONVERTER}")))
}

/// Where the converted model lies: `given`, else `DOSSIER_MODEL_DIR`, else the user's cache.
pub(crate) fn locate(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = given {
        return Ok(folder.to_owned());
    }
    if let Some(folder) = std::env::var_os(MODEL_DIR).filter(|it| !it.is_empty()) {
        return Ok(folder.into());
    }
    cached()
}

/// Opens the converted model.
pub(crate) fn open(given: Option<&Path>) -> Result<Encoder> {
    let folder = locate(given)?;
    let read = |name| {
        fs::read(folder.join(name)).with_context(|| {
            format!("no embedding model in {} ({name}): run `dossier model`", folder.display())
        })
    };
    let files = ModelFiles::read(Model::default_encoder()?.converted_id(), read)?;
    Encoder::open(files).with_context(|| folder.display().to_string())
}
