//! The application on the real host, on a free port, with a store of its own.

use std::{
    collections::BTreeMap,
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use dossier_host::{Host, KvStore, Limits, Options};
use etcetera::BaseStrategy as _;
use reqwest::blocking::Client;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::root;

/// How to start.
pub struct ServerOptions {
    /// The manifest; the application's by default.
    pub manifest: PathBuf,
    /// Values of variables.
    pub variables: BTreeMap<String, String>,
    /// Bounds of the host.
    pub limits: Limits,
    /// The folder of the store and the databases; one of the server's own by default.
    pub state: Option<PathBuf>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            manifest: root().join("spin.toml"),
            variables: BTreeMap::new(),
            limits: Limits::default(),
            state: None,
        }
    }
}

/// A running application; dropping it stops it.
pub struct Server {
    address: SocketAddr,
    client: Client,
    store: Option<KvStore>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    state: PathBuf,
    _folder: tempfile::TempDir,
}

/// A whole reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body as text.
    pub body: String,
}

impl Reply {
    /// The body as JSON, `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// An HTTP client that waits a minute at the most.
///
/// # Errors
/// The system has no sockets.
pub fn client() -> Result<Client> {
    // A second call finds the provider installed and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().timeout(Duration::from_secs(60)).build()?)
}

impl Server {
    /// Starts the sample application.
    ///
    /// # Errors
    /// It cannot be loaded, most often because it was not built.
    pub fn start() -> Result<Self> {
        Self::start_with(ServerOptions::default())
    }

    /// Starts with `options`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(options: ServerOptions) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let state = options.state.unwrap_or_else(|| folder.path().to_owned());
        let mut host = Options::new(&options.manifest, &state);
        host.variables = options.variables;
        host.limits = options.limits;
        // Shared by all tests: a component is compiled once.
        let cache = etcetera::choose_base_strategy()?.cache_dir();
        host.cache_dir = Some(cache.join("dossier/compiled"));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let host = runtime.block_on(Host::load(host)).context("run `cargo xtask build` first")?;
        let store = host.store().clone();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let stopped = async {
                // A sender that is dropped stops the server too.
                let _ = stopped.await;
            };
            if let Err(error) = runtime.block_on(host.serve(listener, stopped)) {
                eprintln!("the host ended with {error}");
            }
        });
        let client = client()?;
        let (store, stop, thread) = (Some(store), Some(stop), Some(thread));
        Ok(Self { address, client, store, stop, thread, state, _folder: folder })
    }

    /// `http://host:port`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The host's store, shared with the components.
    pub fn store(&self) -> &KvStore {
        self.store.as_ref().unwrap_or_else(|| unreachable!("taken on drop alone"))
    }

    /// Sends a request and reads the whole reply.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Reply> {
        let mut request = self.client.request(method.parse()?, format!("{}{path}", self.base()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut reply = request.body(body.into()).send()?;
        let headers = reply.headers().iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (reply.status().as_u16(), headers.collect());
        let mut body = String::new();
        reply.read_to_string(&mut body)?;
        Ok(Reply { status, headers, body })
    }

    /// Sends a `GET`.
    ///
    /// # Errors
    /// The connection broke.
    pub fn get(&self, path: &str) -> Result<Reply> {
        self.send("GET", path, &[], "")
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// The connection broke.
    pub fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    /// Where the store lies.
    pub fn state(&self) -> &Path {
        &self.state
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.store.take();
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
