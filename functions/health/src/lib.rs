//! The health component: that the service runs, whether it can answer, what it lacks, and what it
//! has done.

mod metrics;
mod report;

use dossier_core::RequestError;
use dossier_platform::{Exchange, Reply, Response, SpinConfig, SpinEnv, is_read};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request, &SpinConfig).await;
    let reply = match exchange.preflight() {
        Some(answer) => answer,
        None => route(&request, &exchange.route).await,
    };
    exchange.finish(reply).into_response()
}

async fn route(request: &Request, route: &str) -> Result<Reply, RequestError> {
    if !is_read(request.method()) {
        let method = request.method().to_string();
        return Err(RequestError::MethodNotAllowed { method, allowed: "GET, HEAD, OPTIONS" });
    }
    let env = SpinEnv::default();
    match route {
        "/health" => Ok(report::health(&env, "healthy").await),
        "/health/live" => Ok(report::health(&env, "alive").await),
        "/health/ready" => Ok(report::ready(&env).await),
        "/health/detailed" => Ok(report::detailed(&env).await),
        "/health/llm" => Ok(report::llm(&env).await),
        "/metrics" => metrics::page(&env, request.headers()).await,
        _ => Err(RequestError::NotFound { path: request.uri().path().to_owned() }),
    }
}
