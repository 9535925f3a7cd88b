//! Latency and throughput, on the real host with the built components.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use dossier_core::{
    index::{Embedding, Index, build},
    retrieval::{Query, Retriever, TOP_K},
    text::Chunk,
};
use dossier_host::{Limits, ReuseLimits};
use dossier_tests::{Server, ServerOptions, encoder, pack};
use serde_json::json;

use super::{Row, median};

/// Questions of at most 16 word pieces.
const QUESTIONS: [&str; 4] = [
    "Where was Marie Curie born?",
    "When did she defend her doctoral thesis?",
    "Who isolated radium metal with her?",
    "Which prize did she receive in 1911?",
];
const ROUNDS: usize = 100;
const CHUNKS: usize = 1_000;
const HEALTH_REQUESTS: usize = 4_000;
const CLIENTS: usize = 4;

pub(super) fn rows() -> Result<Vec<Row>> {
    let (index, encoder) = (Index::open(pack()?)?, encoder()?);
    let retriever = Retriever::new(&index, Some(&encoder));
    let search = |text| retriever.search(&Query { text, top_k: TOP_K, ..Query::default() });
    let native_search = median(ROUNDS, |round| {
        search(QUESTIONS[round % 4]);
        Ok(())
    })?;

    let server = Server::start()?;
    let whole = median(ROUNDS, |round| post(&server, "/search", round))?;
    let chat = median(ROUNDS, |round| post(&server, "/chat", ROUNDS + round))?;
    let health = throughput(&server, "/health")?;
    let page = throughput(&server, "/favicon.svg")?;
    drop(server);

    let reuse = ReuseLimits { requests: 1, ..ReuseLimits::default() };
    let limits = Limits { reuse, ..Limits::default() };
    let server = Server::start_with(ServerOptions { limits, ..ServerOptions::default() })?;
    let fresh = median(20, |round| post(&server, "/search", round))?;

    Ok(vec![
        Row {
            what: "retrieval in the component, encoder included, p50",
            bar: "≤ 25 ms",
            measured: milliseconds(whole),
            how: "POST /search over loopback, reused instance; native beside it below",
        },
        Row {
            what: "the same natively, no HTTP, p50",
            bar: "–",
            measured: milliseconds(native_search),
            how: "Retriever::search",
        },
        Row {
            what: "retrieval without the encoder at 1 000 chunks, p50",
            bar: "≤ 3 ms",
            measured: milliseconds(synthetic()?),
            how: "natively: BM25, exact vectors, fusion over repeated sample chunks",
        },
        Row {
            what: "whole answer in the component, p50",
            bar: "≤ 40 ms",
            measured: milliseconds(chat),
            how: "POST /chat, extractive; stands for the overhead before an LLM",
        },
        Row {
            what: "fresh instance to first retrieval, p50",
            bar: "≤ 60 ms",
            measured: milliseconds(fresh),
            how: "POST /search, a new instance each, initialised when built",
        },
        Row {
            what: "health route / static file, requests a second",
            bar: "≥ 0.8",
            measured: format!("{health:.0} / {page:.0} = {:.2}", health / page),
            how: "4 clients, one process with the host; the file stands for a bare component",
        },
    ])
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

fn post(server: &Server, path: &str, round: usize) -> Result<()> {
    // An instance keeps answers and vectors of questions, so none comes twice.
    let question = format!("{} ({round})", QUESTIONS[round % QUESTIONS.len()]);
    let reply = server.post(path, &json!({"question": question}))?;
    ensure!(reply.status == 200, "{path}: {}", reply.body);
    Ok(())
}

/// Requests a second of `CLIENTS` clients at once.
fn throughput(server: &Server, path: &str) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let client = || -> Result<()> {
        while next.fetch_add(1, Ordering::Relaxed) < HEALTH_REQUESTS {
            ensure!(server.get(path)?.status == 200, "{path}");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|it| it.join().unwrap_or_else(|_| Ok(())))
    })?;
    Ok(HEALTH_REQUESTS as f64 / start.elapsed().as_secs_f64())
}

/// Median of a search with the question's vector at hand, over the sample repeated to `CHUNKS`.
fn synthetic() -> Result<Duration> {
    let (sample, encoder) = (Index::open(pack()?)?, encoder()?);
    let chunks: Vec<Chunk> = sample.chunks().iter().cycle().take(CHUNKS).cloned().collect();
    let own: Vec<Embedding> = sample
        .chunks()
        .iter()
        .map(|chunk| Ok(Embedding::from(&encoder.encode_tokens(&chunk.encoded_text())?)))
        .collect::<Result<_>>()?;
    let embeddings: Vec<Embedding> = own.iter().cycle().take(CHUNKS).cloned().collect();
    let index = Index::open(build(&chunks, Some((encoder.id(), &embeddings)))?)?;
    let retriever = Retriever::new(&index, Some(&encoder));
    let questions =
        QUESTIONS.map(|text| encoder.encode_tokens(text).map(|encoded| (text, encoded)));
    let questions = questions.into_iter().collect::<Result<Vec<_>, _>>()?;
    median(ROUNDS, |round| {
        let (text, encoded) = &questions[round % questions.len()];
        let query = Query { text, top_k: TOP_K, ..Query::default() };
        retriever.search_encoded(&query, Some(encoded));
        Ok(())
    })
}
