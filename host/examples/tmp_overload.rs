//! Throw-away.
use dossier_host::{Host, Options};
use std::time::Duration;
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let mut o = Options::new("spin.toml", "state-tmp");
    o.variables.insert("api_key".into(), "x".into());
    o.limits.request_timeout = Duration::from_secs(4);
    let host = Host::load(o).await.unwrap();
    host.serve(tokio::net::TcpListener::bind("127.0.0.1:4002").await.unwrap(), async {
        tokio::signal::ctrl_c().await.unwrap()
    })
    .await
    .unwrap();
    let t = std::time::Instant::now();
    println!("reopened {:?} {:?}", dossier_host::KvStore::open("state-tmp").is_ok(), t.elapsed());
}
