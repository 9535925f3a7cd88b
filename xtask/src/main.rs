//! `cargo xtask`: every command that a person or CI runs.
//!
//! This file is the list of commands; each command's work is in the file of its noun.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool talks to the terminal")]

mod build;
mod ci;
mod components;
mod debian;
mod fuzz;
mod helpers;
mod index;
mod measure;
mod model;
mod shell;
mod suite;
mod tidy;
mod tool;
mod wasm_target;
mod workspace;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, runs, tests and measures Dossier. Nothing is done twice: what is up to date is left.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs the wasm32-wasip2 compile target: by rustup, else from Debian's sources
    WasmTarget,
    /// Fetches, verifies and converts the embedding model into the user's cache
    Model,
    /// Builds data/index.pack from data/docs
    Index,
    /// Builds the components and prints their sizes beside their budgets
    Wasm,
    /// Builds everything: target, native binaries, model, index, components
    Build,
    /// Builds everything, then starts the application (`dossier up`)
    Up(Passed),
    /// Builds everything, then runs every test; arguments go to the native tests as filters
    Test(Passed),
    /// Runs the benchmarks
    Bench(Passed),
    /// Runs the double of Groq by hand; --help lists what it can do
    #[command(disable_help_flag = true)]
    FakeGroq(Passed),
    /// Writes what is made from the wire types: docs/openapi.json, the page, the tools
    Openapi,
    /// Trains the guard's classifier (train), or measures the guard (eval [--control | --control2] [--check] [--failures])
    Guard(Passed),
    /// Measures retrieval and answers on the cases in data/eval (`dossier eval`)
    Eval(Passed),
    /// Fuzzes what reads strangers' files, for some seconds each target; new inputs go to the user's cache
    Fuzz(fuzz::Options),
    /// Checks walls, headers, links, checksums and formatting; lists findings as file:line: message
    Tidy,
    /// Runs what CI runs: tidy, clippy, documentation, cargo-deny, every test
    Ci,
}

#[derive(clap::Args)]
struct Passed {
    /// Arguments passed on as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let outcome = run(arguments.command, started);
    let elapsed = started.elapsed().as_secs_f64();
    match outcome {
        Ok(()) => {
            shell::headline("done", &format!("{elapsed:.1} s"));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem:#}");
            shell::headline("failed", &format!("{elapsed:.1} s"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, started: Instant) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::WasmTarget => wasm_target::ensure_installed(),
        Command::Model => model::prepare(&workspace).map(drop),
        Command::Index => {
            let model = model::prepare(&workspace)?;
            index::prepare(&workspace, &model)
        }
        Command::Wasm => {
            wasm_target::ensure_installed()?;
            index::prepare_if_absent(&workspace)?;
            model::build_dossier(&workspace)?;
            components::prepare(&workspace)?.within_budget()
        }
        Command::Build => build::everything(&workspace).map(drop),
        Command::Up(passed) => build::up(&workspace, &passed.args, started),
        Command::Test(passed) => suite::run(&workspace, &passed.args),
        Command::Bench(passed) => measure::bench(&workspace, &passed.args),
        Command::FakeGroq(passed) => build::fake_groq(&workspace, &passed.args),
        Command::Openapi => build::openapi(&workspace),
        Command::Guard(passed) => measure::guard(&workspace, &passed.args),
        Command::Eval(passed) => measure::eval(&workspace, &passed.args),
        Command::Fuzz(options) => fuzz::run(&workspace, &options),
        Command::Tidy => tidy::run(&workspace),
        Command::Ci => ci::run(&workspace),
    }
}
