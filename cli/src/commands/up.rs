//! `dossier up`: the application on this machine, until it is told to stop.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use dossier_core::{
    auth::{API_KEYS, Access, HASHED},
    chat::Settings,
    fakes::MapConfig,
    index::Index,
    pack::published,
    setting::items,
};
use dossier_host::{Host, Manifest, Options, Variables};
use futures::executor::block_on;
use tokio::net::TcpListener;

use super::{
    search::pair,
    warm::{self, Warmer},
};
use crate::{
    log,
    model::folder,
    output::{Failure, Outcome, say},
    store::HostKv,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The application
    #[arg(long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// Publish this pack and serve it, instead of the one built into the component
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Withdraw a pack published earlier
    #[arg(long, conflicts_with = "pack")]
    embedded: bool,
    /// Address and port, or a port of this machine; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDR", value_parser = listen)]
    listen: SocketAddr,
    /// Put the questions of this file once it is ready, so that their answers are kept
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
    /// Folder of the key-value store
    #[arg(long, default_value = ".dossier", value_name = "DIR")]
    state_dir: PathBuf,
    /// Value of an application variable; may be repeated. Else SPIN_VARIABLE_KEY, or the file that
    /// SPIN_VARIABLE_KEY_FILE names
    #[arg(long = "variable", value_name = "KEY=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Seconds an instance waits for its next request before it goes
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    idle_timeout: u64,
}

/// Parses an address; a port alone is one of this machine.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|| text.parse().ok()).ok_or_else(|| {
        "expected an address with a port, such as 127.0.0.1:3000 or [::1]:3000, or a port alone"
            .to_owned()
    })
}

pub(crate) fn run(arguments: Arguments) -> Outcome {
    log::start();
    let mut options = Options::new(&arguments.manifest, &arguments.state_dir);
    options.variables = arguments.variables.iter().cloned().collect();
    options.environment = environment();
    options.limits.reuse.idle = Duration::from_secs(arguments.idle_timeout);
    // Shared by all applications of this user: a component is compiled once.
    options.cache_dir = Some(folder::cache()?.join("compiled"));
    let keys = keys(&options)?;
    if keys.is_empty() && !arguments.listen.ip().is_loopback() {
        return Err(Failure::usage(anyhow!(
            "{} can be reached from other machines and no API key is set: give one with \
             `--variable {API_KEYS}=…`, or listen on 127.0.0.1",
            arguments.listen
        )));
    }
    options.local_names_only = keys.is_empty();
    // Looked at before anything starts: a bad pack must not replace what serves.
    let pack = arguments.pack.as_deref().map(read_pack).transpose()?;
    let warming = arguments.warm.as_deref().map(|file| Warming::read(file, &keys)).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&arguments, options, pack, warming))
}

async fn serve(
    arguments: &Arguments,
    options: Options,
    pack: Option<Vec<u8>>,
    warming: Option<Warming>,
) -> Outcome {
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::usage(anyhow!(
            "{} is in use: stop what listens there, or choose another with `--listen 127.0.0.1:0`",
            arguments.listen
        )),
        _ => Failure::usage(anyhow!("cannot listen on {}: {error}", arguments.listen)),
    })?;
    let address = listener.local_addr()?;
    let this_machine_only = options.local_names_only;
    let host = Host::load(options).await?;
    let store = HostKv(host.store());
    if arguments.embedded {
        block_on(published::withdraw(&store))?;
    }
    match pack {
        Some(pack) => {
            let pointer = block_on(published::publish(&store, &pack))?;
            say!(
                "published {}: {} documents, {} chunks",
                pointer.version,
                pointer.documents,
                pointer.chunks
            );
        }
        None => {
            if let Ok(Some(pointer)) = block_on(published::current(&store)) {
                say!(
                    "serving the pack published earlier ({}, {} chunks); `--embedded` goes back to the built-in one",
                    pointer.version,
                    pointer.chunks
                );
            }
        }
    }
    if this_machine_only {
        say!("no API key is set: serving this machine only");
    }
    say!("Dossier is ready on http://{address}");
    if let Some(warming) = warming {
        // A thread of its own: nothing waits for it, neither visitors nor the end.
        std::thread::spawn(move || warming.run(address));
    }
    host.serve(listener, stop()).await?;
    say!("stopped");
    Ok(())
}

/// Questions that are put to the service once it is ready.
struct Warming {
    questions: Vec<String>,
    key: Option<String>,
}

impl Warming {
    /// Reads them, and finds a key to ask them with.
    fn read(file: &Path, keys: &[String]) -> Result<Self, Failure> {
        let key = keys.iter().find(|key| !key.starts_with(HASHED)).cloned();
        if key.is_none() && !keys.is_empty() {
            return Err(Failure::usage(anyhow!(
                "--warm needs a key to ask with, and of all of them only hashes are known here: \
                 run `dossier warm --key …` beside it"
            )));
        }
        Ok(Self { questions: warm::read(file)?, key })
    }

    fn run(self, address: SocketAddr) {
        let host = if address.is_ipv6() { "[::1]" } else { "127.0.0.1" };
        let url = match address.ip().is_unspecified() {
            true => format!("http://{host}:{}", address.port()),
            false => format!("http://{address}"),
        };
        let asked = Warmer::new(&url, self.key.as_deref(), warm::PATIENCE)
            .and_then(|warmer| warmer.ask_all(&self.questions));
        match asked {
            Ok(()) => say!("answers kept: {}", self.questions.len()),
            Err(failure) => eprintln!("dossier: not all answers are kept: {:#}", failure.error),
        }
    }
}

/// The API keys. What the chat would refuse to work with is refused here, before anything is compiled:
/// it would answer every question with 503.
fn keys(options: &Options) -> Result<Vec<String>, Failure> {
    let manifest = Manifest::load(&options.manifest).map_err(Failure::usage)?;
    let environment = |name: &str| options.environment.get(name).cloned();
    let variables =
        Variables::resolve(&manifest, &options.variables, environment).map_err(Failure::usage)?;
    let config = variables.names().filter_map(|name| {
        let value = variables.get(name).filter(|it| !it.is_empty())?;
        Some((name.to_owned(), value.to_owned()))
    });
    let config = MapConfig(config.collect());
    block_on(Access::configured(&config)).map_err(Failure::usage)?;
    block_on(Settings::configured(&config)).map_err(Failure::usage)?;
    Ok(items(variables.get(API_KEYS).unwrap_or_default()).map(str::to_owned).collect())
}

fn environment() -> BTreeMap<String, String> {
    // Only these: an application learns nothing else of its machine.
    std::env::vars().filter(|(name, _)| name.starts_with("SPIN_VARIABLE_")).collect()
}

fn read_pack(file: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(file).with_context(|| format!("cannot read the pack {}", file.display()));
    let bytes = bytes.map_err(Failure::usage)?;
    Index::open(bytes.clone())
        .with_context(|| file.display().to_string())
        .map_err(Failure::usage)?;
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for (text, expected) in [
            ("4105", "127.0.0.1:4105"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:3000", "[::1]:3000"),
        ] {
            assert_eq!(listen(text).unwrap().to_string(), expected);
        }
        for text in
            ["", "70000", "-1", ":3000", "127.0.0.1", "localhost:3000", "http://127.0.0.1:80"]
        {
            let fault = listen(text).unwrap_err();
            assert!(fault.contains("such as 127.0.0.1:3000"), "{text}: {fault}");
        }
    }
}
