//! `dossier model`: the embedding model into the user's cache.

use std::path::PathBuf;

use crate::{
    model::fetch::{self, Fetched},
    output::{Failure, NO_MODEL, Outcome, say},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder with the published files (model.safetensors, tokenizer.json), tried first
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Convert again even if the model is there
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match fetch::ensure(arguments.from.as_deref(), arguments.force)? {
        Fetched::UpToDate(folder) => say!("model: up to date in {}", folder.display()),
        Fetched::Converted(folder) => say!("model: ready in {}", folder.display()),
        Fetched::NoSource(reasons) => {
            let error = anyhow::anyhow!(
                "no source has the embedding model; search runs on its lexical leg alone.\n  {}\n\
                 Check the network, or fetch the files elsewhere and pass `--from DIR`.",
                reasons.join("\n  ")
            );
            return Err(Failure { code: NO_MODEL, error });
        }
    }
    Ok(())
}
