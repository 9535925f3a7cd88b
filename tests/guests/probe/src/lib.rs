//! A guest that runs the port contracts from inside: 200 `kept`, or 500 with the broken promise.

mod postgres;

use dossier_core::{
    fakes::contract::{self, Outcome},
    ports::{Clock as _, Config as _, Env as _},
};
use dossier_platform::{Reply, Response, SpinEnv, SqlFeedback};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let base = request.headers().get("x-base").and_then(|base| base.to_str().ok());
    let outcome = run(request.uri().path(), base.unwrap_or_default()).await;
    let reply = match outcome {
        Ok(()) => Reply::full(200, "text/plain", "kept"),
        Err(promise) => Reply::full(500, "text/plain", promise),
    };
    reply.into_response()
}

async fn run(path: &str, base: &str) -> Outcome {
    let env = SpinEnv::default();
    match path {
        "/kv" => contract::kv(env.kv()).await,
        "/clock" => contract::clock(env.clock()).await,
        "/entropy" => contract::entropy(env.entropy()),
        "/config" => contract::config(env.config()).await,
        "/feedback" => {
            let store = SqlFeedback::configured(env.config()).await;
            let store = store.map_err(|error| error.to_string())?;
            contract::feedback(&store, env.clock().now().as_millis() as u64).await
        }
        "/postgres" => {
            let url = env.config().get("database_url").await.map_err(|error| error.to_string())?;
            postgres::check(&url.unwrap_or_default()).await
        }
        "/http" => contract::http(env.http(), base, Some("http://example.com/")).await,
        // A guest that goes wrong in the two ways there are.
        "/trap" => std::process::abort(),
        "/hang" => loop {
            std::hint::spin_loop();
        },
        other => Err(format!("no contract {other}")),
    }
}
