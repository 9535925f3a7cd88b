//! What the operator decides: flags, each with a variable of the environment.

use std::{fs, net::SocketAddr, num::NonZero, path::PathBuf, thread};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use dossier_core::auth::Keys;

use crate::{
    Limits, TlsFiles,
    model::{Fetch, Precision},
};

/// Scores documents for a query, and embeds texts, over HTTP.
///
/// POST /v1/rerank takes what the clients of Cohere, Jina and Voyage send, POST /v1/embeddings what
/// OpenAI's send; GET /health/live, /health/ready and /metrics are for those who watch.
#[derive(Debug, Parser)]
#[command(name = "dossier-reranker", version, after_help = EXIT_CODES)]
pub struct Config {
    /// Address and port; port 0 takes a free one
    #[arg(long, env = "RERANKER_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// The cross-encoder, by its id in the manifest [default: the first]
    #[arg(long, env = "RERANKER_MODEL", value_name = "ID")]
    pub model: Option<String>,
    /// Manifest in place of the built-in data/models.toml
    #[arg(long, env = "RERANKER_MANIFEST", value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Folder with the model's published files, tried before the cache and the hub
    #[arg(long, env = "RERANKER_FROM", value_name = "DIR")]
    from: Option<PathBuf>,
    /// Checksum of a file that its manifest has none for; may be repeated
    #[arg(long, env = "RERANKER_ACCEPT", value_name = "SHA256", value_delimiter = ',')]
    accept: Vec<String>,
    /// Number format in which a BERT's products are computed
    #[arg(long, env = "RERANKER_PRECISION", value_enum, default_value_t = Precision::Float)]
    pub precision: Precision,
    /// For developers: random weights, with the tokenizer of the embedding model; scores mean nothing
    #[arg(long, value_name = "SEED", conflicts_with_all = ["model", "manifest", "from"])]
    pub random_weights: Option<u64>,
    /// Folder of the embedding model [default: where `dossier model` puts it]
    #[arg(long, env = "DOSSIER_MODEL_DIR", value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Threads that compute [default: one a core]
    #[arg(long, env = "RERANKER_WORKERS", value_name = "N")]
    workers: Option<NonZero<usize>>,
    /// Accepted API keys, comma-separated
    #[arg(long, env = "RERANKER_API_KEYS", hide_env_values = true, value_name = "KEYS")]
    api_keys: Option<String>,
    /// File that holds them
    #[arg(long, env = "RERANKER_API_KEYS_FILE", conflicts_with = "api_keys", value_name = "FILE")]
    api_keys_file: Option<PathBuf>,
    /// Serve other machines without a key or client certificates
    #[arg(long, env = "RERANKER_ALLOW_ANYONE")]
    allow_anyone: bool,
    /// Certificate chain in PEM; read anew when it changes, and on SIGHUP
    #[arg(long, env = "RERANKER_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, env = "RERANKER_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Authorities in PEM: only clients with a certificate of theirs are let in
    #[arg(long, env = "RERANKER_CLIENT_CA", requires = "tls_cert", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Bounds on what clients may ask.
    #[command(flatten)]
    pub limits: Limits,
}

const EXIT_CODES: &str = "Exit codes: 0 stopped, 1 failed, 2 wrong arguments, 3 no weights for the \
                          cross-encoder could be had.";

impl Config {
    /// Refuses what parses and cannot be meant.
    ///
    /// # Errors
    /// Which argument, and what to do.
    pub fn check(&self) -> Result<()> {
        if self.limits.max_queue < self.limits.max_documents {
            bail!(
                "--max-queue {} is less than --max-documents {}: the largest request would never be \
                 taken",
                self.limits.max_queue,
                self.limits.max_documents
            );
        }
        let keys = self.keys()?;
        Keys::new(&keys)?;
        let known = !keys.is_empty() || self.client_ca.is_some() || self.allow_anyone;
        if !self.listen.ip().is_loopback() && !known {
            bail!(
                "{} can be reached from other machines and nobody is asked who they are: give \
                 --api-keys or --client-ca, or say --allow-anyone",
                self.listen
            );
        }
        Ok(())
    }

    /// The accepted keys, comma-separated; empty for none.
    ///
    /// # Errors
    /// The file cannot be read, or holds nothing.
    pub fn keys(&self) -> Result<String> {
        let Some(file) = &self.api_keys_file else {
            return Ok(self.api_keys.clone().unwrap_or_default());
        };
        let keys = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let keys = keys.trim();
        if keys.is_empty() {
            bail!("{}: expected API keys, comma-separated, got nothing", file.display());
        }
        Ok(keys.to_owned())
    }

    /// How the model's files are got.
    pub fn fetch(&self) -> Fetch {
        Fetch { from: self.from.clone(), accepted: self.accept.clone() }
    }

    /// Number of threads that compute.
    pub fn workers(&self) -> NonZero<usize> {
        let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.workers.unwrap_or_else(cores)
    }

    /// The files of TLS, where it is wanted.
    pub fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_cert.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { certificate, key, client_ca: self.client_ca.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: Result<(), &str>) {
        let arguments = ["dossier-reranker"].iter().chain(arguments);
        let got = Config::try_parse_from(arguments).map_err(anyhow::Error::from);
        match (got.and_then(|config| config.check()), expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, expected) => panic!("{got:?} for {expected:?}"),
        }
    }

    #[test]
    fn strangers_are_served_only_where_somebody_says_so() {
        check(&[], Ok(()));
        check(&["--listen", "[::1]:0"], Ok(()));
        let public = ["--listen", "0.0.0.0:8787"];
        check(&public, Err("--allow-anyone"));
        check(&[&public[..], &["--api-keys", "k"]].concat(), Ok(()));
        check(&[&public[..], &["--api-keys", ""]].concat(), Err("--allow-anyone"));
        check(&[&public[..], &["--allow-anyone"]].concat(), Ok(()));
        let tls = ["--tls-cert", "c", "--tls-key", "k"];
        check(&[&public[..], &tls].concat(), Err("--allow-anyone"));
        check(&[&public[..], &tls, &["--client-ca", "a"]].concat(), Ok(()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check(&["--tls-cert", "c"], Err("--tls-key"));
        check(&["--client-ca", "c"], Err("--tls-cert"));
        check(&["--api-keys", ","], Err("got commas alone"));
        check(&["--max-queue", "10"], Err("--max-documents 256"));
        check(&["--workers", "0"], Err("--workers"));
        check(&["--api-keys-file", "/nowhere/keys"], Err("/nowhere/keys"));
        check(&["--random-weights", "1", "--model", "m"], Err("--model"));
    }
}
