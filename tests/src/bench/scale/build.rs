//! Builds the pack of one size, each part timed.

use std::{fs, path::Path, thread, time::Instant};

use anyhow::{Context as _, Result, anyhow};
use dossier_core::{index, model::Encoder, text::Chunk};
use dossier_tests::encoder;
use serde::{Deserialize, Serialize};

use super::{
    Question,
    corpus::{Author, unit},
    memory,
};

const SEED: u64 = 20_261_121;
/// Passages that are encoded; the rest lie around them.
const ENCODED: usize = 400;
/// How far: passages around the same one have a cosine near 0.6, as passages on one matter have.
const SPREAD: f32 = 0.8;
const QUESTIONS: usize = 50;

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

/// Leaves `scale.pack` and `questions.json` in `folder`.
pub(super) fn run(size: usize, folder: &Path) -> Result<Figures> {
    let author = Author::new(SEED);
    let start = Instant::now();
    let chunks = author.chunks(size)?;
    let cutting = start.elapsed().as_secs_f64();

    let encoder = encoder()?;
    let (centres, encoding) = encode(&encoder, &chunks[..size.min(ENCODED)])?;
    let around = |at: usize| {
        let centre = &centres[at % centres.len()];
        let noise = author.direction(centre.len());
        unit(centre.iter().zip(noise).map(|(centre, noise)| centre + SPREAD * noise).collect())
    };
    let vectors: Vec<Vec<f32>> = (0..size).map(around).collect();
    let questions = (0..QUESTIONS).map(|_| {
        let text = author.question();
        Ok(Question { vector: encoder.encode(&text)?, text })
    });
    let questions: Vec<Question> = questions.collect::<Result<_>>()?;

    let start = Instant::now();
    drop(index::build(&chunks, None)?);
    let lexical = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let pack = index::build(&chunks, Some((encoder.id(), &vectors)))?;
    let dense = (start.elapsed().as_secs_f64() - lexical).max(0.0);
    fs::write(folder.join("scale.pack"), &pack)?;
    fs::write(folder.join("questions.json"), serde_json::to_vec(&questions)?)?;
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
fn encode(encoder: &Encoder, chunks: &[Chunk]) -> Result<(Vec<Vec<f32>>, f64)> {
    let cores = thread::available_parallelism()?.get();
    let start = Instant::now();
    let one = |chunk: &Chunk| encoder.encode(&chunk.indexed_text()).context("encoding");
    let vectors: Result<Vec<_>> = thread::scope(|scope| {
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
    Ok((vectors?, chunks.len() as f64 / start.elapsed().as_secs_f64()))
}
