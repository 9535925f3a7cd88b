//! Packs of measured collections, kept in the user's cache so that nothing is encoded twice.

use std::path::Path;

use anyhow::{Context as _, Result};
use dossier_core::{index, index::Index, model::Encoder, text::Chunk};
use sha2::{Digest as _, Sha256};

use crate::{
    commands::ingest::{encode, write},
    model::folder,
    previous::Previous,
};

/// Builds an index of `chunks`; with an encoder, what it made of texts in the last run over `folder`
/// is taken from the pack that run left.
///
/// # Errors
/// A text that cannot be encoded, or a pack that cannot be built or written.
pub(super) fn index(folder: &Path, chunks: &[Chunk], encoder: Option<&Encoder>) -> Result<Index> {
    let Some(encoder) = encoder else {
        return Ok(Index::open(index::build(chunks, None)?)?);
    };
    let file = folder::cache()?.join("eval").join(name(folder, encoder.id())?);
    let last = Previous::open(&file, Some(encoder.id()));
    let (embeddings, reused) = encode(encoder, chunks, last.as_ref())?;
    // The pack is built in any case: the cache knows vectors, not the rules of the lexical leg.
    let pack = index::build(chunks, Some((encoder.id(), &embeddings)))?;
    if reused < chunks.len() {
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
