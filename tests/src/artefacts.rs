//! Where built things lie: components, pack, model, the `dossier` binary.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use dossier_core::model::{Encoder, ModelFiles};
use etcetera::BaseStrategy as _;
use serde::Deserialize;

/// The id under which packs name the model.
const MODEL: &str = "all-minilm-l6-v2-int8";

/// `CONVERTER` of the command line: the ending of the model's folder.
const CONVERTER: u32 = 3;

/// A case of `data/eval/cases.json`, as far as tests need it.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// The question.
    pub query: String,
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    // As the test runner says now: checkouts may share a target folder, and with it this program.
    let own = std::env::var_os("CARGO_MANIFEST_DIR");
    own.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from).join("..")
}

/// A built component, by name.
pub fn component(name: &str) -> PathBuf {
    root().join("target/components").join(name).with_extension("wasm")
}

/// A native binary beside the one that runs.
///
/// # Errors
/// It was not built.
pub fn artefact(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built: run `cargo xtask build`"))
}

/// The bytes of the sample's pack.
///
/// # Errors
/// It was not built.
pub fn pack() -> Result<Vec<u8>> {
    let file = root().join("data/index.pack");
    fs::read(&file).with_context(|| format!("{}: run `cargo xtask index`", file.display()))
}

/// The converted model's folder.
///
/// # Errors
/// The user has no home folder.
pub fn model_folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("DOSSIER_MODEL_DIR") {
        return Ok(folder.into());
    }
    let cache = etcetera::choose_base_strategy()?.cache_dir();
    Ok(cache.join("dossier/models").join(format!("{MODEL}.{CONVERTER}")))
}

/// A file of the published model, from which the converted one is made.
///
/// # Errors
/// It was not fetched.
pub fn published(name: &str) -> Result<Vec<u8>> {
    let file = model_folder()?.join("../../downloads/all-minilm-l6-v2").join(name);
    fs::read(&file).with_context(|| format!("{}: run `cargo xtask model`", file.display()))
}

/// A Python with what `tests/clients/requirements.txt` lists: `DOSSIER_PYTHON`, or the one that `cargo xtask test` prepares.
pub fn python() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("DOSSIER_PYTHON") {
        return Some(chosen.into());
    }
    let cache = etcetera::choose_base_strategy().ok()?.cache_dir();
    Some(cache.join("dossier/venv/bin/python")).filter(|python| python.is_file())
}

/// The encoder that the sample's pack was built with.
///
/// # Errors
/// The model was not prepared.
pub fn encoder() -> Result<Encoder> {
    let folder = model_folder()?;
    let read = |name| {
        fs::read(folder.join(name)).with_context(|| format!("{name}: run `cargo xtask model`"))
    };
    Ok(Encoder::open(ModelFiles::read(MODEL, read)?)?)
}

/// All cases of the evaluation.
///
/// # Errors
/// The file is missing or malformed.
pub fn cases() -> Result<Vec<Case>> {
    Ok(serde_json::from_slice(&fs::read(root().join("data/eval/cases.json"))?)?)
}
