//! The routes: who may ask, what is counted, and where each request goes.

mod call;
mod embeddings;
mod rerank;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::header::CONTENT_TYPE,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use self::call::Call;
use crate::{App, Fault};

/// The media type of the metrics.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All routes over `app`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/rerank", post(rerank::answer))
        // Cohere's second version, and clients whose base address ends in the version.
        .route("/v2/rerank", post(rerank::answer))
        .route("/rerank", post(rerank::answer))
        .route("/v1/embeddings", post(embeddings::answer))
        .route("/embeddings", post(embeddings::answer))
        // The models are opened before the first connection is accepted: who answers is ready.
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(|| async { "ready\n" }))
        .route("/metrics", get(metrics))
        .fallback(|| async { Fault::NotFound })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::clone(&app), watch))
        .with_state(app)
}

/// Admits, counts and logs a request; no text of a request is ever logged.
async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = name(request.uri().path());
    // Probes have no key, and learn nothing.
    let response = match route == "health" || app.knows(request.headers()) {
        true => next.run(request).await,
        false => Fault::Unauthorized.into_response(),
    };
    let (status, took) = (response.status(), begun.elapsed());
    app.metrics.answered(route, status, took);
    if route != "health" {
        tracing::info!(route, status = status.as_u16(), ms = took.as_millis() as u64, "answered");
    }
    response
}

/// A route's name in metrics and logs; what a client makes up is no name.
fn name(path: &str) -> &'static str {
    match path {
        "/v1/rerank" | "/v2/rerank" | "/rerank" => "rerank",
        "/v1/embeddings" | "/embeddings" => "embeddings",
        "/health/live" | "/health/ready" => "health",
        "/metrics" => "metrics",
        _ => "other",
    }
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    app.metrics.queue.set(app.waiting() as i64);
    ([(CONTENT_TYPE, OPENMETRICS)], app.metrics.text())
}

/// A new name for a reply, in the form of a random UUID.
fn new_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness names repeat, which harms nobody: they only tell replies apart in logs.
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
