//! `dossier search`: passages for one question or a file of them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, anyhow};
use dossier_core::{
    auth::Visitor,
    telemetry::Trace,
    wire::{SearchRequest, SearchResponse},
};
use futures::executor::block_on;

use crate::{
    env::NativeChat,
    output::{Failure, Outcome, place, say},
    pack::PackArguments,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pack: PackArguments,
    /// Passages wanted, 1 to 20
    #[arg(short, default_value_t = 5, value_name = "N")]
    k: i64,
    /// Metadata that passages must carry; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// One JSON object a question a line
    #[arg(long)]
    json: bool,
    /// File with one question a line
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    queries: Option<PathBuf>,
    /// The questions
    #[arg(value_name = "QUESTION", required_unless_present = "queries")]
    question: Vec<String>,
}

/// Parses `key=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let questions = match &arguments.queries {
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string());
            text.map_err(Failure::usage)?
                .lines()
                .map(str::to_owned)
                .filter(|it| !it.trim().is_empty())
                .collect()
        }
        None => arguments.question.clone(),
    };
    let opened = arguments.pack.open()?;
    let chat = NativeChat::new()?;
    let service = chat.over(opened.retriever());
    let filter: BTreeMap<String, String> = arguments.filter.iter().cloned().collect();
    for question in questions {
        let request = SearchRequest {
            query: question.clone(),
            top_k: Some(arguments.k),
            filter: filter.clone(),
        };
        let mut trace = Trace::default();
        let (response, _) = block_on(service.search(request, Visitor::default(), &mut trace))
            .map_err(|error| Failure::usage(anyhow!("{question:?}: {error}")))?;
        if arguments.json {
            say!("{}", serde_json::to_string(&response)?);
        } else {
            print(&response);
        }
    }
    Ok(())
}

fn print(response: &SearchResponse) {
    say!("{}", response.query);
    for hit in &response.hits {
        let place = place(&hit.source, hit.page, &hit.heading);
        say!("{:>3}. {:.3}  {}  ({place})", hit.rank, hit.score, hit.id);
        let scores: Vec<String> =
            hit.scores.iter().map(|(name, score)| format!("{name} {score:.3}")).collect();
        say!("     {}", scores.join("  "));
        for line in hit.text.lines().take(4) {
            say!("     {line}");
        }
    }
    if response.hits.is_empty() {
        say!("     nothing found");
    }
}
