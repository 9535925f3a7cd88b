//! The feedback component: `/feedback`, at the root and under `/api/v1`. Visitors post votes, the
//! owner reads them.

use dossier_core::{
    RequestError,
    auth::{self, Access},
    feedback::{self, Selection},
    ports::{Clock as _, Env as _},
    telemetry::{Served, Visitor, log_line, metrics},
    wire::{FeedbackReceipt, FeedbackRequest, read_json},
};
use dossier_platform::{
    Exchange, Reply, Response, SpinConfig, SpinEnv, SqlFeedback, body, is_read, json, meter,
};
use http::{Method, StatusCode, header::AUTHORIZATION};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> Response {
    let exchange = Exchange::new(&request, &SpinConfig).await;
    let method = request.method().clone();
    let reply = match exchange.preflight() {
        Some(answer) => answer,
        None => route(request, &exchange).await,
    };
    let error_code = reply.as_ref().err().map(|error| error.row().0);
    let response = exchange.finish(reply).into_response();
    spin_sdk::wasip3::spawn(account(exchange, method, response.status(), error_code));
    response
}

async fn route(request: Request, exchange: &Exchange) -> Result<Reply, RequestError> {
    if exchange.route != "/feedback" {
        return Err(RequestError::NotFound { path: request.uri().path().to_owned() });
    }
    let env = SpinEnv::default();
    match request.method() {
        &Method::POST => record(&env, request, exchange).await,
        method if is_read(method) => list(&env, &request).await,
        method => {
            let method = method.to_string();
            Err(RequestError::MethodNotAllowed { method, allowed: "GET, HEAD, POST, OPTIONS" })
        }
    }
}

async fn record(
    env: &SpinEnv,
    request: Request,
    exchange: &Exchange,
) -> Result<Reply, RequestError> {
    let access = Access::configured(env.config()).await?;
    access.admit(exchange.authority.as_deref(), request.headers())?;
    let vote: FeedbackRequest = read_json(&body(request).await?)?;
    let thumb = if vote.thumbs_up { "true" } else { "false" };
    let recorded = feedback::record(env, &store(env).await?, vote).await?;
    meter().record(&metrics::FEEDBACK, &[thumb], 1.0);
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
    Ok(SqlFeedback::configured(env.config()).await?)
}

/// Logs and counts the request, which is over.
async fn account(
    exchange: Exchange,
    method: Method,
    status: StatusCode,
    error_code: Option<&'static str>,
) {
    let served = Served {
        request_id: &exchange.request_id,
        method: method.as_str(),
        route: &exchange.route,
        status: status.as_u16(),
        error_code,
        started: exchange.started,
        elapsed: exchange.elapsed(),
        request_bytes: None,
        response_bytes: None,
    };
    eprintln!("{}", log_line(&served, &exchange.context, None, &Visitor::default()));
    let (env, meter) = (SpinEnv::default(), meter());
    meter.update(|counted| served.record(counted));
    let now = env.clock().now();
    // Votes are rare, and the instance may be gone before the next one.
    if (status.is_success() || meter.is_due(now))
        && let Err(error) = meter.flush(env.kv(), now).await
    {
        env.warn(&format!("counters wait for the store: {error}"));
    }
}
