//! The budgets of the design that can be measured so far, each as a row: bar, measured, how.
//!
//! Ratios are taken side by side in one run. Nothing here passes or fails: speed is read, not
//! asserted.
#![expect(clippy::print_stdout, reason = "a benchmark speaks on standard output")]

mod memory;
mod reranker;
mod speed;

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
    let rows = match std::env::args().nth(1).as_deref() {
        Some("reranker") => reranker::rows()?,
        Some(other) => anyhow::bail!("{other}: expected nothing, or reranker"),
        None => all()?,
    };
    println!("{:<58} {:>10} {:>22}  how", "what", "bar", "measured");
    for row in rows {
        println!("{:<58} {:>10} {:>22}  {}", row.what, row.bar, row.measured, row.how);
    }
    Ok(())
}

fn all() -> Result<Vec<Row>> {
    let mut rows = speed::rows()?;
    rows.push(memory::row()?);
    let bytes = std::fs::metadata(component("chat"))?.len();
    rows.push(Row {
        what: "chat component, uncompressed",
        bar: "≤ 50 MiB",
        measured: format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        how: "size of the file; compressed: cargo xtask wasm",
    });
    rows.extend(reranker::rows()?);
    Ok(rows)
}
