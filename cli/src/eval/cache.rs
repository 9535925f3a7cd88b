//! Packs of measured collections, kept in the user's cache for the vectors in them.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context as _, Result};
use dossier_core::{index, index::Index, model::Encoder, text::Chunk};
use sha2::{Digest as _, Sha256};

use crate::{
    commands::ingest::{encode, write},
    model::folder,
};

/// Builds an index of `chunks`; with an encoder, vectors of texts that the last run over `folder`
/// encoded are taken from the pack it left.
///
/// # Errors
/// A text that cannot be encoded, or a pack that cannot be built or written.
pub(super) fn index(folder: &Path, chunks: &[Chunk], encoder: Option<&Encoder>) -> Result<Index> {
    let Some(encoder) = encoder else {
        return Ok(Index::open(index::build(chunks, None, Default::default())?)?);
    };
    let file = folder::cache()?.join("eval").join(name(folder, encoder.id())?);
    // A pack that is damaged, or of another format, has nothing to give.
    let last = fs::read(&file).ok().and_then(|bytes| Index::open(bytes).ok());
    let mut known = last.as_ref().map(vectors).unwrap_or_default();
    let missing: Vec<Chunk> =
        chunks.iter().filter(|chunk| !known.contains_key(&chunk.indexed_text())).cloned().collect();
    let fresh = encode(encoder, &missing)?;
    known.extend(missing.iter().map(Chunk::indexed_text).zip(fresh));
    let vectors = chunks.iter().filter_map(|chunk| known.get(&chunk.indexed_text()).cloned());
    let pack = index::build(chunks, Some((encoder.id(), vectors.collect())), Default::default())?;
    if !missing.is_empty() {
        write(&file, &pack)?;
    }
    Ok(Index::open(pack)?)
}

/// The file's name: one a folder and model, so that the cache does not grow with every change.
fn name(folder: &Path, model: &str) -> Result<String> {
    let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
    let hash = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{hash}-{model}.pack"))
}

/// Each text of a pack with its vector.
fn vectors(index: &Index) -> HashMap<String, Vec<f32>> {
    let Some(dense) = index.dense() else { return HashMap::new() };
    let texts = index.chunks().iter().map(Chunk::indexed_text).enumerate();
    texts.map(|(ordinal, text)| (text, dense.vector(ordinal).to_vec())).collect()
}
