//! The chat component: `/chat`, `/chat/stream`, `/search`, at the root and under `/api/v1`.

mod engine;

use dossier_core::{RequestError, answer, auth, chat, ports::Env as _, retrieval::Retriever};
use dossier_platform::{Exchange, Reply, Response, SpinEnv, body, json, stream};
use futures::SinkExt as _;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request);
    let reply = route(request, &exchange.route).await;
    exchange.finish(reply).into_response()
}

async fn route(request: Request, route: &str) -> Result<Reply, RequestError> {
    let route = match route {
        "/chat" | "/chat/stream" | "/search" => route,
        _ => return Err(RequestError::NotFound { path: request.uri().path().to_owned() }),
    };
    if request.method() != http::Method::POST {
        let method = request.method().to_string();
        return Err(RequestError::MethodNotAllowed { method, allowed: "POST" });
    }
    let env = SpinEnv::default();
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    auth::admit(env.config(), key).await?;
    let bytes = body(request).await?;
    let engine = engine::current(env.kv()).await?;
    let retriever = engine.retriever();
    match route {
        "/search" => Ok(json(&chat::search(&env, &retriever, parse(&bytes)?).await?)),
        "/chat/stream" => answer_stream(env, &retriever, &bytes).await,
        _ => answer_whole(&env, &retriever, &bytes).await,
    }
}

async fn answer_whole(
    env: &SpinEnv,
    retriever: &Retriever<'_>,
    bytes: &[u8],
) -> Result<Reply, RequestError> {
    let mut turn = chat::answer(env, retriever, parse(bytes)?).await?;
    turn.record(env).await;
    Ok(json(&turn.response))
}

async fn answer_stream(
    env: SpinEnv,
    retriever: &Retriever<'_>,
    bytes: &[u8],
) -> Result<Reply, RequestError> {
    let mut turn = chat::answer(&env, retriever, parse(bytes)?).await?;
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
    Ok(reply)
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, RequestError> {
    serde_json::from_slice(bytes)
        .map_err(|error| RequestError::BadJson { reason: error.to_string() })
}
