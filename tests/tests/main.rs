//! Everything that crosses a crate wall, through real parts: the built components on the real host.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reports by panicking, and prints what it measured"
)]

mod browser;
mod caching;
mod cli;
mod clients;
mod conformance;
mod contract;
mod documents;
mod eval;
mod feedback;
mod groq;
mod hnsw;
mod ingest;
mod limits;
mod loopback;
mod model;
mod packs;
mod providers;
mod rankings;
mod reranker;
mod reranker_model;
mod reuse;
mod second_opinion;
mod service;
mod visitor;
