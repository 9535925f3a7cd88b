//! The encoder beside other runtimes: the component beside tract, `dossier ingest` beside ONNX
//! Runtime, and what rounding its weights costs.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use dossier_core::{index::Index, model::Encoder};
use dossier_tests::{
    Reply, Server, encoder, pack, published,
    reference::{Tract, Weights, onnx},
};
use serde_json::json;

use super::{Row, median};

/// Word pieces of the texts that are timed.
const LENGTHS: [usize; 3] = [12, 64, 128];
const ROUNDS: usize = 50;
const THREADS: usize = 2;

pub(super) fn rows() -> Result<Vec<Row>> {
    let (index, encoder) = (Index::open(pack()?)?, encoder()?);
    let texts: Vec<String> = index.chunks().iter().map(|chunk| chunk.encoded_text()).collect();
    let graph = onnx(&published("model.safetensors")?, Weights::Published)?;
    let tract = Tract::open(&graph)?;
    let mut rows = latencies(&encoder, &tract, &texts)?;
    rows.push(throughput(&encoder, &graph, &texts)?);
    rows.push(loss(&encoder, &tract, &texts)?);
    Ok(rows)
}

fn latencies(encoder: &Encoder, tract: &Tract, texts: &[String]) -> Result<Vec<Row>> {
    let questions = LENGTHS.map(|length| cut(encoder, &texts.join(" "), length - 1));
    let questions = questions.into_iter().collect::<Result<Vec<_>>>()?;
    let server = Server::start()?;
    // An instance keeps the vectors of questions, so no question comes twice: the number at its end is
    // one piece.
    let numbered = |text: &str, round: usize| format!("{text} {round}");
    let search = |text: &String| {
        let times = (0..ROUNDS).map(|round| {
            let reply = server.post("/search", &json!({"query": numbered(text, round)}))?;
            ensure!(reply.status == 200, "{}", reply.body);
            encoding(&reply)
        });
        let mut times = times.collect::<Result<Vec<f64>>>()?;
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    };
    let components = questions.iter().map(search).collect::<Result<Vec<_>>>()?;
    let whats = [
        "encoder, 12 word pieces: component / tract natively",
        "encoder, 64 word pieces: component / tract natively",
        "encoder, 128 word pieces: component / tract natively",
    ];
    let mut rows = Vec::new();
    for ((what, text), component) in whats.into_iter().zip(&questions).zip(components) {
        let text = &numbered(text, 0);
        let ids = ids(encoder, text)?;
        let theirs = median(ROUNDS, |_| tract.run(&ids).map(drop))?;
        let native = median(ROUNDS, |_| Ok(encoder.encode(text).map(drop)?))?;
        let [theirs, native] = [theirs, native].map(milliseconds);
        rows.push(Row {
            what,
            bar: "≤ 2.5",
            measured: format!("{component:.1} / {theirs:.1} ms = {:.2}", component / theirs),
            how: "component: its own clock, by Server-Timing of /search; tract: float weights",
        });
        rows.push(Row {
            what: "the same natively",
            bar: "–",
            measured: format!("{native:.2} ms, {:.2} of tract", native / theirs),
            how: "Encoder::encode",
        });
    }
    Ok(rows)
}

/// What a reply says that encoding its question took, in milliseconds.
fn encoding(reply: &Reply) -> Result<f64> {
    let stages = reply.headers.get("server-timing").map(String::as_str).unwrap_or_default();
    let duration = stages.split(", ").find_map(|stage| stage.strip_prefix("encode;dur="));
    Ok(duration.with_context(|| format!("no stage encode in {stages:?}"))?.parse()?)
}

