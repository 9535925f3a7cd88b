//! Builds the pack of one size, each part timed.

use std::{fs, path::Path, thread, time::Instant};

use anyhow::{Context as _, Error, Result, anyhow};
use dossier_core::{
    index::{self, Embedding, Index},
    text::Chunk,
};
use dossier_tests::encoder;
use serde::{Deserialize, Serialize};

use super::{
    SEED,
    corpus::{Author, unit},
    memory,
};

/// Passages that are encoded, word pieces and all; the rest lie around them.
const ENCODED: usize = 1_000;
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

    let encoded = Index::open(fs::read(folder.join(PACK))?)?;
    let model = encoded.header().model.as_ref().context("a pack with vectors")?;
    let dense = encoded.dense().context("a pack with vectors")?;
    let centres: Vec<Vec<f32>> = (0..ENCODED).filter_map(|at| dense.vector(at)).collect();
    let around = |at: usize| {
        let centre = &centres[at % ENCODED];
        let noise = author.direction(centre.len());
        unit(centre.iter().zip(noise).map(|(centre, noise)| centre + SPREAD * noise).collect())
    };
    let mut embeddings: Vec<Embedding> =
        (0..ENCODED.min(size)).filter_map(|at| encoded.embedding(at)).collect();
    embeddings.extend((embeddings.len()..size).map(|at| Embedding::from(around(at))));

    let start = Instant::now();
    drop(index::build(&chunks, None)?);
    let lexical = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let pack = index::build(&chunks, Some((&model.id, &embeddings)))?;
    let dense = (start.elapsed().as_secs_f64() - lexical).max(0.0);
    fs::write(folder.join("scale.pack"), &pack)?;
    Ok(Figures {
        chunks: size,
        text_bytes: chunks.iter().map(|chunk| chunk.text.len()).sum(),
        cutting,
        lexical,
        dense,
        pack_bytes: pack.len(),
        memory: memory("VmHWM")?,
    })
}

/// Encodes the first passages on all cores, leaves a pack of them in `folder`, and returns how many
/// a second it were.
pub(super) fn encode(folder: &Path) -> Result<f64> {
    let (chunks, encoder) = (Author::new(SEED).chunks(ENCODED)?, encoder()?);
    let one = |chunk: &Chunk| -> Result<Embedding> {
        Ok(Embedding::from(&encoder.encode_tokens(&chunk.encoded_text())?))
    };
    let share = |part: &[Chunk]| part.iter().map(one).collect::<Result<Vec<_>>>();
    let start = Instant::now();
    let embeddings = thread::scope(|scope| {
        let size = ENCODED.div_ceil(thread::available_parallelism()?.get());
        let parts: Vec<_> =
            chunks.chunks(size).map(|part| scope.spawn(move || share(part))).collect();
        let done = parts
            .into_iter()
            .map(|part| part.join().map_err(|_| anyhow!("a thread of the encoder ended early"))?);
        Ok::<_, Error>(done.collect::<Result<Vec<_>>>()?.concat())
    })?;
    let rate = ENCODED as f64 / start.elapsed().as_secs_f64();
    fs::write(folder.join(PACK), index::build(&chunks, Some((encoder.id(), &embeddings)))?)?;
    Ok(rate)
}

/// Of the passages that are encoded.
const PACK: &str = "encoded.pack";
