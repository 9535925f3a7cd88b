//! Serves an application: `serve path/to/spin.toml state-folder 127.0.0.1:3000`.
//!
//! Takes `SPIN_VARIABLE_*` from the environment and stops on Ctrl-C. The timeout of a request may
//! be set in seconds by `REQUEST_TIMEOUT`.

use dossier_host::{Host, Options};
use std::env;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let [_, manifest, state, address] = env::args()
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: serve MANIFEST STATE-FOLDER ADDRESS")?;
    let mut options = Options::new(manifest, state);
    options.environment = env::vars().collect();
    if let Ok(seconds) = env::var("REQUEST_TIMEOUT") {
        options.limits.request_timeout = Duration::from_secs(seconds.parse()?);
    }
    let host = Host::load(options).await?;
    let stop = async {
        // Without a handler for the signal there is nothing to wait for but a kill.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    host.serve(TcpListener::bind(address).await?, stop).await?;
    Ok(())
}
