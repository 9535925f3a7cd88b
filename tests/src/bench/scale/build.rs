//! Builds the pack of one size, each part timed.

use std::{fs, path::Path, thread, time::Instant};

use anyhow::{Context as _, Result, anyhow};
use dossier_core::{
    index::{self, Embedding},
    model::{Encoded, Encoder},
    text::Chunk,
};
use dossier_tests::encoder;
use serde::{Deserialize, Serialize};

use super::{
    SEED,
    corpus::{Author, unit},
    memory,
};

/// Passages that are encoded: as many as a pack keeps word pieces for. The rest lie around them.
const ENCODED: usize = 3_000;
/// How far: passages around the same one have a cosine near 0.6, as passages on one matter have.
const SPREAD: f32 = 0.8;

#[derive(Deserialize, Serialize)]
pub(super) struct Figures {
    pub(super) chunks: usize,
    pub(super) text_bytes: usize,
    /// Seconds to cut documents, to write chunks and the lexical leg, and to write the dense leg.
    pub(super) cutting: f64,
    pub(super) lexical: f64,
    pub(super) dense: f64,
    /// Chunks encoded in a second, by all cores.
    pub(super) encoding: f64,
    pub(super) pack_bytes: usize,
    /// Most memory of the process, in MiB.
    pub(super) memory: f64,
}

/// Leaves `scale.pack` in `folder`.
pub(super) fn run(size: usize, folder: &Path) -> Result<Figures> {
    let author = Author::new(SEED);
    let start = Instant::now();
    let chunks = author.chunks(size)?;
    let cutting = start.elapsed().as_secs_f64();

    let encoder = encoder()?;
    let (encoded, encoding) = encode(&encoder, &chunks[..size.min(ENCODED)])?;
    let around = |at: usize| {
        let centre = &encoded[at % encoded.len()].pooled;
        let noise = author.direction(centre.len());
        unit(centre.iter().zip(noise).map(|(centre, noise)| centre + SPREAD * noise).collect())
    };
    let mut embeddings: Vec<Embedding> = encoded.iter().map(Embedding::from).collect();
    embeddings.extend((encoded.len()..size).map(|at| Embedding::from(around(at))));

    let start = Instant::now();
    drop(index::build(&chunks, None)?);
    let lexical = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let pack = index::build(&chunks, Some((encoder.id(), &embeddings)))?;
    let dense = (start.elapsed().as_secs_f64() - lexical).max(0.0);
    fs::write(folder.join("scale.pack"), &pack)?;
    Ok(Figures {
        chunks: size,
        text_bytes: chunks.iter().map(|chunk| chunk.text.len()).sum(),
        cutting,
        lexical,
        dense,
        encoding,
        pack_bytes: pack.len(),
        memory: memory("VmHWM")?,
    })
}

/// Encodes on all cores, and says how many a second.
fn encode(encoder: &Encoder, chunks: &[Chunk]) -> Result<(Vec<Encoded>, f64)> {
    let cores = thread::available_parallelism()?.get();
    let start = Instant::now();
    let one = |chunk: &Chunk| encoder.encode_tokens(&chunk.encoded_text()).context("encoding");
    let encoded: Result<Vec<_>> = thread::scope(|scope| {
        let share = |part: &'_ [Chunk]| part.iter().map(one).collect::<Result<Vec<_>>>();
        let parts: Vec<_> = chunks
            .chunks(chunks.len().div_ceil(cores))
            .map(|part| scope.spawn(move || share(part)))
            .collect();
        let done = parts
            .into_iter()
            .map(|part| part.join().map_err(|_| anyhow!("a thread of the encoder ended early"))?);
        Ok(done.collect::<Result<Vec<_>>>()?.concat())
    });
    Ok((encoded?, chunks.len() as f64 / start.elapsed().as_secs_f64()))
}
