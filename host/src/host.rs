//! The host as its callers see it: options in, a loaded application out, then `serve`.

use crate::app::{self, Functions, Site};
use crate::engine::Compiler;
use crate::error::Error;
use crate::limits::Limits;
use crate::manifest::{Manifest, ManifestError};
use crate::routes::Routes;
use crate::sql::sqlite::Files;
use crate::store::KvStore;
use crate::variables::Variables;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What to run and where to keep its state.
#[derive(Clone)]
pub struct Options {
    /// The application's `spin.toml`.
    pub manifest: PathBuf,
    /// The folder of the key-value store and, below `sqlite`, of the databases; created if missing.
    pub state_dir: PathBuf,
    /// Values of variables that win over every other source.
    pub variables: BTreeMap<String, String>,
    /// The environment in which `SPIN_VARIABLE_*` are looked up. Empty by default: the caller
    /// decides what the application may learn of its own.
    pub environment: BTreeMap<String, String>,
    /// The folder of compiled components; `cache` below `state_dir` if `None`.
    pub cache_dir: Option<PathBuf>,
    /// Bounds on guests and clients.
    pub limits: Limits,
    /// Answer only requests made to a name of this machine itself (`localhost`, `127.0.0.1`, …),
    /// else 421. Without it a web page whose name is made to resolve to loopback (DNS rebinding)
    /// could read what an application without keys says. Off by default: a proxy passes on the
    /// public name.
    pub local_names_only: bool,
}

impl Options {
    /// Options with default limits and no values for variables.
    pub fn new(manifest: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            state_dir: state_dir.into(),
            variables: BTreeMap::new(),
            environment: BTreeMap::new(),
            cache_dir: None,
            limits: Limits::default(),
            local_names_only: false,
        }
    }
}

/// A loaded application.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use dossier_host::{Host, Options};
///
/// let host = Host::load(Options::new("spin.toml", "state")).await?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// host.serve(listener, std::future::pending()).await?;
/// # Ok(())
/// # }
/// ```
pub struct Host {
    pub(crate) manifest: Manifest,
    pub(crate) variables: Variables,
    pub(crate) store: KvStore,
    files: Files,
    pub(crate) limits: Arc<Limits>,
    pub(crate) routes: Routes,
    pub(crate) functions: Functions,
    pub(crate) local_names_only: bool,
    closing: watch::Sender<bool>,
}

impl Host {
    /// Reads the manifest, resolves the variables, opens the store and compiles the components.
    ///
    /// # Errors
    ///
    /// [`Error`], in that order; nothing is left running.
    pub async fn load(options: Options) -> Result<Self, Error> {
        let manifest = Manifest::load(&options.manifest)?;
        let variables = Variables::resolve(&manifest, &options.variables, |name| {
            options.environment.get(name).cloned()
        })?;
        let routes = Routes::new(&manifest.triggers)
            .map_err(|fault| ManifestError { file: manifest.file.clone(), fault })?;
        let store = KvStore::open(&options.state_dir)?;
        let files = Files::new(&options.state_dir.join("sqlite"), &options.limits.sql);
        // Guests' TLS uses the process-wide provider; if the caller has set one, it stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let limits = Arc::new(options.limits);
        let cache = options.cache_dir.unwrap_or_else(|| options.state_dir.join("cache"));
        let compiler = Compiler::new(&limits, &cache)?;
        let closing = watch::Sender::new(false);
        let site = Site {
            manifest: &manifest,
            variables: &variables,
            store: &store,
            files: &files,
            limits: &limits,
            closing: &closing,
        };
        let functions = app::build(&site, &compiler).await?;
        Ok(Self {
            manifest,
            variables,
            store,
            files,
            limits,
            routes,
            functions,
            local_names_only: options.local_names_only,
            closing,
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The application's variables.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The key-value store, shared with the guests.
    pub fn store(&self) -> &KvStore {
        &self.store
    }

    /// Answers HTTP/1.1 and HTTP/2 (prior knowledge) until `shutdown` resolves.
    ///
    /// Then no connection is accepted any more, requests in flight have
    /// [`Limits::drain_timeout`] to finish, and the store is flushed.
    ///
    /// # Errors
    ///
    /// The store cannot be flushed. Failures of requests and connections are answered and logged.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let closing = self.closing.clone();
        let store = self.store.clone();
        let files = self.files.clone();
        crate::server::run(self, listener, shutdown).await?;
        // Instances hold the store open, and idle ones would do so for another second.
        closing.send_replace(true);
        let _ = tokio::time::timeout(Duration::from_secs(1), closing.closed()).await;
        // What cannot be closed in time is recovered from its journal at the next start.
        let _ = tokio::time::timeout(Duration::from_secs(1), files.close()).await;
        store.flush()?;
        Ok(())
    }
}
