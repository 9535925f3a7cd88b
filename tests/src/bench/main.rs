//! The budgets of the design that can be measured so far, each as a row: bar, measured, how.
//!
//! Ratios are taken side by side in one run. Nothing here passes or fails: speed is read, not
//! asserted. `bench load` talks to the chat from many sides, `bench scale` measures what grows with
//! the number of chunks, `bench reranker` the cross-encoder alone.
#![expect(clippy::print_stdout, reason = "a benchmark speaks on standard output")]

mod encoder;
mod load;
mod memory;
mod reranker;
mod scale;
mod speed;

use std::time::{Duration, Instant};

use anyhow::Result;
use dossier_tests::component;

/// A row of the table.
pub(crate) struct Row {
    what: &'static str,
    bar: &'static str,
    measured: String,
    how: &'static str,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "load" => load::run(rest),
        Some((first, rest)) if first == "scale" => scale::run(rest),
        Some((first, _)) if first == "reranker" => {
            print(reranker::rows()?);
            Ok(())
        }
        Some((other, _)) => {
            anyhow::bail!("unknown: {other}; expected nothing, load, scale or reranker")
        }
        None => table(),
    }
}

fn table() -> Result<()> {
    let mut rows = speed::rows()?;
    rows.extend(encoder::rows()?);
    rows.push(memory::row()?);
    let bytes = std::fs::metadata(component("chat"))?.len();
    rows.push(Row {
        what: "chat component, uncompressed",
        bar: "≤ 50 MiB",
        measured: format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        how: "size of the file; compressed: cargo xtask wasm",
    });
    rows.extend(reranker::rows()?);
    print(rows);
    Ok(())
}

fn print(rows: Vec<Row>) {
    println!("{:<58} {:>10} {:>22}  how", "what", "bar", "measured");
    for row in rows {
        println!("{:<58} {:>10} {:>22}  {}", row.what, row.bar, row.measured, row.how);
    }
}

/// The time that half of the rounds stay below, after a few that warm up.
fn median(rounds: usize, mut run: impl FnMut(usize) -> Result<()>) -> Result<Duration> {
    for round in 0..4 {
        run(round)?;
    }
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let start = Instant::now();
        run(round)?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[rounds / 2])
}
