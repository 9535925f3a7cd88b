//! `dossier ingest`: documents to an index pack.

use std::{
    fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, anyhow};
use dossier_core::{
    index::{self, Embedding},
    model::Encoder,
    text::{self, Chunk},
};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::{
    corpus::{self, Corpus},
    model::folder,
    output::{Failure, Outcome, say},
    previous::Previous,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Documents, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The pack to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder of the converted model [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Build without the dense leg
    #[arg(long)]
    lexical: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let started = Instant::now();
    let target = target(&arguments.out)?;
    let Corpus { mut documents, mut skipped } = corpus::read(&arguments.paths);
    // The order of arguments must not show in the pack.
    documents.sort_by(|a, b| a.source.cmp(&b.source));
    let mut chunks: Vec<Chunk> = Vec::new();
    documents.retain(|document| {
        let own = text::chunks(document);
        if own.is_empty() {
            skipped.push((document.source.clone(), "headings without text".to_owned()));
        }
        chunks.extend_from_slice(&own);
        !own.is_empty()
    });
    for (source, reason) in &skipped {
        eprintln!("skipped {source}: {reason}");
    }
    if chunks.is_empty() {
        return Err(Failure::usage(anyhow!(
            "nothing could be ingested ({} skipped); nothing was written",
            skipped.len()
        )));
    }
    let encoder = match arguments.lexical {
        true => None,
        false => folder::open(arguments.model.as_deref())
            .inspect_err(|error| eprintln!("building the lexical leg alone: {error:#}"))
            .ok(),
    };
    let model = encoder.as_ref().map(Encoder::id);
    let previous = Previous::open(&target, model);
    let encoded = encoder.as_ref().map(|it| encode(it, &chunks, previous.as_ref())).transpose()?;
    let (vectors, reused) = encoded.unwrap_or_default();
    let pack = index::build(&chunks, model.map(|model| (model, vectors.as_slice())))?;
    write(&target, &pack)?;
    say!(
        "{}: {} documents, {} chunks, {} skipped, {} in {:.1} s ({})",
        arguments.out.display(),
        documents.len(),
        chunks.len(),
        skipped.len(),
        size(pack.len()),
        started.elapsed().as_secs_f32(),
        model.unwrap_or("without model"),
    );
    say!(
        "{} chunks: {reused} reused, {} encoded; {} documents removed",
        chunks.len(),
        vectors.len() - reused,
        previous.map_or(0, |previous| previous.removed(&documents)),
    );
    Ok(())
}

/// What the encoder makes of the chunks, and how many of them `previous` had: only what is new to
/// it is encoded.
pub(crate) fn encode(
    encoder: &Encoder,
    chunks: &[Chunk],
    previous: Option<&Previous>,
) -> anyhow::Result<(Vec<Embedding>, usize)> {
    // A pack that was too large for word pieces has none that a smaller one could take over.
    let previous = match previous {
        Some(previous) if !previous.has_pieces() && has_room(encoder, chunks)? => None,
        other => other,
    };
    let known: Vec<Option<Embedding>> =
        chunks.iter().map(|chunk| previous?.embedding(&chunk.encoded_text())).collect();
    let reused = known.iter().flatten().count();
    let bar = ProgressBar::new((chunks.len() - reused) as u64);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    bar.set_style(ProgressStyle::with_template(
        "encoding {bar:32} {pos}/{len} chunks, {eta} left",
    )?);
    let vectors = chunks.par_iter().zip(known).map(|(chunk, known)| match known {
        Some(embedding) => Ok(embedding),
        None => {
            let encoded = encoder.encode_tokens(&chunk.encoded_text());
            bar.inc(1);
            Ok(Embedding::from(&encoded.with_context(|| chunk.id.clone())?))
        }
    });
    let vectors = vectors.collect::<anyhow::Result<_>>()?;
    bar.finish_and_clear();
    Ok((vectors, reused))
}

/// Whether a pack of these chunks keeps their word pieces.
fn has_room(encoder: &Encoder, chunks: &[Chunk]) -> anyhow::Result<bool> {
    let counts = chunks.par_iter().map(|chunk| encoder.count_pieces(&chunk.encoded_text()));
    let count = counts.try_reduce(|| 0, |a, b| Ok(a + b))?;
    Ok(index::keeps_pieces(count, encoder.width()))
}

/// Where the pack goes: links are followed, and what is there is replaced only if it is a file.
fn target(out: &Path) -> Result<PathBuf, Failure> {
    match fs::metadata(out) {
        Ok(there) if !there.is_file() => Err(Failure::usage(anyhow!(
            "{} is not a file: give --out a file to write; nothing was written",
            out.display()
        ))),
        Ok(_) => Ok(out.canonicalize()?),
        Err(_) => Ok(out.to_owned()),
    }
}

/// Writes beside the target and renames: a run that is killed leaves the old file whole.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = target.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file: the user's mask decides. Temporary files are private by default.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .tempfile_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // Its own error repeats the system's, which alone is to be told.
    let written = file.persist(target).map_err(|failed| failed.error);
    written.with_context(|| format!("cannot write {}", target.display()))?;
    Ok(())
}

fn size(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / (1 << 20) as f64)
}
