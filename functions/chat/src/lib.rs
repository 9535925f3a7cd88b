//! The chat component: `/chat`, `/chat/stream`, `/search`, at the root and under `/api/v1`.

mod engine;

use dossier_core::{
    RequestError, answer,
    auth::Access,
    chat::{self, Turn},
    ports::Env as _,
    wire::read_json,
};
use dossier_platform::{Exchange, Reply, Response, SpinConfig, SpinEnv, body, json, stream};
use futures::SinkExt as _;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request, &SpinConfig).await;
    let reply = match exchange.preflight() {
        Some(answer) => answer,
        None => route(request, &exchange).await,
    };
    exchange.finish(reply).into_response()
}

async fn route(request: Request, exchange: &Exchange) -> Result<Reply, RequestError> {
    let route = exchange.route.as_str();
    if !["/chat", "/chat/stream", "/search"].contains(&route) {
        return Err(RequestError::NotFound { path: request.uri().path().to_owned() });
    }
    if request.method() != http::Method::POST {
        let method = request.method().to_string();
        return Err(RequestError::MethodNotAllowed { method, allowed: "POST, OPTIONS" });
    }
    let env = SpinEnv::default();
    let access = Access::configured(env.config()).await?;
    let visitor = access.admit(exchange.authority.as_deref(), request.headers())?;
    let parameters = request.uri().query().map(str::to_owned);
    let bytes = body(request).await?;
    if route == "/search" {
        let request = read_json(&bytes)?;
        let engine = engine::current(env.kv()).await?;
        return Ok(json(&chat::search(&env, &engine.retriever(), request).await?));
    }
    let request = chat::with_parameters(read_json(&bytes)?, parameters.as_deref())?;
    let engine = engine::current(env.kv()).await?;
    let turn = chat::answer(&env, &engine.retriever(), visitor, request).await?;
    Ok(if route == "/chat" { whole(&env, turn).await } else { streamed(env, turn) })
}

async fn whole(env: &SpinEnv, mut turn: Turn) -> Reply {
    turn.record(env).await;
    json(&turn.response)
}

fn streamed(env: SpinEnv, mut turn: Turn) -> Reply {
    let (mut sender, reply) = stream();
    spin_sdk::wasip3::spawn(async move {
        let mut events = answer::events(&turn.response);
        let done = events.pop();
        for event in events {
            // A visitor who has gone is no error; what was asked is still remembered.
            let _ = sender.send(event.encode()).await;
        }
        // The text has left; `done` promises that a follow-up will find this turn.
        turn.record(&env).await;
        if let Some(done) = done {
            let _ = sender.send(done.encode()).await;
        }
    });
    reply
}