/// Texts a second on two threads.
fn throughput(encoder: &Encoder, graph: &[u8], texts: &[String]) -> Result<Row> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(text) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
            encoder.encode(text)?;
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|it| it.join().unwrap_or_else(|_| Ok(())))
    })?;
    let rate = |seconds: f64| texts.len() as f64 / seconds;
    let ours = rate(start.elapsed().as_secs_f64());
    let measured = match onnx_runtime(encoder, graph, texts)? {
        Some(seconds) => {
            let theirs = rate(seconds);
            format!("{ours:.0} / {theirs:.0} = {:.2}", ours / theirs)
        }
        None => format!("{ours:.0} / SKIP: DOSSIER_PYTHON is not set"),
    };
    Ok(Row {
        what: "chunks encoded a second, 2 threads: ours / ONNX Runtime fp32",
        bar: "–",
        measured,
        how: "the sample's chunks, one at a time a thread",
    })
}

/// Runs a graph on texts, given as the number of their word pieces and then those, in two threads;
/// prints the seconds. A first round warms up.
const SCRIPT: &str = "
import sys, time, numpy, onnxruntime
from concurrent.futures import ThreadPoolExecutor
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])
numbers = numpy.fromfile(sys.argv[2], dtype='<i8')
texts = []
while numbers.size:
    texts.append(numbers[1:1 + numbers[0]].reshape(1, -1))
    numbers = numbers[1 + numbers[0]:]
def run(tokens):
    positions = numpy.arange(tokens.size).reshape(1, -1)
    session.run(None, {'tokens': tokens, 'positions': positions})
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    list(pool.map(run, texts[:8]))
    start = time.perf_counter()
    list(pool.map(run, texts))
    print(time.perf_counter() - start)
";

/// Seconds that ONNX Runtime takes, where a Python has it.
fn onnx_runtime(encoder: &Encoder, graph: &[u8], texts: &[String]) -> Result<Option<f64>> {
    let Some(python) = std::env::var_os("DOSSIER_PYTHON") else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let [file, numbers] = ["encoder.onnx", "numbers"].map(|name| folder.path().join(name));
    fs::write(&file, graph)?;
    let mut bytes = Vec::new();
    for text in texts {
        let ids = ids(encoder, text)?;
        let numbers = std::iter::once(ids.len() as i64).chain(ids.into_iter().map(i64::from));
        bytes.extend(numbers.flat_map(i64::to_le_bytes));
    }
    fs::write(&numbers, bytes)?;
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args([&file, &numbers])
        .arg(THREADS.to_string())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let seconds = said.trim().parse();
    Ok(Some(seconds.with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?))
}

/// How near the vectors are to those of the published weights.
fn loss(encoder: &Encoder, tract: &Tract, texts: &[String]) -> Result<Row> {
    let mut cosines = Vec::new();
    for text in texts {
        let ours = encoder.encode(text)?;
        let rows = tract.run(&ids(encoder, text)?)?;
        let width = encoder.width();
        let mut theirs = vec![0.0_f32; width];
        for row in rows.chunks_exact(width) {
            theirs.iter_mut().zip(row).for_each(|(sum, it)| *sum += it);
        }
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        cosines.push(dot(&ours, &theirs) / dot(&theirs, &theirs).sqrt());
    }
    let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
    let least = cosines.iter().copied().fold(1.0, f32::min);
    Ok(Row {
        what: "cosine to the vectors of float weights, all chunks",
        bar: "≥ 0.99",
        measured: format!("mean {mean:.5}, least {least:.5}"),
        how: "tract on the published weights",
    })
}

/// The beginning of `text` that has `length` word pieces.
fn cut(encoder: &Encoder, text: &str, length: usize) -> Result<String> {
    let tokens = encoder.encode_tokens(text)?.tokens;
    // The last of the pieces is [SEP].
    let last = tokens.get(length.saturating_sub(2)).context("the sample is too short")?;
    Ok(text[..last.span.end].to_owned())
}

fn ids(encoder: &Encoder, text: &str) -> Result<Vec<u32>> {
    Ok(encoder.encode_tokens(text)?.tokens.iter().map(|token| token.id).collect())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
