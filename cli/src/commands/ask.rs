//! `dossier ask`: the chat pipeline, natively.

use dossier_core::wire::ChatRequest;

use crate::{
    env::NativeChat,
    output::{Failure, Outcome, place, say},
    pack::PackArguments,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pack: PackArguments,
    /// The JSON that /chat replies with
    #[arg(long)]
    json: bool,
    /// The question
    question: String,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let opened = arguments.pack.open()?;
    let request = ChatRequest { question: arguments.question.clone(), ..ChatRequest::default() };
    let response = NativeChat::new()?.ask(opened.retriever(), request).map_err(Failure::usage)?;
    if arguments.json {
        say!("{}", serde_json::to_string(&response)?);
        return Ok(());
    }
    say!("{}", response.answer);
    for source in &response.sources {
        let place = place(&source.source, source.page, &source.heading);
        say!("  [{}] {place}", source.citation_index);
    }
    Ok(())
}
