//! `dossier-reranker`: opens the models, then serves until it is told to stop.

use std::{net::TcpListener, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use dossier_reranker::{
    App, Config, Pool, Tls,
    model::{CrossEncoder, Embedder, Model, NoWeights, Published, random_model},
    serve,
};
use etcetera::BaseStrategy as _;
use tracing_subscriber::EnvFilter;

/// Something failed.
const FAILED: u8 = 1;
/// The arguments are wrong.
const USAGE: u8 = 2;
/// No weights for the cross-encoder could be had.
const NO_WEIGHTS: u8 = 3;

/// The embedding model that `dossier model` prepares.
const ENCODER: &str = "models/all-minilm-l6-v2-int8.3";
/// Its published tokenizer.
const TOKENIZER: &str = "downloads/all-minilm-l6-v2/tokenizer.json";

fn main() -> ExitCode {
    let config = Config::parse();
    let filter = EnvFilter::try_from_env("RERANKER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = match config.check() {
        Ok(()) => run(&config),
        Err(error) => return fail(USAGE, &error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<NoWeights>() => fail(NO_WEIGHTS, &error),
        Err(error) => fail(FAILED, &error),
    }
}

fn fail(code: u8, error: &anyhow::Error) -> ExitCode {
    eprintln!("dossier-reranker: {error:#}");
    ExitCode::from(code)
}

fn run(config: &Config) -> Result<()> {
    let tls = config.tls().map(Tls::open).transpose()?;
    let published = published(config)?;
    tracing::info!(model = published.id, "opening");
    let cross_encoder = CrossEncoder::open(published, config.precision, config.limits.max_tokens)?;
    let embedder = embedder(config)?;
    let pool = Pool::start(config.workers())?;
    let limits = config.limits.clone();
    let app = Arc::new(App::new(cross_encoder, embedder, pool, limits, config.keys()?));

    let listener = TcpListener::bind(config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(address = %format!("{scheme}://{}", listener.local_addr()?), "ready");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(app, listener, tls, stop()))?;
    tracing::info!("stopped");
    Ok(())
}

fn published(config: &Config) -> Result<Published> {
    let Some(seed) = config.random_weights else {
        let model = Model::find(config.model.as_deref(), config.manifest.as_deref())?;
        return Published::read(&model, &config.fetch().obtain(&model)?);
    };
    tracing::warn!("random weights: scores mean nothing");
    let tokenizer = cache()?.join(TOKENIZER);
    let tokenizer = std::fs::read(&tokenizer)
        .with_context(|| format!("{}: run `dossier model`", tokenizer.display()))?;
    Ok(random_model(seed, tokenizer)?)
}

/// The embedding model, where it is there; one that was named must be.
fn embedder(config: &Config) -> Result<Option<Embedder>> {
    let folder = encoder_folder(config)?;
    if config.encoder.is_none() && !folder.is_dir() {
        tracing::warn!("no embedding model: /v1/embeddings is off; run `dossier model`");
        return Ok(None);
    }
    Ok(Some(Embedder::open(&folder).with_context(|| folder.display().to_string())?))
}

fn encoder_folder(config: &Config) -> Result<PathBuf> {
    if let Some(folder) = &config.encoder {
        return Ok(folder.clone());
    }
    Ok(cache()?.join(ENCODER))
}

/// The user's cache folder of Dossier.
fn cache() -> Result<PathBuf> {
    let user = etcetera::choose_base_strategy().context("no home folder: set HOME")?;
    Ok(user.cache_dir().join("dossier"))
}

/// Resolves on SIGINT or SIGTERM.
async fn stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await;
}
