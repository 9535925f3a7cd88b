//! The feedback component: `/feedback`, at the root and under `/api/v1`. Visitors post votes, the
//! owner reads them.

use dossier_core::{
    RequestError, auth,
    feedback::{self, Selection},
    ports::Env as _,
    wire::FeedbackReceipt,
};
use dossier_platform::{Exchange, Reply, Response, SpinEnv, SqlFeedback, body, json};
use http::{StatusCode, header::AUTHORIZATION};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request);
    let reply = route(request, &exchange.route).await;
    exchange.finish(reply).into_response()
}

async fn route(request: Request, route: &str) -> Result<Reply, RequestError> {
    if route != "/feedback" {
        return Err(RequestError::NotFound { path: request.uri().path().to_owned() });
    }
    let env = SpinEnv::default();
    match request.method().as_str() {
        "POST" => record(&env, request).await,
        "GET" | "HEAD" => list(&env, &request).await,
        other => {
            let method = other.to_owned();
            Err(RequestError::MethodNotAllowed { method, allowed: "GET, HEAD, POST" })
        }
    }
}

async fn record(env: &SpinEnv, request: Request) -> Result<Reply, RequestError> {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    auth::admit(env.config(), key).await?;
    let vote = serde_json::from_slice(&body(request).await?)
        .map_err(|error| RequestError::BadJson { reason: error.to_string() })?;
    let store = store(env).await?;
    let recorded = feedback::record(env, &store, vote).await?;
    let status = if recorded.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(&FeedbackReceipt { id: recorded.id, status: "received" }).status(status))
}

async fn list(env: &SpinEnv, request: &Request) -> Result<Reply, RequestError> {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    auth::admit_admin(env.config(), authorization).await?;
    let selection = Selection::from_query(request.uri().query().unwrap_or_default())?;
    Ok(json(&feedback::list(env, &store(env).await?, &selection).await?))
}

async fn store(env: &SpinEnv) -> Result<SqlFeedback, RequestError> {
    let store = SqlFeedback::configured(env.config()).await;
    store.map_err(|error| RequestError::Unavailable { reason: error.to_string() })
}
