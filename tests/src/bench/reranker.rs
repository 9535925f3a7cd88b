//! Speed of the cross-encoder beside ONNX Runtime's, in one run: 20 pairs of 128 word pieces.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    num::NonZero,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use dossier_reranker::{
    Pool,
    model::{CrossEncoder, Network, Pair, Precision, random_model, to_onnx},
};
use dossier_tests::{published, python};
use futures::future::try_join_all;

use super::Row;

const PAIRS: usize = 20;
const LENGTH: i64 = 128;
/// Rounds in which every engine has its turn; the quickest counts, since a neighbour on the machine
/// only ever makes one slower.
const ROUNDS: usize = 7;
const SEED: u64 = 1;

/// Answers each line with the milliseconds of a run, after which no thread of it spins.
const SCRIPT: &str = "
import sys, time, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
options.add_session_config_entry('session.force_spinning_stop', '1')
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])
ids = numpy.tile((numpy.arange(int(sys.argv[4])) * 97 + 1000) % 30000, (int(sys.argv[3]), 1))
inputs = {'input_ids': ids, 'token_type_ids': numpy.zeros_like(ids)}
session.run(None, inputs)
for line in sys.stdin:
    start = time.perf_counter()
    session.run(None, inputs)
    print((time.perf_counter() - start) * 1e3, flush=True)
";

pub(super) fn rows() -> Result<Vec<Row>> {
    let model = random_model(SEED, published("tokenizer.json")?)?;
    let folder = tempfile::tempdir()?;
    let graph = folder.path().join("model.onnx");
    if let Network::Bert { weights, heads } = &model.network {
        fs::write(&graph, to_onnx(weights, *heads, Precision::Float)?)?;
    }
    let models = [Precision::Float, Precision::Int8]
        .map(|precision| CrossEncoder::open(model.clone(), precision, 512).map(Arc::new));
    let [float, int8] = models;
    let (float, int8) = (float?, int8?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let mut rows = Vec::new();
    for threads in [1, 2] {
        let mut peer = match python() {
            Some(python) => Some(Peer::start(&python, &graph, threads)?),
            None => None,
        };
        let pool = Pool::start(NonZero::new(threads).context("no threads")?)?;
        let mut best = [f64::INFINITY; 3];
        for _ in 0..ROUNDS {
            if let Some(peer) = &mut peer {
                best[0] = best[0].min(peer.run()?);
            }
            for (at, model) in [&float, &int8].into_iter().enumerate() {
                best[at + 1] = best[at + 1].min(runtime.block_on(ours(&pool, model))?);
            }
        }
        let [theirs, float, int8] = best;
        let measured = |ours: f64| match theirs.is_finite() {
            true => format!("{ours:.0} / {theirs:.0} ms = {:.2}", ours / theirs),
            false => format!("{ours:.0} ms"),
        };
        let how = match theirs.is_finite() {
            true => "ours / ONNX Runtime fp32 on the same graph, quickest of 7 turns each",
            false => "SKIP of ONNX Runtime: no Python has it (`cargo xtask test` installs it)",
        };
        let names = match threads {
            1 => ["cross-encoder, 20 × 128, 1 thread, fp32", "the same, int8"],
            _ => ["cross-encoder, 20 × 128, 2 threads, fp32", "the same, int8"],
        };
        let [fp32_name, int8_name] = names;
        rows.push(Row { what: fp32_name, bar: "≤ 1.2", measured: measured(float), how });
        rows.push(Row { what: int8_name, bar: "< 1.0", measured: measured(int8), how });
    }
    Ok(rows)
}

/// Milliseconds of a run in the pool, as the service does it.
async fn ours(pool: &Pool, model: &Arc<CrossEncoder>) -> Result<f64> {
    let ids = (0..LENGTH).map(|at| (at * 97 + 1000) % 30_000).collect();
    let pair = Arc::new(Pair { ids, types: vec![0; LENGTH as usize], truncated: false });
    let start = Instant::now();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    try_join_all((0..PAIRS).map(|_| {
        let (model, pair) = (Arc::clone(model), Arc::clone(&pair));
        async move { anyhow::Ok(pool.run(deadline, move || model.score(&pair)).await??) }
    }))
    .await?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// ONNX Runtime in a process of its own.
struct Peer {
    process: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Peer {
    fn start(python: &std::path::Path, graph: &std::path::Path, threads: usize) -> Result<Self> {
        let mut process = Command::new(python)
            .args(["-c", SCRIPT])
            .arg(graph)
            .args([threads, PAIRS, LENGTH as usize].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = BufReader::new(process.stdout.take().context("no output")?);
        Ok(Self { process, answers })
    }

    /// Milliseconds of a run.
    fn run(&mut self) -> Result<f64> {
        let input = self.process.stdin.as_mut().context("no input")?;
        input.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer.trim().parse()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.process.stdin.take();
        // It ends with its input.
        let _ = self.process.wait();
    }
}
