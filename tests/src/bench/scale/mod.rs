//! What grows with the number of chunks: building, size, memory, latency. Writes `docs/scale.md`.
//!
//! Each size is built in a process of its own and searched in another, so that memory is theirs
//! alone. Passages are real text to BM25; encoding all of them would take long, and so beyond the
//! first few thousand vectors are scattered around those of the passages that are encoded.

mod build;
mod corpus;
mod report;
mod search;

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use dossier_tests::root;
use serde::{Serialize, de::DeserializeOwned};

/// Of the texts.
const SEED: u64 = 20_261_121;
const SIZES: [usize; 5] = [1_000, 3_000, 10_000, 30_000, 100_000];

/// Runs `bench scale [SIZE…]`; with the words that this program gives itself, one step of it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["build", size, folder] => say(&build::run(size.parse()?, Path::new(folder))?),
        ["search", folder] => say(&search::run(Path::new(folder))?),
        [] => all(&SIZES),
        sizes => {
            let sizes: Result<Vec<usize>, _> = sizes.iter().map(|size| size.parse()).collect();
            all(&sizes.context("expected numbers of chunks")?)
        }
    }
}

fn all(sizes: &[usize]) -> Result<()> {
    let mut rows = Vec::new();
    for size in sizes {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_str().context("a temporary folder with a plain name")?;
        let built: build::Figures = step(&["build", &size.to_string(), path])?;
        let searched: search::Figures = step(&["search", path])?;
        println!("{}", report::line(&built, &searched));
        rows.push((built, searched));
    }
    if rows.len() < 2 {
        bail!("one size shows no growth: nothing was written");
    }
    fs::write(root().join("docs/scale.md"), report::page(&rows))?;
    fs::write(root().join("docs/scale.svg"), report::plot(&rows))?;
    println!("wrote docs/scale.md and docs/scale.svg");
    Ok(())
}

/// Runs a step in a process of its own.
fn step<T: DeserializeOwned>(arguments: &[&str]) -> Result<T> {
    let output = Command::new(env::current_exe()?).arg("scale").args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn say<T: Serialize>(figures: &T) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}

/// A figure of this process's memory, in MiB, by its name in Linux's status file.
fn memory(name: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("memory is read from Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    Ok(number.context("a line of the status file")?.parse::<f64>()? / 1024.0)
}
