//! `dossier doctor`: what is there, what is missing, what to do.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use dossier_core::index::Index;
use dossier_host::Manifest;

use crate::{
    model::folder,
    output::{Outcome, say},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The application
    #[arg(long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// The pack; one that is named must be sound [default: data/index.pack]
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
}

/// What is built in when no other pack is published.
const PACK: &str = "data/index.pack";

/// One finding: well, or missing with what to do; the vital ones must be well.
struct Finding {
    subject: &'static str,
    vital: bool,
    result: Result<String, String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let file = arguments.pack.as_deref();
    let findings = [
        Finding { subject: "model", vital: false, result: model() },
        Finding {
            subject: "pack",
            vital: file.is_some(),
            result: pack(file.unwrap_or(Path::new(PACK))),
        },
        Finding { subject: "application", vital: true, result: application(&arguments.manifest) },
        Finding { subject: "port 3000", vital: false, result: port() },
    ];
    let mut missing = 0;
    for finding in &findings {
        let (mark, text) = match &finding.result {
            Ok(text) => ("ok     ", text),
            Err(text) if finding.vital => ("missing", text),
            Err(text) => ("note   ", text),
        };
        say!("{mark}  {:<12} {text}", finding.subject);
        missing += usize::from(finding.vital && finding.result.is_err());
    }
    match missing {
        0 => Ok(()),
        _ => Err(anyhow!("not everything is there: see what is missing above").into()),
    }
}

fn model() -> Result<String, String> {
    let encoder =
        folder::open(None).map_err(|error| format!("{error:#}; search is lexical until then"))?;
    Ok(format!("{}, {} dimensions", encoder.id(), encoder.width()))
}

fn pack(file: &Path) -> Result<String, String> {
    let bytes = fs::read(file).map_err(|error| {
        format!("{}: {error}; run `dossier ingest data/docs --out {0}`", file.display())
    })?;
    let index = Index::open(bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    let header = index.header();
    let model = header.model.as_ref().map_or("without model", |model| model.id.as_str());
    Ok(format!(
        "{}: {} documents, {} chunks, {model}",
        file.display(),
        header.documents,
        header.chunks
    ))
}

fn application(file: &Path) -> Result<String, String> {
    let manifest = Manifest::load(file).map_err(|error| error.to_string())?;
    let missing: Vec<String> = manifest
        .components
        .values()
        .filter(|component| !component.source.exists())
        .map(|component| component.source.display().to_string())
        .collect();
    match missing.as_slice() {
        [] => Ok(format!("{}: {} components", file.display(), manifest.components.len())),
        missing => Err(format!("not built: {}; run `cargo xtask wasm`", missing.join(", "))),
    }
}

fn port() -> Result<String, String> {
    TcpListener::bind("127.0.0.1:3000")
        .map(|_| "free".to_owned())
        .map_err(|error| format!("{error}; use `dossier up --listen 127.0.0.1:0`"))
}
