//! `dossier ask`: the chat pipeline, natively.

use std::path::PathBuf;

use dossier_core::{chat, wire::ChatRequest};
use futures::executor::block_on;

use crate::{
    env::NativeEnv,
    output::{Failure, Outcome, say},
    pack::Opened,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The pack to answer from
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// The JSON that /chat replies with
    #[arg(long)]
    json: bool,
    /// Folder of the converted model [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// The question
    question: String,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let opened = Opened::open(&arguments.pack, arguments.model.as_deref())?;
    let request = ChatRequest { question: arguments.question.clone(), ..ChatRequest::default() };
    let turn = block_on(chat::answer(&NativeEnv::default(), &opened.retriever(), request))
        .map_err(Failure::usage)?;
    let response = turn.response;
    if arguments.json {
        say!("{}", serde_json::to_string(&response)?);
        return Ok(());
    }
    say!("{}", response.answer);
    for source in &response.sources {
        say!("  [{}] {} › {}", source.citation_index, source.source, source.heading.join(" › "));
    }
    Ok(())
}
