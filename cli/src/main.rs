//! `dossier`: the one native binary.

mod commands;
mod corpus;
mod env;
mod eval;
mod log;
mod model;
mod output;
mod pack;
mod previous;
mod reading;
mod store;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    ask, doctor, eval as eval_command, ingest, model as model_command, preinitialise, search, up,
    warm,
};

/// Question answering over one person's documents.
#[derive(Parser)]
#[command(name = "dossier", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong arguments or nothing to do it with, \
                          3 no source for the model could be reached.";

#[derive(Subcommand)]
enum Command {
    /// Answer one question from a pack, as the chat route would
    Ask(ask::Arguments),
    /// Tell what is there, what is missing and what to do
    Doctor(doctor::Arguments),
    /// Measure retrieval, refusals and answers on cases, and compare with what was measured before
    Eval(eval_command::Arguments),
    /// Build an index pack from documents
    Ingest(ingest::Arguments),
    /// Fetch and convert the embedding model
    Model(model_command::Arguments),
    /// Open what a component embeds when it is built, so that no visitor waits for it
    Preinitialise(preinitialise::Arguments),
    /// Read one file from standard input, for a run that does not trust it
    #[command(name = reading::COMMAND, hide = true)]
    ReadFile {
        /// Its name
        source: String,
    },
    /// Find passages in a pack
    Search(search::Arguments),
    /// Serve the application on this machine
    Up(up::Arguments),
    /// Put questions to a running service, so that their answers are kept for the next who asks
    Warm(warm::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Ask(arguments) => ask::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Eval(arguments) => eval_command::run(&arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Model(arguments) => model_command::run(&arguments),
        Command::Preinitialise(arguments) => preinitialise::run(&arguments),
        Command::ReadFile { source } => reading::reply(&source).map_err(Into::into),
        Command::Search(arguments) => search::run(&arguments),
        Command::Up(arguments) => up::run(arguments),
        Command::Warm(arguments) => warm::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("dossier: {:#}", failure.error);
            ExitCode::from(failure.code)
        }
    }
}
